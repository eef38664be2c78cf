"""The agent's state on a host: where it lies, and the shapes of its JSON. These names stay as they are, because hosts have them."""

# ruff: noqa: UP013 (a line is a shape)
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

# The format of requests and state. State without one is of the agent that was a single file; it is read as it is.
FORMAT = 1
BOOT_UNIT, RETRY_UNIT, DEFERRED_UNIT = "burrow-boot.service", "burrow-retry.service", "burrow-owed.service"


class Paths:
    """All paths lie below one root, which only tests move."""

    def start(self, root: str, program: str) -> None:
        """`program` is the agent's own text, which is what it installs."""
        self.program, self.home = program, Path(root, "var/lib/burrow")
        self.pending, self.draft, self.meta = self.home / "pending", self.home / "draft", self.home / "pending/meta.json"
        self.lease, self.record, self.backups = self.home / "lease.json", self.home / "record.jsonl", self.home / "backups"
        self.deferred = self.home / "owed"
        # Lasts as long as a boot: why a revert is not complete yet.
        self.runtime = Path(root, "run/burrow")
        # Where inodes wait whose file system is not that of `home`: no daemon reads it.
        self.shelf = Path(root, "etc/.burrow")
        self.library, self.command = Path(root, "usr/local/lib/burrow"), Path(root, "usr/local/sbin/burrow")
        self.units, self.kernel = Path(root, "etc/systemd/system"), Path(root, "proc/sys")

    def sysctl(self, name: str) -> Path:
        """Where the kernel shows a live value. In a name with slashes a dot is a dot: names of interfaces have them (sysctl.d(5))."""
        return self.kernel / (name if "/" in name else name.replace(".", "/"))


PATHS = Paths()
PATHS.start("/", "")

# Of requests: a file as it was read and as it is to be, where None is no file; a command and its opposite, a unit.
File = TypedDict("File", {"path": str, "before": "str | None", "text": "str | None", "mode": int, "validate": "list[str]", "mount": str})
Action = TypedDict("Action", {"argv": "list[str]", "undo": "list[str]", "deadline_s": float, "cluster_scoped": bool})
Unit = TypedDict("Unit", {"name": str, "enabled": bool, "active": bool, "restart": bool, "was_enabled": bool, "was_active": bool})
Undo = TypedDict("Undo", {"argv": "list[str]", "deadline_s": float})
Lease = TypedDict("Lease", {"run": str, "holder": str, "since": str, "boot": str, "until": float, "ttl_s": float})
# What every transaction is known by; how one ended; what is left of it to undo in a cluster, and why that failed.
Whose = TypedDict("Whose", {"token": str, "run": str, "holder": str, "why": str})
Entry = TypedDict("Entry", {"token": str, "holder": str, "why": str, "outcome": str, "reason": str, "troubles": "list[str]", "at": str})
Deferred = TypedDict("Deferred", {"token": str, "run": str, "holder": str, "why": str, "undo": "list[Undo]", "trouble": str})
# What is known of a revert that is not complete.
News = TypedDict("News", {"state": str, "reason": str, "remarks": "list[str]", "troubles": "list[str]", "undone": bool}, total=False)


class Saved(TypedDict, total=False):
    """What is kept of a file: mode None where there was none; `old` and `new` are inodes in the pending folder or on the shelf."""

    path: str
    mount: str
    mode: int | None
    made: list[str]
    owner: list[int]
    attributes: dict[str, str]
    old: str
    new: str


class Transaction(Whose):
    """The one that is open."""

    files: list[File]
    actions: list[Action]
    sysctls: dict[str, str]
    revert_s: float
    saved: list[Saved]
    units: list[Unit]
    live: dict[str, str]
    boot: str
    until: float
    armed_at: str
    owed: bool


def whose(one: Mapping[str, Any]) -> Whose:
    """Of a transaction or a request."""
    return {"token": one["token"], "run": one["run"], "holder": one["holder"], "why": one["why"]}


def is_cluster_scoped(action: Mapping[str, Any]) -> bool:
    """Whether an action acts on the host's cluster. State without a format calls it lasting."""
    return bool(action.get("cluster_scoped", action.get("lasting")))
