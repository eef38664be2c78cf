"""Why something is refused: one sentence with what was found and what to do."""

import errno
import os
from pathlib import Path
from typing import Any

from tasks.core.agent.secrets import redact
from tasks.core.agent.state import FORMAT, PATHS

# What the file system is the reason of, in the system's own words, and what to do about it.
FULL = {errno.ENOSPC: "no space left on", errno.EDQUOT: "the quota is used up on", errno.EROFS: "read-only file system:"}
DENIED = {errno.EACCES: "no permission for", errno.EPERM: "it is not permitted to write"}
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "free some space"),
    errno.EROFS: "find out why (dmesg), mount it read-write",
    errno.EACCES: "log in as root or let this user become root by sudo",
    errno.EPERM: "see whether it is immutable (lsattr), or the login not root",
}


class Refused(Exception):
    """Nothing was changed, and why; without keys."""

    def __init__(self, reason: str) -> None:
        super().__init__(redact(reason))


def refuse_newer(what: object, value: Any) -> None:
    """What a newer Burrow wrote is left alone: this one would lose what it does not know."""
    found = value.get("format", 0) if isinstance(value, dict) else 0
    if not isinstance(found, int) or found > FORMAT:
        known = f"this Burrow knows formats up to {FORMAT}"
        raise Refused(f"{what} has format {found}, and {known}: nothing was changed; update Burrow on this machine")


def sentence(error: Exception) -> str:
    """What the system refused, with the path: one clause. Of another error its own words."""
    if not isinstance(error, OSError):
        return str(error)
    name = error.filename2 or error.filename  # of a rename: its target
    path = Path(os.fsdecode(name)) if isinstance(name, (str, bytes)) else PATHS.home
    if error.errno in FULL:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
        device = next((words[0] for words in reversed(mounts) if words[1] == mount_of(path)), mount_of(path))
        return f"{FULL[error.errno]} {path} ({device})"
    return f"{DENIED[error.errno]} {path}" if error.errno in DENIED else f"{path}: {error.strerror or error}"


def mount_of(path: Path) -> str:
    """Where the file system is mounted that a path is on."""
    return next((str(folder) for folder in path.parents if os.path.ismount(folder)), "/")
