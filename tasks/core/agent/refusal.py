"""Refusals: one sentence that says what the agent found and what the operator can do."""

import errno
import os
from pathlib import Path
from typing import Any

from tasks.core.agent.secrets import redact
from tasks.core.agent.state import FORMAT, PATHS

# Errors of a file system, in the system's own words, and what to do about them.
FULL = {errno.ENOSPC: "no space left on", errno.EDQUOT: "the disk quota is used up on", errno.EROFS: "read-only file system:"}
DENIED = {errno.EACCES: "no permission for", errno.EPERM: "it is not permitted to write"}
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    errno.EROFS: "find the cause with dmesg, mount it read-write",
    errno.EACCES: "log in as root or let this user become root with sudo",
    errno.EPERM: "check whether the file is immutable (lsattr) and whether you are root",
}


class Refused(Exception):
    """The agent changed nothing. The message says why, with secrets removed."""

    def __init__(self, reason: str) -> None:
        super().__init__(redact(reason))


def refuse_newer(what: object, value: Any) -> None:
    """Refuse data of a newer format: this agent would lose the parts that it does not know."""
    found = value.get("format", 0) if isinstance(value, dict) else 0
    if not isinstance(found, int) or found > FORMAT:
        known = f"this Burrow knows formats up to {FORMAT}"
        raise Refused(f"{what} has format {found}, but {known}: nothing was changed; update Burrow on this machine")


def sentence(error: Exception) -> str:
    """One clause: what the system refused, with the path. Any other error keeps its own words."""
    if not isinstance(error, OSError):
        return str(error)
    name = error.filename2 or error.filename  # filename2 is the target of a rename
    path = Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) else PATHS.home
    if error.errno in FULL:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        device = next((words[0] for words in reversed(mounts) if words[1] == mount_of(path)), mount_of(path))
        return f"{FULL[error.errno]} {path} ({device})"
    return f"{DENIED[error.errno]} {path}" if error.errno in DENIED else f"{path}: {error.strerror or error}"


def mount_of(path: Path) -> str:
    """The mount point of the file system that holds a path."""
    return next((str(folder) for folder in path.parents if os.path.ismount(folder)), "/")
