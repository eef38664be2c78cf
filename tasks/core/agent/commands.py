"""Commands of procedures, which run as units of their own: they go on if the controller dies, and how they ended stays on the host."""

import contextlib
from typing import Any

from tasks.core.agent import disk, process
from tasks.core.agent.secrets import last
from tasks.core.agent.state import PATHS, Started

# How much of an output is sent.
SHOWN_CHARACTERS = 4000


def unit(handle: str) -> str:
    """The unit of a command."""
    return f"burrow-command-{handle}.service"


def state(handle: str) -> dict[str, Any]:
    """The state of a command: absent (it never began), running, ended (with its exit code and outputs), or lost.

    It is lost if it has no exit code: it was killed after its time, the host restarted, or the disk was full.
    """
    folder = PATHS.commands / handle
    if not (folder / "started.json").exists():
        return {"state": "absent"}
    runs = not (folder / "code").exists() and process.systemctl("is-active", unit(handle)) == 0
    outputs = {"out": _text(folder / "Output"), "err": _text(folder / "Error")}
    code = _text(folder / "code").strip()  # read last: it may have ended meanwhile
    if code.isdigit():
        return {"state": "ended", "rc": int(code), **outputs}
    return {"state": "running" if runs else "lost", **outputs}


def _text(path: Any) -> str:
    with contextlib.suppress(FileNotFoundError):
        return last(path.read_bytes().decode(errors="replace"), SHOWN_CHARACTERS)
    return ""


def kept() -> list[dict[str, Any]]:
    """The commands of procedures that no run has finished: what they are, whose, and their state."""
    found: list[dict[str, Any]] = []
    for path in sorted(PATHS.commands.glob("*/started.json")):
        started: Started | None = disk.load(path, lossy=True)
        if started:
            now = state(path.parent.name)
            found.append({**started, "handle": path.parent.name, "state": now["state"], "rc": now.get("rc")})
    return found
