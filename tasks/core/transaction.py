"""A transaction as data: what one run writes on one host, applied, checked, then confirmed or undone as one."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

INTERFACES = "/etc/network/interfaces"
# Somebody else's change is open where the hypervisor's own tools staged one (Proxmox VE, pve-network).
INTERFACES_STAGED = "/etc/network/interfaces.new"


@dataclass(frozen=True)
class FileWrite:
    """A whole file: as it was read (None: absent) and as it will be. `validate` names the candidate's path as {candidate}."""

    path: str
    before: str | None
    text: str | None
    mode: int = 0o644
    validate: tuple[str, ...] = ()


@dataclass(frozen=True)
class Action:
    """A command that makes files live, and the one that does so again after they were restored."""

    argv: tuple[str, ...]
    undo: tuple[str, ...]
    deadline_s: float = 30.0


@dataclass(frozen=True)
class Unit:
    """A systemd unit's wanted state; `restart` also restarts it where it already runs."""

    name: str
    enabled: bool = True
    active: bool = True
    restart: bool = False


# ifupdown2 3.0 checks a candidate with `ifup -s -i`; `ifreload -s` would read the installed file.
IFRELOAD = Action(("ifreload", "-a"), ("ifreload", "-a"))
CHECK_INTERFACES = ("ifup", "-s", "-a", "-i", "{candidate}")


@dataclass(frozen=True)
class Transaction:
    """Files, then live values, then actions, then units; restored the other way round."""

    why: str
    files: tuple[FileWrite, ...] = ()
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    sysctls: dict[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    token: str = field(default_factory=lambda: secrets.token_hex(8))

    def request(self, revert_s: int) -> dict[str, Any]:
        """As the host's part takes it; it restores itself `revert_s` seconds after it is armed."""
        return {**asdict(self), "revert_s": revert_s}


def interfaces_transaction(why: str, before: str, after: str, token: str) -> Transaction:
    """The transaction that makes /etc/network/interfaces and the live state `after`."""
    return Transaction(
        why=why,
        files=(FileWrite(INTERFACES, before, after, validate=CHECK_INTERFACES),),
        actions=(IFRELOAD,),
        absent=(INTERFACES_STAGED,),
        token=token,
    )
