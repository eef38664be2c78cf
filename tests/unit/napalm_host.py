"""A host in memory behind the NAPALM driver."""

import json
from typing import Any

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.core.connectors.agent_session import HostSession
from tasks.core.model.errors import Deadline
from tasks.platforms.frr.running import READ_LAYOUT, READ_RUNNING
from tasks.platforms.precheck import PRESENT
from tasks.platforms.proxmox.sdn import READ_SDN

INTERFACES = "/etc/network/interfaces"

RUNNING = "auto lo\niface lo inet loopback\n\nauto eno1\niface eno1 inet static\n\taddress 10.0.0.1/24\n"

MERGE = "iface eno1\n\tmtu 1400\n"

# Not a file: the reason why nothing below /etc/pve can be read.
UNMOUNTED = "unmounted"

MERGED = RUNNING + "\tmtu 1400\n"


class Host:
    """The host agent in memory: it answers requests as the real one does, and also stands for the SSH channel."""

    host = "h"

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = {INTERFACES: RUNNING, **(files or {})}
        self.frr = {READ_RUNNING: "", READ_LAYOUT: ""}
        self.asked: list[str] = []
        self.pending: dict[str, Any] | None = None
        self.done: dict[str, dict[str, Any]] = {}
        self.lease: str | None = None
        self.up, self.breaks_at = True, ""

    def run(self, _command: str, stdin: bytes, *_: Any) -> tuple[int, bytes, bytes]:
        size, _, rest = stdin.partition(b"\n")
        ask = json.loads(rest[int(size) :])
        self.asked.append(ask["op"])
        if ask["op"] == self.breaks_at:
            self.up = False
            raise Deadline("h: no answer")
        return 0, json.dumps(getattr(self, f"op_{ask['op']}")(ask)).encode() + b"\n", b""

    def alive(self) -> bool:
        return self.up

    def close(self) -> None:
        self.up = False

    def op_read(self, ask: Any) -> Any:
        return {"answer": {"facts": {name: self.answer(command) for name, command in ask["facts"].items()}, "pending": self.pending}}

    def answer(self, command: str) -> dict[str, Any]:
        path = command.removeprefix("cat ")
        if command == READ_SDN and UNMOUNTED in self.files:
            return {"rc": 1, "out": "", "err": f"{self.files[UNMOUNTED]}\n"}
        outputs = {**self.frr, READ_SDN: self.files.get("/etc/pve/sdn/controllers.cfg", "")}
        if command in outputs:
            return {"rc": 0, "out": outputs[command], "err": ""}
        if path in self.files:
            return {"rc": 0, "out": self.files[path], "err": ""}
        if command == PRESENT.command:
            return {"rc": 0, "out": "bonding_masters\neno1\nlo\nenx0\n", "err": ""}
        for token, entry in self.done.items():
            if token in command:
                return {"rc": 0, "out": json.dumps(entry), "err": ""}
        return {"rc": 1, "out": "", "err": f"{command}: no such file"}

    def op_prepare(self, ask: Any) -> Any:
        if self.lease not in (None, ask["run"]):
            return {"refused": "somebody changes this host"}
        if self.pending and self.pending["run"] != ask["run"]:
            return {"refused": "a transaction of somebody is open"}
        self.lease = ask["run"]
        return {"answer": {}}

    def op_begin(self, ask: Any) -> Any:
        if self.pending:
            return {"refused": "a transaction is already open"}
        for item in ask["files"]:
            if self.files.get(item["path"]) != item["before"]:
                return {"refused": f"{item['path']} was changed since it was read"}
            if "rejected" in item["text"]:
                return {"refused": f"{item['path']} would not be accepted"}
        self.pending = ask
        self.files |= {item["path"]: item["text"] for item in ask["files"]}
        if "fails" in ask["why"]:
            self.end("reverted", "`ifreload -a` ended with 1")
        return self.op_outcome(ask)

    def end(self, outcome: str, reason: str = "") -> None:
        assert self.pending
        if outcome == "reverted":
            self.files |= {item["path"]: item["before"] for item in self.pending["files"]}
        self.done[self.pending["token"]] = {**self.pending, "state": outcome, "reason": reason}
        self.pending = None

    def op_confirm(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            self.end("confirmed")
        return self.op_outcome(ask)

    def op_revert(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            self.end("reverted", ask["reason"])
        return self.op_outcome(ask)

    def op_outcome(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            return {"answer": {"state": "applied", "reason": ""}}
        entry = self.done.get(ask["token"], {"state": "unknown", "reason": "no transaction with that token"})
        return {"answer": {"state": entry["state"], "reason": entry["reason"]}}

    def op_release(self, ask: Any) -> Any:
        if self.lease == ask["run"]:
            self.lease = None
        return {"answer": {}}


def driver(host: Host, **arguments: Any) -> Ifupdown2Driver:
    device = Ifupdown2Driver("h", "", "", optional_args=arguments)
    device._session = HostSession(host)  # type: ignore[arg-type]
    host.up = True
    return device
