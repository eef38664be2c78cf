"""Requests to the host agent, for both links. Each request is one exec, with the agent's program and the request on stdin."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.agent.secrets import last
from tasks.core.agent.state import FORMAT
from tasks.core.connectors.agent_artefact import compressed
from tasks.core.connectors.ssh import Channel
from tasks.core.model.errors import BadAnswer, LinkError, Refused

# The agent runs from stdin and needs no file on the host: reading writes nothing. It is isolated (-I) because it runs as root: no folder of
# the login, such as its home, and no variable of its environment can choose the modules that it loads.
LOADER = (
    "python3 -I -c 'import sys,json,zlib;sys.version_info<(3,9) and sys.exit("
    '"Burrow needs Python 3.9 or newer on the host, found "+sys.version.split()[0]+"; upgrade its system");'
    "i=sys.stdin.buffer;n=int(i.readline());s=zlib.decompress(i.read(n)).decode();"
    'exec(compile(s,"burrow","exec"),{"__name__":"__main__","SOURCE":s,"REQUEST":json.loads(i.read())})\''
)


def payload(request: Mapping[str, Any]) -> bytes:
    """What LOADER reads: the length of the compressed program in bytes, that program, the request.

    Compression saves two thirds of the packets. On a path that loses packets, each loss costs a round trip or more.
    """
    agent = compressed(request["op"])
    return b"%d\n%b%b" % (len(agent), agent, json.dumps({"format": FORMAT, **request}).encode())


@dataclass(frozen=True)
class Owner:
    """The owner of a lease: the run, which is the lease's key, and the name that other operators see."""

    run: str
    holder: str
    ttl_s: float = 15.0


