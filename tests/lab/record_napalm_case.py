"""Records a case of a NAPALM getter from a running host: `python tests/lab/record_napalm_case.py HOST CASE GETTER [JSON ARGUMENTS]`.

What the host answered is real; read the `result` that it writes before you believe it, and say why the case is there.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from napalm.base.exceptions import CommandErrorException

sys.path.append(str(Path(__file__).parents[1] / "unit"))
from case_files import CASES, dumped, in_order, loaded

from napalm_ifupdown2 import Ifupdown2Driver


class Recorder(Ifupdown2Driver):
    """A driver that keeps what it read."""

    heard: dict[str, Any]

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:
        self.heard = super()._read(commands, deadline_s)
        return self.heard


def transcript(answers: dict[str, Any]) -> str:
    """Console-like: `$ command`, its output, and `[exit N]` where it failed."""
    return "".join(
        f"$ {command}\n{answer['out']}{'' if answer['out'].endswith(chr(10)) or not answer['out'] else chr(10)}"
        + (f"{answer['err'].strip()}\n[exit {answer['rc']}]\n" if answer["rc"] else "")
        for command, answer in answers.items()
    )


def record(host: str, case: str, getter: str, arguments: dict[str, Any]) -> None:
    one: dict[str, Any] = {"why": "", **({"arguments": arguments} if arguments else {})}
    with Recorder(host, "", "", optional_args={"ssh_config_file": f"{os.environ['BURROW_LAB']}/ssh_config"}) as device:
        try:
            one["result"] = json.loads(json.dumps(getattr(device, getter)(**arguments)))
        except CommandErrorException as error:
            one["error"] = str(error).replace(f"{host}:", "recorded:", 1)
    file = CASES / "napalm" / f"{getter}.yaml"
    said = loaded(file) if file.exists() else {"cases": {}}
    said["cases"][case] = in_order({**one, "session": transcript(device.heard)})
    file.write_text(dumped(said))


if __name__ == "__main__":
    record(*sys.argv[1:4], json.loads(sys.argv[4]) if sys.argv[4:] else {})
