"""What both links ask of the host agent: each request is one exec, the agent's own program and the request on stdin."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.agent.state import FORMAT
from tasks.core.connectors.agent_artefact import compressed
from tasks.core.connectors.ssh import Channel
from tasks.core.model.errors import BadAnswer, LinkError, Refused

# The agent runs from stdin and needs no file on the host: reading writes nothing. Isolated (-I), because it is root: no folder of the
# login, such as its home, and no variable of its environment decides which modules are loaded.
LOADER = (
    "python3 -I -c 'import sys,json,zlib;sys.version_info<(3,9) and sys.exit("
    '"Burrow needs Python 3.9 or newer on the host, found "+sys.version.split()[0]+"; upgrade its system");'
    "i=sys.stdin.buffer;n=int(i.readline());s=zlib.decompress(i.read(n)).decode();"
    'exec(compile(s,"burrow","exec"),{"__name__":"__main__","SOURCE":s,"REQUEST":json.loads(i.read())})\''
)


def payload(request: Mapping[str, Any]) -> bytes:
    """What LOADER reads: the length of the compressed program in bytes, that program, the request.

    A third of the packets matter on a path that loses some: each loss costs a round trip and more.
    """
    agent = compressed(request["op"])
    return b"%d\n%b%b" % (len(agent), agent, json.dumps({"format": FORMAT, **request}).encode())


@dataclass(frozen=True)
class Owner:
    """Whose run it is: the lease's key and the name that others are shown."""

    run: str
    holder: str
    ttl_s: float = 15.0


@dataclass(frozen=True)
class HostSession:
    """One connection to one host's agent."""

    channel: Channel
    sudo: bool = False

    def ask(self, request: Mapping[str, Any], deadline_s: float, on_event: Callable[[str], None] | None = None) -> Any:
        """The agent's answer, an object. Raises Refused with the host's reason, LinkError where no answer came, or none that can be read.

        `on_event` gets each event's name as the host says it ("armed").
        """
        host = self.channel.host

        def on_line(line: bytes) -> None:
            event = spoken(line).get("event")
            if on_event and isinstance(event, str):
                on_event(event)

        code, out, err = self.channel.run(("sudo -n " if self.sudo else "") + LOADER, payload(request), deadline_s, on_line)
        said = spoken(out.splitlines()[-1]) if out.strip() else {}
        if isinstance(said.get("refused"), str):
            raise Refused(f"{host}: {said['refused']}")
        if "answer" not in said:
            raise LinkError(f"{host}: no answer (exit {code}): {first_contact((err or out).decode(errors='replace')[-600:])}")
        if not isinstance(said["answer"], dict):
            raise BadAnswer(f"{host}: it answered what cannot be understood: wanted an object, found {type(said['answer']).__name__}")
        return said["answer"]

    def read(self, facts: Mapping[str, str], owner: Owner | None = None, deadline_s: float = 30.0) -> Any:
        """{"facts": {name: {rc, out, err}}, "pending", "lease", "records", "boot"}; renews the owner's lease where it holds it."""
        return self.ask(
            {"op": "read", "facts": dict(facts), "run": owner.run if owner else None, "deadline_s": deadline_s * 0.9}, deadline_s
        )

    def prepare(self, owner: Owner, packages: tuple[str, ...] = (), deadline_s: float = 300.0) -> Any:
        """Take the lease, put the agent with its units on the host, install packages."""
        return self.ask({"op": "prepare", **vars(owner), "packages": list(packages), "deadline_s": deadline_s * 0.9}, deadline_s)

    def begin(self, owner: Owner, transaction: Mapping[str, Any], deadline_s: float, on_event: Callable[[str], None] | None = None) -> Any:
        """Validate, back up, arm and apply; the answer says what the host holds then (see `outcome`)."""
        return self.ask({"op": "begin", **vars(owner), **transaction, "deadline_s": deadline_s * 0.9}, deadline_s, on_event)

    def outcome(self, token: str, deadline_s: float = 10.0) -> Any:
        """{"state", "reason", ...} as the host holds it: armed, applying, applied, reverting, confirmed, reverted, given up or unknown."""
        return self.ask({"op": "outcome", "token": token}, deadline_s)

    def confirm(self, token: str, deadline_s: float = 10.0) -> Any:
        """Keep the transaction. Asking again is harmless: the answer is the outcome either way."""
        return self.ask({"op": "confirm", "token": token}, deadline_s)

    def revert(self, token: str, reason: str, deadline_s: float = 60.0, owner: Owner | None = None) -> Any:
        """Restore what the transaction saved. Asking again is harmless; it is `reverting` until every file is back.

        With its owner it is also kept from beginning later, where its request is still on the way.
        """
        whose = {"run": owner.run, "holder": owner.holder, "why": reason} if owner else {}
        return self.ask({"op": "revert", "token": token, "reason": reason, **whose}, deadline_s)

    def renew(self, owner: Owner, token: str, deadline_s: float = 10.0) -> Any:
        """The timer of an applied transaction begins anew; the outcome either way."""
        return self.ask({"op": "renew", "token": token, "run": owner.run}, deadline_s)

    def perform(self, owner: Owner, argv: tuple[str, ...], deadline_s: float) -> Any:
        """{"rc", "out", "err"} of a command that goes on where this connection breaks."""
        return self.ask({"op": "perform", **vars(owner), "argv": list(argv), "deadline_s": deadline_s}, deadline_s + 10)

    def reboot(self, owner: Owner, deadline_s: float = 10.0) -> None:
        """Boot the host a second from now."""
        self.ask({"op": "reboot", **vars(owner)}, deadline_s)

    def release(self, owner: Owner, deadline_s: float = 10.0) -> None:
        """Give the lease back."""
        self.ask({"op": "release", "run": owner.run}, deadline_s)


def spoken(line: bytes) -> dict[str, Any]:
    """What the agent says in a line; nothing where the line is a login shell's own."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def first_contact(stderr: str) -> str:
    """What a host that cannot run the agent is missing, with the remedy."""
    if "sudo" in stderr and ("password" in stderr or "not allowed" in stderr):
        return f"sudo asks for a password; allow this user to run python3 with NOPASSWD, or connect as root. It said: {stderr.strip()}"
    if "not found" in stderr:
        return f"python3 (or sudo) is missing; install it with apt-get install python3. It said: {stderr.strip()}"
    return stderr.strip() or "it said nothing"


class SshConnection:
    """The nornir connection plugin `burrow_ssh`: `connection` is a HostSession."""

    def open(
        self,
        hostname: str | None,
        username: str | None,
        password: str | None,  # noqa: ARG002 (nornir's signature; keys and agents only)
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
