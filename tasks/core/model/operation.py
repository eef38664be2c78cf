"""A transaction as data: what one run writes on one host, applied, checked, then confirmed or undone as one."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

# What a cluster shares is mounted here by its daemon; written below the bare folder, a file keeps it from being mounted again.
PVE = "/etc/pve"
SHARED_MOUNTS = (PVE,)


def shared_mount(path: str) -> str:
    """The shared mount that a path is below; empty where it is below none."""
    return next((mount for mount in SHARED_MOUNTS if path.startswith(f"{mount}/")), "")


@dataclass(frozen=True)
class FileWrite:
    """A whole file: as it was read (None: absent) and as it will be. `validate` names the candidate's path as {candidate}.

    `mount` is the shared mount that it was read on: nothing is written where that is not mounted any more.
    """

    path: str
    before: str | None
    text: str | None
    mode: int = 0o644
    validate: tuple[str, ...] = ()
    mount: str = ""


@dataclass(frozen=True)
class Action:
    """A command that makes files live, and the one that does so again after they were restored.

    An early one runs before the network configuration is made live; `shown` is its line in a diff, where no file says what it does.
    A lasting one acts beyond the host, on the cluster that it speaks for: no boot ends that, so the host tries `undo` until it succeeds.
    A coordinated one succeeds only while the same is done on other hosts.
    """

    argv: tuple[str, ...]
    undo: tuple[str, ...]
    deadline_s: float = 30.0
    early: bool = False
    shown: str = ""
    lasting: bool = False
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
    """A call of a device's API, and the one that takes it back; without that it stays, and `shown` says so.

    `parameters` is a JSON list; in those of `undo`, {id} is the id of what the call made. A job is waited for.
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
    """A command that no timer takes back: `undo` is its opposite; without that it stays, which the plan says.

    It goes on when the connection that asked for it breaks, and the next run finds what came of it. `mount` is the shared mount that it
    and its opposite write below: where that is not mounted neither is run.
    """

    argv: tuple[str, ...]
    shown: str
    undo: tuple[str, ...] = ()
    deadline_s: float = 120.0
    impact: tuple[str, ...] = ()
    mount: str = ""

    @property
    def guarded(self) -> tuple[str, ...]:
        """What is run on the host: the command itself, after a look at its mount."""
        return ("/bin/sh", "-c", WITH_MOUNT, self.argv[0], self.mount, *self.argv) if self.mount else self.argv

    def opposite(self) -> "Command | None":
        """What takes it back."""
        return Command(self.undo, self.shown, mount=self.mount) if self.undo else None


@dataclass(frozen=True)
class Transaction:
    """Files, then live values, then actions, then units; restored the other way round. `saved` names live values that it may flip.

    What has no timer is by itself: calls of a device with an API, commands of a host.
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
        """Whether the host itself takes it back unless it is confirmed in time."""
        return not self.calls and not self.commands

    def request(self, revert_s: int) -> dict[str, Any]:
        """As the host agent takes it; it restores itself `revert_s` seconds after it is armed."""
        return {**asdict(self), "revert_s": revert_s}
