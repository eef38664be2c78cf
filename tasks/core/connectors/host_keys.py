"""Checks the key that a host offers, and explains to the operator why it is not accepted."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

import asyncssh

from inventory.at_home import at_home
from tasks.core.connectors.known_hosts import GLOBAL, REVOKED, SSH_PORT, USERS, KnownHosts, KnownKey, Name, described, read_known_hosts
from tasks.core.model.errors import LinkError

CONSOLE = "the host's console (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`)"
AUTHORITY = "cert-authority"


@dataclass
class HostKey:
    """The key of one host: the known keys, and the offered key if it was not accepted."""

    host: str
    name: Name
    known: KnownHosts
    offered: asyncssh.SSHKey | None = None
    by_authority: bool = field(default=False)

    @classmethod
    def of(cls, host: str, options: asyncssh.SSHClientConnectionOptions) -> "HostKey":
        """From the SSH configuration. Raises LinkError where that switches the check off, or a file cannot be read."""
        port = None if options.port == SSH_PORT else options.port
        return cls(host, Name(options.host, port, options.host_key_alias), read_known_hosts(_files(host, options)))

    def client(self) -> asyncssh.SSHClient:
        """The client object through which asyncssh reports an untrusted key."""
        return _Client(self)

    def trusted(self, _host: str, _address: str, _port: int | None) -> tuple[object, ...]:
        """The trusted keys, in the form in which asyncssh asks for them."""
        return self.known.trusted(self.name)

    @property
    def is_known_by_type(self) -> bool:
        """Whether any key or authority of the host is known: then asyncssh does not ask for other types."""
        return any(key.marker != REVOKED for key in self.known.keys(self.name))

    @property
    def is_trusted(self) -> bool:
        """Whether the offered key is known."""
        return any(key.key == self.offered and not key.marker for key in self.known.keys(self.name))

    def problem(self, reason: str) -> LinkError:
        """Why the host's key was not accepted; `reason` is asyncssh's."""
        keys = self.known.keys(self.name)
        own = [key for key in keys if key.marker == (AUTHORITY if self.by_authority else "")]
        if "revoked" in reason:
            revoked = _listed(self.known.revoked(self.name))
            return LinkError(f"{self.host}: ALARM: its host key is revoked: {revoked}. Do not connect; find out who revoked it and why")
        if self.offered is None:
            return LinkError(f"{self.host}: its host key cannot be trusted: {reason}; compare it on {CONSOLE}")
        alike = [key for key in own if self.by_authority or key.key.get_algorithm() == self.offered.get_algorithm()]
        if alike:
            return LinkError(self._differs(alike))
        return LinkError(self._unknown(keys))

    def _differs(self, known: list[KnownKey]) -> str:
        assert self.offered is not None
        what = "authority of its host certificate" if self.by_authority else "host key"
        return (
            f"{self.host}: ALARM: its {what} DIFFERS from known_hosts: offered {described(self.offered)}, known {_listed(known)}."
            f" Either the connection is intercepted, or the host was reinstalled. Nothing was sent to it."
            f" Compare the offered fingerprint on {CONSOLE};"
            f" if it is the host's own, replace the line at {known[0].place}"
        )

    def _unknown(self, keys: tuple[KnownKey, ...]) -> str:
        assert self.offered is not None
        what = "the authority of its host certificate" if self.by_authority else "its host key"
        files = ", ".join(self.known.files)
        found = f"{self.host}: {what} is not in known_hosts ({files}): {described(self.offered)}."
        others = [key for key in keys if key.marker != REVOKED]
        if others:
            return (
                f"{found} known_hosts has another key of this host: {_listed(others)}. Compare both on {CONSOLE} before you trust this one"
            )
        return f"{found} Check the key on {CONSOLE}, then add it with ssh-keyscan"


class _Client(asyncssh.SSHClient):
    def __init__(self, key: HostKey) -> None:
        self._key = key

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002 (asyncssh's signature)
        """Never trust it here; keep it for the message."""
        self._key.offered = key
        return False

    def validate_host_ca_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:  # noqa: ARG002
        """Never trust it here; keep it for the message."""
        self._key.offered, self._key.by_authority = key, True
        return False


def _files(host: str, options: asyncssh.SSHClientConnectionOptions) -> tuple[str, ...]:
    """The known_hosts files by ssh_config(5). asyncssh would check no key where the first is `none`, so that is refused."""
    users, system = (
        default if value is None else tuple(cast("list[str]", value))
        for value, default in ((options.config.get("UserKnownHostsFile"), USERS), (options.config.get("GlobalKnownHostsFile"), GLOBAL))
    )
    if not users and not any(at_home(name).is_file() for name in system):
        raise LinkError(
            f"{host}: its host key cannot be checked: the SSH configuration says `UserKnownHostsFile none`."
            " Name a file with the host's key there, or remove the line"
        )
    return (*users, *system)


def _listed(keys: Iterable[KnownKey]) -> str:
    return ", ".join(map(str, dict.fromkeys(keys)))
