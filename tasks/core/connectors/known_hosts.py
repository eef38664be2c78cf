"""The known_hosts files of a host: which of their lines speak of it, and where each stands (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import asyncssh

from inventory.at_home import at_home
from tasks.core.model.errors import LinkError

SSH_PORT = 22
REVOKED = "revoked"
# ssh_config(5): what is read where UserKnownHostsFile or GlobalKnownHostsFile says nothing.
USERS = ("~/.ssh/known_hosts", "~/.ssh/known_hosts2")
GLOBAL = ("/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2")


@dataclass(frozen=True)
class KnownKey:
    """A line of a file that speaks of a host: its place, its marker (`revoked`, `cert-authority` or none), its key."""

    place: str
    marker: str
    key: asyncssh.SSHKey

    def __str__(self) -> str:
        return f"{described(self.key)} ({self.place})"


@dataclass(frozen=True)
class _Line:
    place: str
    marker: str
    parsed: asyncssh.SSHKnownHosts

    def keys(self, host: str, port: int | None) -> Iterator[KnownKey]:
        for keys in self.parsed.match(host, "", None)[:3] if port is None else self._exact(host, port):
            yield from (KnownKey(self.place, self.marker, key) for key in keys)

    def _exact(self, host: str, port: int) -> tuple[Any, ...]:
        """The keys for HOST at PORT alone; asyncssh goes on to the ones for the host without a port."""
        return self.parsed.match(f"[{host}]:{port}", "", None)[:3]


@dataclass(frozen=True)
class Name:
    """What a host is looked up by: an alias stands for host and port, as OpenSSH takes it."""

    host: str
    port: int | None = None
    alias: str | None = None

    @property
    def exact(self) -> tuple[tuple[str, int | None], ...]:
        """What a line has to name, for its key to be this host's."""
        if self.alias:
            return tuple((self.alias.lower(), port) for port in dict.fromkeys((self.port, None)))
        return ((self.host.lower(), self.port),)


@dataclass(frozen=True)
class KnownHosts:
    """The files by name, and their lines."""

    files: tuple[str, ...]
    lines: tuple[_Line, ...]
    whole: asyncssh.SSHKnownHosts

    def keys(self, name: Name) -> tuple[KnownKey, ...]:
        """The lines that speak of this host, in the order of the files."""
        return tuple(key for line in self.lines for host, port in name.exact for key in line.keys(host, port))

    def revoked(self, name: Name) -> tuple[KnownKey, ...]:
        """The lines that revoke a key of this host, at this port or at all."""
        everywhere = Name(name.host, None, name.alias)
        return tuple(key for key in (*self.keys(name), *self.keys(everywhere)) if key.marker == REVOKED)

    def trusted(self, name: Name) -> tuple[Any, ...]:
        """What asyncssh takes as trusted and revoked keys and certificates.

        An address counts only where a host is reached by it: a name that leads elsewhere today must not find another host's key. A
        key that is revoked for the host is so at every port, while asyncssh forgets that as soon as one is known for a port.
        """
        host = (name.alias or name.host).lower()
        found = [self.whole.match(host, "", port) for port in dict.fromkeys((name.port, None))]
        revoked = {index: tuple(key for match in found for key in match[index]) for index in (2, 4, 6)}
        return tuple(revoked.get(index, part) for index, part in enumerate(found[0]))


def described(key: asyncssh.SSHKey) -> str:
    """A key by its type and its fingerprint, as `ssh-keygen -l` says it."""
    return f"{key.get_algorithm()} {key.get_fingerprint()}"


def read_known_hosts(files: Iterable[str]) -> KnownHosts:
    """The files that are there. Raises LinkError, with file and line, where one cannot be read or a line not be understood."""
    paths = [at_home(name) for name in files]
    there = [_lines(path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.exists()]
    lines = tuple(line for file in there for line, _ in file)
    return KnownHosts(tuple(map(str, paths)), lines, _whole(tuple(text for file in there for _, text in file)))


@lru_cache(maxsize=8)
def _whole(texts: tuple[str, ...]) -> asyncssh.SSHKnownHosts:
    return asyncssh.import_known_hosts("\n".join(texts))


@lru_cache(maxsize=32)
def _lines(path: Path, changed_ns: int, size_bytes: int) -> tuple[tuple[_Line, str], ...]:
    """Read once, until it changes: every host of a site looks here."""
    del changed_ns, size_bytes
    try:
        text = path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise LinkError(f"{path}: known_hosts cannot be read: {error.strerror}; wanted a readable file") from error
    return tuple(_understood(f"{path}:{number}", line) for number, line in enumerate(text.split("\n"), start=1) if _says_something(line))


def _says_something(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def _understood(place: str, line: str) -> tuple[_Line, str]:
    words = line.split()
    marker = words[0][1:] if words[0].startswith("@") else ""
    hosts = 1 if marker else 0
    if len(words) > hosts and not words[hosts].startswith("|"):
        words[hosts] = words[hosts].lower()
    text = " ".join(words)
    try:
        return _Line(place, marker, asyncssh.import_known_hosts(text)), text
    except ValueError as error:
        raise LinkError(f"{place}: this line of known_hosts is not understood: {error}; correct it or remove it") from error
