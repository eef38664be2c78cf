"""The driver's connection: one SSH session, each request one exec on it."""

import getpass
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napalm.base import models
from napalm.base.base import NetworkDriver
from napalm.base.exceptions import CommandErrorException, CommitError, ConnectionClosedException, ConnectionException

from inventory.at_home import at_home
from napalm_ifupdown2.agent import Agent
from tasks.core.agent.secrets import last
from tasks.core.connectors.agent_session import HostSession, Owner
from tasks.core.connectors.ssh import Channel
from tasks.core.model.errors import LinkError, Refused

USERS_CONFIG = Path("~/.ssh/config")


class Connection(NetworkDriver):
    """Opens and closes the connection, reads, and has the host's lease.

    It logs in with keys and agents only, never with a password.

    optional_args: `port`, `ssh_config_file`, `sudo` (bool), `token` (of the transaction to confirm: give a later connection the same),
    `run` and `holder` (the owner of the lease; by default this object, which then releases the lease as soon as nothing needs it), and
    `attributes` (names that a candidate may use in addition to those of ifupdown2's own addons).
    """

    platform = "ifupdown2"

    def __init__(self, hostname: str, username: str, password: str, timeout: int = 60, optional_args: dict[str, Any] | None = None) -> None:
        arguments = optional_args or {}
        self.hostname, self.username, self.password, self.timeout = hostname, username, password, timeout
        holder = arguments.get("holder") or f"{getpass.getuser()}@{socket.gethostname()} (NAPALM)"
        self.host_agent = Agent(Owner(arguments.get("run") or secrets.token_hex(8), holder), self._agent_errors)
        self._arguments = arguments
        self._session: HostSession | None = None

    def open(self) -> None:
        """Connect, and check the host key. Raises ConnectionException with the reason."""
        try:
            channel = Channel.open(
                self.hostname,
                port=self._arguments.get("port"),
                username=self.username or None,
                ssh_config=self._ssh_config(),
            )
        except LinkError as error:
            raise ConnectionException(str(error)) from error
        self._session = HostSession(channel, sudo=bool(self._arguments.get("sudo")))

    def _ssh_config(self) -> str | None:
        """The named file. nornir-napalm names the user's own file even if it does not exist."""
        path = at_home(self._arguments.get("ssh_config_file") or USERS_CONFIG)
        return None if path == USERS_CONFIG.expanduser() and not path.exists() else str(path)

    def close(self) -> None:
        """Release this object's own lease, and close. A pending transaction stays pending: the host's timer decides."""
        session = self._session
        try:
            if session is not None and self.host_agent.locked and not self._of_a_run and session.channel.alive():
                self.host_agent.release()
        finally:
            self._session = None
            if session is not None:
                session.channel.close()

    def is_alive(self) -> models.AliveDict:
        """Whether the connection is open."""
        return {"is_alive": self._session is not None and self._session.channel.alive()}

    def _connected(self) -> HostSession:
        """The open session. Raises ConnectionClosedException before `open`. A property would raise it also when the members are listed."""
        if self._session is None:
            raise ConnectionClosedException(f"{self.hostname}: not connected; call open() first")
        return self._session

    @property
    def _of_a_run(self) -> bool:
        """Whether the lease belongs to a run, which keeps it over several connections."""
        return "run" in self._arguments

    @contextmanager
    def _agent_errors(self, refusal: type[Exception] = CommitError) -> Iterator[HostSession]:
        """Turn exceptions of the host agent's session into NAPALM's."""
        try:
            yield self._connected()
        except Refused as error:
            raise refusal(str(error)) from error
        except LinkError as error:
            raise ConnectionException(str(error)) from error

    def cli(self, commands: list[str], encoding: str = "text") -> dict[str, str | dict[str, Any]]:
        """{command: its output}, in one round trip. The answer to a command that fails has its error, as on a console."""
        if not isinstance(commands, list):
            raise TypeError(f"commands: wanted a list of shell commands, found {commands!r}")
        if encoding != "text":
            raise NotImplementedError(f"encoding: wanted text, found {encoding}; ask a command for JSON by its own flag, as `ip -j`")
        return {command: answer["out"] + (answer["err"] if answer["rc"] else "") for command, answer in self._read(commands).items()}

    def _ask(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:
        """The host agent's whole answer to a read: `facts`, `pending`, `lease`, `records`."""
        with self._agent_errors() as session:
            answer: dict[str, Any] = session.read(
                {command: command for command in commands},
                self.host_agent.owner if self.host_agent.locked or self._of_a_run else None,
                deadline_s or self.timeout,
            )
        return answer

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:
        """{command: {rc, out, err}} in one exec."""
        answers: dict[str, Any] = self._ask(commands, deadline_s)["facts"]
        return answers

    def _outputs(self, *commands: str, deadline_s: float | None = None) -> list[str]:
        """The output of each command, in one exec. Raises CommandErrorException for the first that fails."""
        answers = self._read(list(commands), deadline_s)
        return self._successful({command: answers[command] for command in commands})

    def _successful(self, answers: dict[str, Any]) -> list[str]:
        """The outputs of commands, in order. Raises CommandErrorException for the first that failed."""
        for command, answer in answers.items():
            if answer["rc"]:
                output = last((answer["err"] or answer["out"]).strip(), 300)
                raise CommandErrorException(f"{self.hostname}: `{command}` ended with {answer['rc']}: {output}")
        return [answer["out"] for answer in answers.values()]
