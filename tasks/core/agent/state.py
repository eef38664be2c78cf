"""The agent's state on a host: its paths, and the shapes of its JSON. These names stay as they are, because hosts have them."""

# ruff: noqa: UP013 (each shape takes one line)
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

# The format of requests and state. State without a format was written by the agent that was a single file; it is still read.
FORMAT = 1
BOOT_UNIT, RETRY_UNIT, DEFERRED_UNIT = "burrow-boot.service", "burrow-retry.service", "burrow-owed.service"


class Paths:
    """All paths are below one root. Only tests use another root than `/`."""

    def start(self, root: str, program: str) -> None:
        """Set the paths. `program` is the agent's own source text, which it installs."""
        self.program, self.home = program, Path(root, "var/lib/burrow")
        self.pending, self.draft, self.meta = self.home / "pending", self.home / "draft", self.home / "pending/meta.json"
        self.lease, self.record, self.backups = self.home / "lease.json", self.home / "record.jsonl", self.home / "backups"
        self.deferred, self.commands = self.home / "owed", self.home / "commands"
        # Kept until the next boot: why a revert is not complete yet.
        self.runtime = Path(root, "run/burrow")
        # Holds inodes of files that are on another file system than `home`. No daemon reads this folder.
        self.shelf = Path(root, "etc/.burrow")
        self.library, self.command = Path(root, "usr/local/lib/burrow"), Path(root, "usr/local/sbin/burrow")
        self.units, self.kernel = Path(root, "etc/systemd/system"), Path(root, "proc/sys")

    def sysctl(self, name: str) -> Path:
        """The kernel's file of a live value. In a name with slashes a dot is a dot, because interface names have dots (sysctl.d(5))."""
        return self.kernel / (name if "/" in name else name.replace(".", "/"))


PATHS = Paths()
PATHS.start("/", "")

# Parts of requests: a file before and after (None means no file), a command and its undo, a unit.
File = TypedDict("File", {"path": str, "before": "str | None", "text": "str | None", "mode": int, "validate": "list[str]", "mount": str})
Action = TypedDict("Action", {"argv": "list[str]", "undo": "list[str]", "deadline_s": float, "cluster_scoped": bool})
Unit = TypedDict("Unit", {"name": str, "enabled": bool, "active": bool, "restart": bool, "was_enabled": bool, "was_active": bool})
Undo = TypedDict("Undo", {"argv": "list[str]", "deadline_s": float})
Lease = TypedDict("Lease", {"run": str, "holder": str, "since": str, "boot": str, "until": float, "ttl_s": float})
# What identifies a transaction; how a transaction ended; the undo in a cluster that is still deferred, and why it failed.
Identity = TypedDict("Identity", {"token": str, "run": str, "holder": str, "why": str})
Entry = TypedDict("Entry", {"token": str, "holder": str, "why": str, "outcome": str, "reason": str, "troubles": "list[str]", "at": str})
Deferred = TypedDict("Deferred", {"token": str, "run": str, "holder": str, "why": str, "undo": "list[Undo]", "trouble": str})
# A command of a procedure: its id in the plan, and the command itself as messages show it.
Started = TypedDict("Started", {"token": str, "run": str, "holder": str, "why": str, "id": str, "command": str, "at": str})
# The progress of a revert that is not complete.
Progress = TypedDict(
    "Progress", {"state": str, "reason": str, "remarks": "list[str]", "troubles": "list[str]", "undone": bool}, total=False
)
# The access to a file, with mode None if there was no file. Its backup: `old` and `new` are inodes in the pending folder or on the shelf.
Access = TypedDict("Access", {"mode": "int | None", "owner": "list[int]", "attributes": "dict[str, str]"}, total=False)
Backup = TypedDict("Backup", {"path": str, "mount": str, "made": "list[str]", "old": str, "new": str}, total=False)
# A transaction as requested, what it will restore, and its timer.
Requested = TypedDict("Requested", {"files": "list[File]", "actions": "list[Action]", "units": "list[Unit]", "sysctls": "dict[str, str]"})
Backups = TypedDict("Backups", {"saved": "list[Saved]", "live": "dict[str, str]", "owed": bool})
Timer = TypedDict("Timer", {"revert_s": float, "boot": str, "until": float, "armed_at": str})


class Saved(Access, Backup):
    """A backup of a file with its access."""


class Transaction(Identity, Requested, Backups, Timer):
    """The open transaction, as meta.json holds it."""


def identity(of: Mapping[str, Any]) -> Identity:
    """The identity of a transaction or of a request."""
    return {"token": of["token"], "run": of["run"], "holder": of["holder"], "why": of["why"]}


def is_cluster_scoped(action: Mapping[str, Any]) -> bool:
    """Whether an action acts on the host's cluster. State without a format calls such an action lasting."""
    return bool(action.get("cluster_scoped", action.get("lasting")))
