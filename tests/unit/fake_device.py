"""Devices in memory behind NAPALM's driver interface."""

from collections.abc import Callable
from typing import Any

from napalm.base.exceptions import CommitError, ConnectionException, LockError, MergeConfigException

from tasks.core.connectors.agent_session import HostSession, Owner
from tasks.core.model.errors import LinkError, Refused
from tasks.platforms.configuration import network_transaction
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.ifupdown2.merge import merge


class FakeDevice:
    """A vendor's NAPALM driver: a candidate and a commit with a timer, without a lease or a record."""

    def __init__(self, session: HostSession, arguments: dict[str, Any]) -> None:
        self.session, self.token = session, arguments.get("token", "none")
        self.owner = Owner(arguments.get("run", "none"), arguments.get("holder", "nobody"))
        self.timeout = 60.0
        self.candidate = self.running = ""
        self.messages: list[str] = []

    def cli(self, commands: list[str]) -> dict[str, str]:
        return {
            name: answer["out"]
            for name, answer in self.asked("read", {command: command for command in commands}, self.owner)["facts"].items()
        }

    def get_facts(self) -> dict[str, str]:
        return {"hostname": self.session.channel.host}

    def get_config(self, retrieve: str) -> dict[str, str]:
        return {retrieve: self.cli([f"cat {INTERFACES}"])[f"cat {INTERFACES}"]}

    def load_merge_candidate(self, filename: None, config: str) -> None:
        assert filename is None
        if "nonsense" in config:
            raise MergeConfigException("the candidate is refused: ifupdown2 has no attribute `nonsense`")
        self.running = self.get_config("running")["running"]
        self.candidate = merge(self.running, config)

    def compare_config(self) -> str:
        return "" if self.candidate == self.running else "differs"

    def discard_config(self) -> None:
        self.candidate = ""

    def commit_config(self, message: str = "", *, revert_in: int) -> None:
        transaction = network_transaction(message, {INTERFACES: self.running}, {INTERFACES: self.candidate}, self.token)
        kept = self.asked("begin", self.owner, transaction.request(revert_in), self.timeout)
        if kept["state"] != "applied":
            raise CommitError(f"not committed: {kept['reason']}")

    def has_pending_commit(self) -> bool:
        return self.asked("read", {})["pending"] is not None

    def confirm_commit(self) -> None:
        self.asked("confirm", self.token)

    def rollback(self) -> None:
        self.asked("revert", self.token, "rolled back")

    def asked(self, verb: str, *arguments: Any) -> Any:
        try:
            return getattr(self.session, verb)(*arguments)
        except LinkError as error:
            raise ConnectionException(str(error)) from error
        except Refused as error:
            raise LockError(str(error)) from error


class OwnDevice(FakeDevice):
    """A driver like the suite's own: its `host_agent` can lock, and knows the outcome of a commit."""

    @property
    def host_agent(self) -> "FakeAgent":
        return FakeAgent(self)


class FakeAgent:
    """The host agent behind that driver."""

    def __init__(self, device: FakeDevice) -> None:
        self.device = device

    def lock(self) -> None:
        self.device.asked("prepare", self.device.owner)

    def outcome(self, token: str) -> Any:
        return self.device.asked("outcome", token)

    def release(self) -> None:
        self.device.asked("release", self.device.owner)


def odd(host: Any, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """The driver's method with a distortion of its answer."""
    return lambda *arguments, **named: host.odd.get(f"device {name}", lambda one: one)(method(*arguments, **named))
