"""The driver's connection and its configuration methods; what each means is said by NAPALM's base class."""

import difflib
import getpass
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napalm.base import models
from napalm.base.base import NetworkDriver
from napalm.base.exceptions import (
    CommitError,
    ConnectionClosedException,
    ConnectionException,
    LockError,
    MergeConfigException,
    ReplaceConfigException,
)

from napalm_ifupdown2.candidates import problems_of
from napalm_ifupdown2.getters import Getters
from tasks.core.candidate import PATHS, join, split
from tasks.core.errors import LinkError, Refused
from tasks.core.facts import STATUS_COMMAND
from tasks.core.interfaces_file import merge
from tasks.core.session import HostSession, Owner
from tasks.core.ssh import Channel
from tasks.core.transaction import INTERFACES, interfaces_transaction

# A commit without `revert_in` is still armed while it is applied, and confirmed by the same session.
UNATTENDED_REVERT_S = 60


class Ifupdown2Driver(Getters, NetworkDriver):
    """NAPALM for hosts with ifupdown2.

    optional_args: `port`, `ssh_config_file`, `sudo` (bool), `token` (the one that may confirm: give a later connection the same),
    `run` and `holder` (whose lease it is; by default this process's).
    """

    def __init__(self, hostname: str, username: str, password: str, timeout: int = 60, optional_args: dict[str, Any] | None = None) -> None:
        arguments = optional_args or {}
        self.hostname, self.username, self.password, self.timeout = hostname, username, password, timeout
        self.token: str | None = arguments.get("token")
        holder = arguments.get("holder") or f"{getpass.getuser()}@{socket.gethostname()} (NAPALM)"
        self._owner = Owner(arguments.get("run") or secrets.token_hex(8), holder)
        self._arguments = arguments
        self._session: HostSession | None = None
        self._before: dict[str, str] = {}
        self._candidate: dict[str, str] | None = None
        self._committed: dict[str, str] | None = None

    def open(self) -> None:
        """Connect, host key checked. Raises ConnectionException with the reason."""
        try:
            channel = Channel.open(
                self.hostname,
                port=self._arguments.get("port"),
                username=self.username or None,
                ssh_config=self._arguments.get("ssh_config_file"),
            )
        except LinkError as error:
            raise ConnectionException(str(error)) from error
        self._session = HostSession(channel, sudo=bool(self._arguments.get("sudo")))

    def close(self) -> None:
        """Give back a lease that guards nothing any more, and close."""
        session, self._session = self._session, None
        if session is not None:
            session.channel.close()

    def is_alive(self) -> models.AliveDict:
        """Whether the connection stands."""
        return {"is_alive": self._session is not None and self._session.channel.alive()}

    @property
    def session(self) -> HostSession:
        """The open session. Raises ConnectionClosedException before `open`."""
        if self._session is None:
            raise ConnectionClosedException(f"{self.hostname}: not connected; call open() first")
        return self._session

    @contextmanager
    def _speaking(self, refusal: type[Exception] = CommitError) -> Iterator[HostSession]:
        try:
            yield self.session
        except Refused as error:
            raise refusal(str(error)) from error
        except LinkError as error:
            raise ConnectionException(str(error)) from error

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, str | dict[str, Any]]:
        """{command: its output}, all of them in one round trip. A command that fails is answered with its error, as a console would."""
        del encoding
        return {command: answer["out"] + (answer["err"] if answer["rc"] else "") for command, answer in self._read(commands).items()}

    def _read(self, commands: list[str]) -> dict[str, Any]:
        with self._speaking() as session:
            answers: dict[str, Any] = session.read({command: command for command in commands}, self._owner, self.timeout)["facts"]
        return answers

    def _running(self) -> dict[str, str]:
        answers = self._read([f"cat {path}" for path in PATHS])
        return {path: answers[f"cat {path}"]["out"] for path in PATHS if path == INTERFACES or not answers[f"cat {path}"]["rc"]}

    def get_config(self, retrieve: str = "all", full: bool = False, sanitized: bool = False, format: str = "text") -> models.ConfigDict:  # noqa: A002
        """The configuration as one candidate text: running and startup are the same files."""
        del full, sanitized, format
        running = join(self._running()) if retrieve in ("all", "running", "startup") else ""
        return {
            "running": running if retrieve in ("all", "running") else "",
            "startup": running if retrieve in ("all", "startup") else "",
            "candidate": join(self._candidate) if self._candidate and retrieve in ("all", "candidate") else "",
        }

    def load_merge_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Set the candidate's attributes, leave all else; `no ATTRIBUTE` and `no iface NAME` take away."""
        self._load(filename, config, MergeConfigException, replace=False)

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """The candidate is the whole new file."""
        self._load(filename, config, ReplaceConfigException, replace=True)

    def _load(self, filename: str | None, config: str | None, refusal: type[Exception], *, replace: bool) -> None:
        try:
            wanted = split(Path(filename).read_text() if filename else config or "")
        except (ValueError, OSError) as error:
            raise refusal(f"{self.hostname}: the candidate cannot be read: {error}") from error
        self._before = self._running()
        for path in PATHS[1:]:
            if path in wanted and wanted[path] != self._before.get(path):
                raise refusal(f"{self.hostname}: {path} in a candidate is not carried yet: leave it as it is on the host ({path} differs)")
        before = self._before[INTERFACES]
        after = wanted[INTERFACES] if replace else merge(self._candidate[INTERFACES] if self._candidate else before, wanted[INTERFACES])
        ports = self._read(["ls /sys/class/net"])["ls /sys/class/net"]["out"].split()
        problems = problems_of(after, frozenset(ports), before)
        if problems:
            raise refusal(f"{self.hostname}: the candidate is refused: {'; '.join(problems)}")
        self._candidate = {**self._before, INTERFACES: after}

    def compare_config(self) -> str:
        """A unified diff from the files as they are now to the candidate, empty where nothing differs or nothing is loaded."""
        if self._candidate is None:
            return ""
        running = self._running()
        chunks: list[str] = []
        for path, text in self._candidate.items():
            old, new = running.get(path, "").splitlines(keepends=True), text.splitlines(keepends=True)
            chunks += difflib.unified_diff(old, new, path, f"{path} (candidate)")
        return "".join(chunks)

    def commit_config(self, message: str = "", revert_in: int | None = None) -> None:
        """Arm, apply and, without `revert_in`, confirm. Raises CommitError with the host's reason; the host is then as it was."""
        if self._candidate is None or self._candidate == self._before:
            self.discard_config()
            return
        self.token = self.token or secrets.token_hex(8)
        transaction = interfaces_transaction(message or "NAPALM commit", self._before[INTERFACES], self._candidate[INTERFACES], self.token)
        self.lock()
        with self._speaking() as session:
            kept = session.begin(self._owner, transaction.request(revert_in or UNATTENDED_REVERT_S), self.timeout)
            if kept["state"] == "applied" and revert_in is None:
                kept = session.confirm(self.token)
        if kept["state"] not in ("applied", "confirmed"):
            raise CommitError(f"{self.hostname}: not committed, it {kept['state']}: {kept['reason']}")
        self._committed, self._candidate = self._before, None
        if revert_in is None:
            self._finish()

    def has_pending_commit(self) -> bool:
        """Whether a commit waits for its confirmation on this host, this session's or another's."""
        return self._pending() is not None

    def _pending(self) -> dict[str, Any] | None:
        with self._speaking() as session:
            pending: dict[str, Any] | None = session.read({}, self._owner, self.timeout)["pending"]
        return pending

    def confirm_commit(self) -> None:
        """Keep the pending commit. Raises CommitError when it is not ours, or was reverted meanwhile."""
        if self.token is None:
            raise CommitError(f"{self.hostname}: this session knows no token; give the one of the commit in optional_args")
        with self._speaking() as session:
            kept = session.confirm(self.token)
        if kept["state"] != "confirmed":
            raise CommitError(f"{self.hostname}: not confirmed, it is {kept['state']}: {kept['reason']}")
        self._finish()

    def discard_config(self) -> None:
        """Forget the candidate."""
        self._candidate = None

    def rollback(self) -> None:
        """Undo the pending commit, or else what this session committed last."""
        if self.token is not None:
            with self._speaking() as session:
                kept = session.revert(self.token, "rolled back")
            if kept["state"] == "reverted":
                self._committed = None
                self._finish()
                return
        if self._committed is not None:
            before, self._committed, self.token = self._committed, None, None
            self.load_replace_candidate(config=join(before))
            self.commit_config(message="NAPALM rollback")
            self._committed = None

    def outcome(self) -> dict[str, Any]:
        """What the host holds of this token's commit; beyond NAPALM's base class, for whoever lost an answer."""
        with self._speaking() as session:
            kept: dict[str, Any] = session.outcome(self.token or "")
        return kept

    def lock(self) -> None:
        """Take the host's lease; beyond NAPALM's base class, for whoever locks several hosts first.

        Raises LockError with the holder's name where another has it.
        """
        with self._speaking(LockError) as session:
            session.prepare(self._owner)

    def release(self) -> None:
        """Give the lease back; beyond NAPALM's base class, for whoever holds it over several sessions."""
        with self._speaking() as session:
            session.release(self._owner)

    def _finish(self) -> None:
        """The lease goes back with a commit that stands or is undone, unless a run holds it."""
        if "run" not in self._arguments:
            self.release()
        if "token" not in self._arguments:
            self.token = None

    def status(self) -> str:
        """The host's part's own word: pending transaction, lease, record (JSON text)."""
        return str(self.cli([STATUS_COMMAND])[STATUS_COMMAND])
