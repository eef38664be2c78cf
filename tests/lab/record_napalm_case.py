"""Records a case of a NAPALM getter from a running host: `python tests/lab/record_napalm_case.py HOST CASE GETTER [JSON ARGUMENTS]`.

The host's answers are real. Check the `result` that this writes, and add the case's `why`.
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
    """A driver that keeps the answers that it read."""

    answers: dict[str, Any]

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:
        self.answers = super()._read(commands, deadline_s)
        return self.answers


def transcript(answers: dict[str, Any]) -> str:
    """The answers as a console shows them: `$ command`, its output, and `[exit N]` if it failed."""
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
    cases = loaded(file) if file.exists() else {"cases": {}}
    cases["cases"][case] = in_order({**one, "session": transcript(device.answers)})
    file.write_text(dumped(cases))


if __name__ == "__main__":
    record(*sys.argv[1:4], json.loads(sys.argv[4]) if sys.argv[4:] else {})
