"""What a plan does, as data: a transaction that the host's own timer takes back, or a procedure of operations that no timer takes back."""

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
    """A call of a device's API. `parameters` is a JSON list; in those of an undo, {id} is the id of the object that the call made."""

    method: str
    parameters: str
    job: bool = False


WITH_MOUNT = r"""
mountpoint -q "$1" || { echo "$1 is not mounted: nothing was done; start what mounts it, then run again" >&2; exit 1; }
shift
exec "$@"
"""


@dataclass(frozen=True)
class Command:
    """A command on a host. While `mount`, the shared mount below which it writes, is not mounted, it does not run."""

    argv: tuple[str, ...]
    mount: str = ""

    @property
    def called(self) -> str:
        """The command line; of a script its name with the words that it gets (sh(1): -c SCRIPT NAME WORDS)."""
        return " ".join(self.argv[3:] if self.argv[1:2] == ("-c",) and len(self.argv) > 3 else self.argv)

    @property
    def guarded(self) -> tuple[str, ...]:
        """What runs on the host: the command, after a check of its mount."""
        return ("/bin/sh", "-c", WITH_MOUNT, self.argv[0], self.mount, *self.argv) if self.mount else self.argv


@dataclass(frozen=True)
class Operation:
    """One step of a procedure: what no timer takes back.

    Attributes:
    id: KIND/NAME, which names it in the plan and in the journal; unique in its site.
    shown: its line in the diff; empty for a call that only serves another one.
    undo: what undoes it; without it the operation stays, and the plan says so.
    at_risk: the data or the quorum that can be lost although nothing undoes it. The operator has to acknowledge the operation by its id.
    """

    id: str
    do: Command | Call
    shown: str = ""
    undo: Command | Call | None = None
    deadline_s: float = 120.0
    impact: tuple[str, ...] = ()
    at_risk: str = ""


@dataclass(frozen=True)
class Progress:
    """How far an operation is.

    Attributes:
    state: absent (it never began), running, ended, or unknown.
    handle: what a later poll names it by.
    error: why it failed; empty where it did not.
    result: what a call returned; its undo may need it.
    reported: what a command wrote to standard error.
    line: the last line of its log.
    """

    state: str
    handle: str = ""
    error: str = ""
    result: Any = None
    reported: str = ""
    line: str = ""


def _token() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True)
class Procedure:
    """Operations in order. If one fails, those before it are undone, the last first, as far as they have an undo."""

    why: str
    operations: tuple[Operation, ...]
    token: str = field(default_factory=_token)


@dataclass(frozen=True)
class TimedTransaction:
    """Files, then live values, then actions, then units; undone in the reverse order, by the host's own timer unless it is confirmed.

    `saved` names live values that it may change; none of the files in `absent` may exist.
    """

    why: str
    files: tuple[FileWrite, ...] = ()
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    saved: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    token: str = field(default_factory=_token)

    def request(self, revert_s: int) -> dict[str, Any]:
        """The request to the host agent, which reverts it `revert_s` seconds after it is armed."""
        return {**asdict(self), "revert_s": revert_s}
