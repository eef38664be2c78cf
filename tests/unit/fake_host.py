"""Hosts in memory: they answer the host agent's requests, on a clock that advances only while code waits."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fake_device import FakeDevice, OwnDevice, odd
from napalm.base.exceptions import ConnectionException

from tasks.core.connectors.agent_session import HostSession
from tasks.core.model.errors import LinkError, Refused
from tasks.core.model.fact import STATUS_COMMAND
from tasks.platforms.ifupdown2.files import INTERFACES

FRESH = "auto eth0\niface eth0 inet static\n\taddress 172.16.0.11/16\n\n# somebody else's\niface swp1 inet manual\n"


class Clock:
    """Monotonic seconds that pass only in `sleep`."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, wait_s: float) -> None:
        self.now_s += wait_s


class Stop(threading.Event):
    """A run's Ctrl-C event: a wait with a limit lets that time pass on the clock."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            return super().wait()
        if not self.is_set():
            self.clock.sleep(timeout)
        return self.is_set()


@dataclass
class FakeHost:
    """One host's files, lease and pending transaction. `happens["after begin"]` is called once at that point, with the host."""

    name: str
    clock: Clock
    journal: list[tuple[str, str]]
    files: dict[str, str] = field(default_factory=lambda: {INTERFACES: FRESH})
    answers: dict[str, Callable[["FakeHost"], str]] = field(default_factory=dict)
    happens: dict[str, Callable[["FakeHost"], None]] = field(default_factory=dict)
    reachable: bool = True
    reload_fails: bool = False
    opened: int = 0
    boots: int = 1
    timers: list[int] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)  # the time limit of each `begin`
    tries: int = 0
    lease: dict[str, Any] | None = None
    pending: dict[str, Any] | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    performed: list[str] = field(default_factory=list)
    commands: dict[str, dict[str, Any]] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)  # how many seconds a command takes
    fails: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)
    odd: dict[str, Callable[[Any], Any]] = field(default_factory=dict)  # distorts an answer on its way; bytes are sent as they are
    deferred: list[dict[str, Any]] = field(default_factory=list)
    stuck: str = ""  # why the host cannot restore anything now
    kept: dict[str, list[str]] = field(default_factory=lambda: {"troubles": [], "deferred": []})

    def lapse(self) -> None:
        """Act as the host's own timer."""
        if self.pending and self.clock() >= self.pending["until"]:
            self._restore("by its timer, because it was not confirmed")
        if self.lease and self.clock() >= self.lease["until"]:
            self.lease = None

    def connect(self) -> None:
        self.tries += 1
        if not self.reachable:
            raise LinkError(f"{self.name}: no SSH connection: no route to host")
        self.opened += 1

    def ask(self, request: dict[str, Any], emit: Callable[..., None]) -> None:
        """One request, answered as the host agent does."""
        self.lapse()
        if not self.reachable:
            raise LinkError(f"{self.name}: the connection broke")
        self.journal.append((self.name, request["op"]))
        self._happen(f"before {request['op']}")
        try:
            answer = getattr(self, f"_{request['op']}")(request, emit)
        except Refused as refusal:
            emit(refused=str(refusal))
        else:
            self._happen(f"after {request['op']}")
            emit(answer=self.odd.get(request["op"], lambda one: one)(answer))

    def _happen(self, moment: str) -> None:
        self.happens.pop(moment, lambda _: None)(self)

    def _status(self) -> dict[str, Any]:
        pending = self.pending and {**self.pending, "revert_in_s": self.pending["until"] - self.clock()}
        return {
            "pending": pending,
            "lease": self.lease,
            "records": self.records,
            "deferred": self.deferred,
            "boot": str(self.boots),
            "commands": list(self.commands.values()),
        }

    def _read(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        return {
            "facts": {name: {"rc": 0, "out": self._output(command), "err": ""} for name, command in request["facts"].items()}
        } | self._status()

    def _output(self, command: str) -> str:
        if command == STATUS_COMMAND:
            return json.dumps(self._status())
        if command in self.answers:
            return self.answers[command](self)
        words = command.split()
        return self.files.get(words[1], "") if words[0] == "cat" else ""

    def _prepare(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        if self.lease and self.lease["run"] != request["run"]:
            raise Refused(f"{self.lease['holder']} has been changing this host since {self.lease['since']}")
        self.lease = {"run": request["run"], "holder": request["holder"], "since": "21:00", "until": self.clock() + request["ttl_s"]}
        return self._status()

    def _begin(self, request: dict[str, Any], emit: Callable[..., None]) -> dict[str, Any]:
        self._prepare(request, emit)
        if self.pending:
            raise Refused("a transaction is already open")
        for file in request["files"]:
            if self.files.get(file["path"]) != file["before"]:
                raise Refused(f"{file['path']} was changed since it was read")
        self.timers.append(request["revert_s"])
        self.pending = {**request, "until": self.clock() + request["revert_s"], "saved": dict(self.files)}
        emit(event="armed")
        self.files |= {file["path"]: file["text"] for file in request["files"]}
        if self.reload_fails:
            self._restore("`ifreload -a` ended with 1: eth0: no such device")
        return self._outcome(request, emit)

    def _outcome(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        if self.pending and self.pending["token"] == request["token"]:
            state = self.pending.get("state", "applied")
            kept = {key: self.pending[key] for key in ("reason", "troubles") if key in self.pending}
            return {"reason": "", **kept, "state": state, "revert_in_s": self.pending["until"] - self.clock()}
        known = [record for record in self.records if record["token"] == request["token"]]
        if not known:
            return {"state": "unknown", "reason": "no such token"}
        return {"state": known[-1]["outcome"], "reason": known[-1]["reason"], **self.kept}

    def _confirm(self, request: dict[str, Any], emit: Any) -> dict[str, Any]:
        if self.pending and self.pending["token"] == request["token"]:
            if self.pending.get("state", "applied") != "applied":
                raise Refused("the transaction is not applied, so there is nothing to confirm")
            self._close("confirmed", "")
        return self._outcome(request, emit)

    def _revert(self, request: dict[str, Any], emit: Any) -> dict[str, Any]:
        if self.pending and self.pending["token"] == request["token"]:
            self._restore(request["reason"])
        return self._outcome(request, emit)

    def _renew(self, request: dict[str, Any], emit: Any) -> dict[str, Any]:
        if self.pending and self.pending["token"] == request["token"]:
            self.pending["until"] = self.clock() + self.pending["revert_s"]
        return self._outcome(request, emit)

    def _reboot(self, *_: Any) -> dict[str, Any]:
        self.boots += 1
        return {}

    def _start(self, request: dict[str, Any], emit: Any) -> dict[str, Any]:
        self._prepare(request, emit)
        command, handle = " ".join(request["argv"]), request["handle"]
        if handle not in self.commands:
            self.performed.append(command)
            err = self.fails.get(command, self.remarks.get(command, ""))
            ended = {"state": "ended", "rc": int(command in self.fails), "out": "", "err": err}
            self.commands[handle] = {**request, **ended, "at": "21:00", "polls": self.slow.get(command, 0)}
        return self._poll(request, emit)

    def _poll(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        if request["handle"] not in self.commands:
            return {"state": "absent"}
        one = self.commands[request["handle"]]
        self.clock.sleep(min(request.get("wait_s", 0), one["polls"]))
        one["polls"] -= min(request.get("wait_s", 0), one["polls"])
        running = {"state": "running", "out": "half\n", "err": ""}
        return running if one["polls"] else {key: one[key] for key in ("state", "rc", "out", "err")}

    def _finish(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        self.records.append({key: request[key] for key in ("token", "holder", "why", "outcome", "reason")} | {"at": "21:01"})
        self.commands = {handle: one for handle, one in self.commands.items() if one["token"] != request["token"]}
        return {}

    def _restore(self, reason: str) -> None:
        assert self.pending is not None
        if self.stuck:
            self.pending |= {"state": "reverting", "reason": reason, "troubles": [self.stuck]}
            return
        self.files = self.pending["saved"]
        self._close("reverted", reason)

    def _close(self, outcome: str, reason: str) -> None:
        assert self.pending is not None
        kept = {key: self.pending[key] for key in ("token", "holder", "why")}
        self.records.append({**kept, "outcome": outcome, "reason": reason, "at": "21:01"})
        self.pending = None

    def _release(self, request: dict[str, Any], _: Any) -> dict[str, Any]:
        if self.lease and self.lease["run"] == request["run"]:
            self.lease = None
        return {}


def line(event: dict[str, Any]) -> bytes:
    """An event or an answer as one line; bytes are sent unchanged."""
    raw = event.get("answer")
    return raw if isinstance(raw, bytes) else json.dumps(event).encode() + b"\n"


@dataclass
class FakeChannel:
    """Stands for an SSH exec channel: the same bytes in and out."""

    fake: FakeHost

    @property
    def host(self) -> str:
        return self.fake.name

    def run(self, _: str, stdin: bytes, limit_s: float, on_line: Callable[[bytes], None]) -> tuple[int, bytes, bytes]:
        length, _, rest = stdin.partition(b"\n")
        if json.loads(rest[int(length) :])["op"] == "begin":
            self.fake.limits.append(limit_s)
        lines: list[bytes] = []

        def emit(**event: Any) -> None:
            lines.append(line(event))
            on_line(lines[-1])

        self.fake.ask(json.loads(rest[int(length) :]), emit)
        return 0, b"".join(lines), b""


def plugins(hosts: dict[str, FakeHost]) -> dict[str, type]:
    """Nornir connection plugins, by name, that connect to these hosts; nornir opens them again after each close."""

    class Ssh:
        def open(self, hostname: str, **_: Any) -> None:
            hosts[hostname].connect()
            self.connection = HostSession(FakeChannel(hosts[hostname]))  # type: ignore[arg-type]

        def close(self) -> None:
            """Nothing to release."""

    class Napalm(Ssh):
        def open(self, hostname: str, platform: str, extras: dict[str, Any], **_: Any) -> None:
            try:
                hosts[hostname].connect()
            except LinkError as error:
                raise ConnectionException(str(error)) from error
            driver = OwnDevice if platform == "ifupdown2" else FakeDevice
            self.connection = driver(HostSession(FakeChannel(hosts[hostname])), extras["optional_args"])  # type: ignore[arg-type]
            for method in ("cli", "get_config", "compare_config", "commit_config", "has_pending_commit", "confirm_commit", "rollback"):
                setattr(self.connection, method, odd(hosts[hostname], method, getattr(self.connection, method)))

    return {"burrow_ssh": Ssh, "napalm": Napalm}
