"""The NAPALM driver on a recorded console: the answers of a real host, command by command."""

import re
from typing import Any

from napalm_ifupdown2 import Ifupdown2Driver


class Recorded(Ifupdown2Driver):
    """The driver on a recorded console."""

    def __init__(self, session: str) -> None:
        super().__init__("recorded", "", "")
        self.printed, self.reads = answers(session), 0

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        self.reads += 1
        return {command: self.printed[command] for command in commands}


def answers(session: str) -> dict[str, dict[str, Any]]:
    """{command: its answer} of a console: `$ command`, its output, and `[exit N]` if it failed."""
    parts = re.split(r"^\$ (.+)\n", session, flags=re.MULTILINE)[1:]
    return {command: _answer(text) for command, text in zip(parts[::2], parts[1::2], strict=True)}


def _answer(text: str) -> dict[str, Any]:
    failed = re.search(r"^\[exit (\d+)\]$", text, flags=re.MULTILINE)
    return {"rc": int(failed[1]), "out": "", "err": text[: failed.start()]} if failed else {"rc": 0, "out": text, "err": ""}
