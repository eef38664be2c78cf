"""A transaction as data: what one run writes on one host, then confirms or undoes as a whole."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

# A cluster's daemon mounts its shared files here. A file written while it is not mounted would keep it from being mounted again.
PVE = "/etc/pve"
SHARED_MOUNTS = (PVE,)


def shared_mount(path: str) -> str:
    """The shared mount above a path; empty where there is none."""
    return next((mount for mount in SHARED_MOUNTS if path.startswith(f"{mount}/")), "")


@dataclass(frozen=True)
class FileWrite:
    """A whole file, before and after; None means absent. {candidate} in `validate` stands for the path of the new file.

    `mount` is the shared mount that the file was read from: nothing is written while that is not mounted.
    """

    path: str
    before: str | None
    text: str | None
    mode: int = 0o644
    validate: tuple[str, ...] = ()
    mount: str = ""


@dataclass(frozen=True)
class Action:
    """A command that makes files live, and `undo`, which does so again after they were restored.

    An early one runs before the network configuration is made live. `shown` is its line in the diff, where no file shows its effect.
    A cluster-scoped one acts on the host's cluster, where no boot undoes it: the host retries `undo` until it succeeds.
    A coordinated one succeeds only if other hosts do the same at the same time.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...]
    deadline_s: float = 30.0
    early: bool = False
    shown: str = ""
    cluster_scoped: bool = False
    coordinated: bool = False


@dataclass(frozen=True)
class Unit:
    """A systemd unit's wanted state; `restart` also restarts it where it already runs."""

    name: str
    enabled: bool = True
    active: bool = True
    restart: bool = False


@dataclass(frozen=True)
class Call:
    """A call of a device's API, and the call that undoes it. Without `undo` it is permanent, and `shown` says so.

    `parameters` is a JSON list; in those of `undo`, {id} is the id of the object that the call made. A `job` is waited for.
    """

    method: str
    parameters: str
    shown: str = ""
    undo: "Call | None" = None
    job: bool = False
    impact: tuple[str, ...] = ()


WITH_MOUNT = r"""
mountpoint -q "$1" || { echo "$1 is not mounted: nothing was done; start what mounts it, then run again" >&2; exit 1; }
shift
exec "$@"
"""


@dataclass(frozen=True)
class Command:
    """A command that no timer undoes. `undo` is its opposite; without it the command is permanent, and the plan says so.

    It continues when its connection breaks, and the next run finds its result. `mount` is the shared mount below which it and its opposite
    write: while that is not mounted, neither runs.
    """

    argv: tuple[str, ...]
    shown: str
    undo: tuple[str, ...] = ()
    deadline_s: float = 120.0
    impact: tuple[str, ...] = ()
    mount: str = ""

    @property
    def guarded(self) -> tuple[str, ...]:
        """What runs on the host: the command, after a check of its mount."""
        return ("/bin/sh", "-c", WITH_MOUNT, self.argv[0], self.mount, *self.argv) if self.mount else self.argv

    def opposite(self) -> "Command | None":
        """The command that undoes it; None where there is none."""
        return Command(self.undo, self.shown, mount=self.mount) if self.undo else None


@dataclass(frozen=True)
class Transaction:
    """Files, then live values, then actions, then units; undone in the reverse order. `saved` names live values that it may change.

    Calls of a device's API and commands have no timer, so a transaction holds nothing else beside them.
    """

    why: str
    files: tuple[FileWrite, ...] = ()
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    saved: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    commands: tuple[Command, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def timed(self) -> bool:
        """Whether the host itself undoes it unless it is confirmed in time."""
        return not self.calls and not self.commands

    def request(self, revert_s: int) -> dict[str, Any]:
        """The request to the host agent, which reverts it `revert_s` seconds after it is armed."""
        return {**asdict(self), "revert_s": revert_s}