@dataclass(frozen=True)
class HostSession:
    """One connection to one host's agent."""

    channel: Channel
    sudo: bool = False

    def ask(self, request: Mapping[str, Any], deadline_s: float, on_event: Callable[[str], None] | None = None) -> Any:
        """The agent's answer, an object. Raises Refused with the host's reason, or LinkError if there is no answer or an unreadable one.

        `on_event` gets the name of each event ("armed") when the host sends it.
        """
        host = self.channel.host

        def on_line(line: bytes) -> None:
            event = parsed(line).get("event")
            if on_event and isinstance(event, str):
                on_event(event)

        code, out, err = self.channel.run(("sudo -n " if self.sudo else "") + LOADER, payload(request), deadline_s, on_line)
        said = parsed(out.splitlines()[-1]) if out.strip() else {}
        if isinstance(said.get("refused"), str):
            raise Refused(f"{host}: {said['refused']}")
        if "answer" not in said:
            raise LinkError(f"{host}: no answer (exit {code}): {first_contact(last((err or out).decode(errors='replace'), 600))}")
        if not isinstance(said["answer"], dict):
            raise BadAnswer(f"{host}: its answer cannot be understood: wanted an object, found {type(said['answer']).__name__}")
        return said["answer"]

    def read(self, facts: Mapping[str, str], owner: Owner | None = None, deadline_s: float = 30.0) -> Any:
        """{"facts": {name: {rc, out, err}}, "pending", "lease", "records", "boot"}; renews the lease if the owner has it."""
        return self.ask(
            {"op": "read", "facts": dict(facts), "run": owner.run if owner else None, "deadline_s": deadline_s * 0.9}, deadline_s
        )

    def prepare(self, owner: Owner, packages: tuple[str, ...] = (), deadline_s: float = 300.0) -> Any:
        """Take the lease, install the agent with its units, install packages."""
        return self.ask({"op": "prepare", **vars(owner), "packages": list(packages), "deadline_s": deadline_s * 0.9}, deadline_s)

    def begin(self, owner: Owner, transaction: Mapping[str, Any], deadline_s: float, on_event: Callable[[str], None] | None = None) -> Any:
        """Validate, back up, arm and apply a transaction; the answer is its outcome (see `outcome`)."""
        return self.ask({"op": "begin", **vars(owner), **transaction, "deadline_s": deadline_s * 0.9}, deadline_s, on_event)

    def outcome(self, token: str, deadline_s: float = 10.0) -> Any:
        """{"state", "reason", ...} of a transaction: armed, applying, applied, reverting, confirmed, reverted, given up or unknown."""
        return self.ask({"op": "outcome", "token": token}, deadline_s)

    def confirm(self, token: str, deadline_s: float = 10.0) -> Any:
        """Keep the transaction; the answer is its outcome. A repeated request is harmless."""
        return self.ask({"op": "confirm", "token": token}, deadline_s)

    def revert(self, token: str, reason: str, deadline_s: float = 60.0, owner: Owner | None = None) -> Any:
        """Restore what the transaction saved. A repeated request is harmless; the state is `reverting` until every file is restored.

        With its owner, a transaction whose request is still on its way will never begin.
        """
        identity = {"run": owner.run, "holder": owner.holder, "why": reason} if owner else {}
        return self.ask({"op": "revert", "token": token, "reason": reason, **identity}, deadline_s)

    def renew(self, owner: Owner, token: str, deadline_s: float = 10.0) -> Any:
        """Restart the timer of an applied transaction; the answer is its outcome."""
        return self.ask({"op": "renew", "token": token, "run": owner.run}, deadline_s)

    def start(self, owner: Owner, command: Mapping[str, Any], deadline_s: float = 30.0) -> Any:
        """The state of a command that was started, or that had been under this handle; see `poll`.

        `command` has its handle, id, token, why, argv, the line that messages show as `command`, and its own `deadline_s`.
        """
        return self.ask({"op": "start", **vars(owner), **command}, deadline_s)

    def poll(self, owner: Owner, handle: str, wait_s: float) -> Any:
        """{"state": absent, running, ended or lost, "rc", "out", "err"} of a command, once it has ended or `wait_s` have passed."""
        return self.ask({"op": "poll", "run": owner.run, "handle": handle, "wait_s": wait_s}, wait_s + 15)

    def finish(self, owner: Owner, token: str, why: str, outcome: str, reason: str, deadline_s: float = 15.0) -> None:
        """Record how a procedure ended, and forget its commands. A repeated request is harmless."""
        words = {"token": token, "why": why, "outcome": outcome, "reason": reason}
        self.ask({"op": "finish", "run": owner.run, "holder": owner.holder, **words}, deadline_s)

    def reboot(self, owner: Owner, deadline_s: float = 10.0) -> None:
        """Reboot the host in a second."""
        self.ask({"op": "reboot", **vars(owner)}, deadline_s)

    def release(self, owner: Owner, deadline_s: float = 10.0) -> None:
        """Release the lease."""
        self.ask({"op": "release", "run": owner.run}, deadline_s)


def parsed(line: bytes) -> dict[str, Any]:
    """The JSON object in a line of output; empty if the line is not one, such as a line of the login shell."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def first_contact(stderr: str) -> str:
    """Why a host cannot run the agent, with the remedy."""
    if "sudo" in stderr and ("password" in stderr or "not allowed" in stderr):
        return f"sudo asks for a password; allow this user to run python3 with NOPASSWD, or connect as root. Its message: {stderr.strip()}"
    if "not found" in stderr:
        return f"python3 (or sudo) is missing; install it with apt-get install python3. Its message: {stderr.strip()}"
    return stderr.strip() or "no output"


class SshConnection:
    """The nornir connection plugin `burrow_ssh`: `connection` is a HostSession."""

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,  # noqa: ARG002 (nornir's signature; only keys and agents are used)
        port: int | None,
        platform: str | None,  # noqa: ARG002
        extras: dict[str, Any] | None = None,
        configuration: Any = None,  # noqa: ARG002
    ) -> None:
        """Connect. `extras` may hold `ssh_config` (path) and `sudo` (bool)."""
        extras = extras or {}
        channel = Channel.open(hostname or "", port=port, username=username, ssh_config=extras.get("ssh_config"))
        self.connection = HostSession(channel, sudo=bool(extras.get("sudo")))

    def close(self) -> None:
        """Close the connection."""
        self.connection.channel.close()
