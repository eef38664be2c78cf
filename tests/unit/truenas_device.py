"""A TrueNAS in memory, for the part of its API that the suite uses: its answers have the shape of the API's documentation (25.10)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tasks.core.model.fact import CALL

ENTRY = {"aliases": [], "security": [], "expose_snapshots": False, "locked": False}


class RefusedByDeviceError(Exception):
    """A refusal of the API, with its reason."""


@dataclass
class Device:
    """Its shares, NFS settings, service, pools and paths; `calls` lists the changes that it received."""

    shares: list[dict[str, Any]] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    service: dict[str, Any] = field(default_factory=dict)
    pools: list[dict[str, Any]] = field(default_factory=list)
    clients: list[dict[str, Any]] = field(default_factory=list)
    paths: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    refuses: str = ""

    def answer(self, method: str, parameters: list[Any]) -> Any:
        """The result. Raises RefusedByDeviceError."""
        if method == self.refuses:
            raise RefusedByDeviceError("it does not want to")
        if not method.endswith((".query", ".stat", ".config", "_clients", ".ping")):
            self.calls.append(method)
        return getattr(self, method.replace(".", "_"))(*parameters)

    def facts(self, command: str) -> str:
        """The link's reading of a fact's calls."""
        answers: list[dict[str, Any]] = []
        for line in command.splitlines():
            method, _, parameters = line.removeprefix(CALL).partition(" ")
            try:
                answers.append({"result": self.answer(method, json.loads(parameters))})
            except RefusedByDeviceError as error:
                answers.append({"error": str(error)})
        return json.dumps(answers)

    def core_ping(self) -> str:
        return "pong"

    def sharing_nfs_query(self) -> list[dict[str, Any]]:
        return self.shares

    def sharing_nfs_create(self, data: dict[str, Any]) -> dict[str, Any]:
        share = {**ENTRY, **data, "id": max((one["id"] for one in self.shares), default=0) + 1}
        self.shares.append(share)
        return share

    def sharing_nfs_update(self, number: int, data: dict[str, Any]) -> dict[str, Any]:
        self._share(number).update(data)
        return self._share(number)

    def sharing_nfs_delete(self, number: int) -> bool:
        self.shares.remove(self._share(number))
        return True

    def _share(self, number: int) -> dict[str, Any]:
        found = [one for one in self.shares if one["id"] == number]
        if not found:
            raise RefusedByDeviceError(f"NFS share {number} does not exist")
        return found[0]

    def nfs_config(self) -> dict[str, Any]:
        return self.config

    def nfs_update(self, data: dict[str, Any]) -> dict[str, Any]:
        self.config.update(data)
        return self.config

    def nfs_get_nfs4_clients(self, filters: list[Any], options: dict[str, Any]) -> list[dict[str, Any]]:
        assert not filters
        return [{key: one[key] for key in options["select"]} for one in self.clients]

    def service_query(self, filters: list[Any]) -> list[dict[str, Any]]:
        assert filters == [["service", "=", "nfs"]]
        return [self.service]

    def service_update(self, name: str, data: dict[str, Any]) -> int:
        assert name == "nfs"
        self.service.update(data)
        return int(self.service["id"])

    def service_control(self, verb: str, name: str, options: dict[str, Any]) -> bool:
        assert (name, options) == ("nfs", {})
        self.service["state"] = {"START": "RUNNING", "STOP": "STOPPED"}[verb]
        return True

    def pool_query(self) -> list[dict[str, Any]]:
        return self.pools

    def filesystem_stat(self, path: str) -> dict[str, Any]:
        if path not in self.paths:
            raise RefusedByDeviceError(f"[ENOENT] Path {path} not found")
        return {"realpath": path, "type": "DIRECTORY", "acl": False, **self.paths[path]}

    def filesystem_mkdir(self, data: dict[str, Any]) -> dict[str, Any]:
        self.paths[data["path"]] = {"uid": 0, "gid": 0, "mode": 0o40000 | int(data["options"]["mode"], 8)}
        return self.filesystem_stat(data["path"])

    def filesystem_setperm(self, data: dict[str, Any]) -> None:
        assert not any(data["options"].values())
        self.paths[data["path"]].update(uid=data["uid"], gid=data["gid"], mode=0o40000 | int(data["mode"], 8))


def of_readings(readings: dict[str, str]) -> Device:
    """A device that would have given these answers."""

    def result(fact: str, index: int = 0) -> Any:
        return json.loads(readings[fact])[index]["result"]

    paths = {row["realpath"]: row for row in _results(readings["truenas_folders"])}
    config, services = result("truenas_nfs"), result("truenas_nfs", 1)
    return Device(result("truenas_shares"), config, services[0], result("truenas_pools"), result("truenas_clients"), paths)


def _results(text: str) -> Iterator[dict[str, Any]]:
    return (answer["result"] for answer in json.loads(text) if "result" in answer)


@dataclass
class Wire:
    """The device at the other end of a WebSocket; a method in `jobs` answers with a number, and an event reports its end."""

    device: Device
    jobs: tuple[str, ...] = ("filesystem.setperm", "service.control")
    key: str = "the-key"
    waiting: list[str] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    running: dict[int, dict[str, Any]] = field(default_factory=dict)
    broken: bool = False
    loses: str = ""
    forgets_jobs: bool = False

    def send(self, message: str) -> None:
        if self.broken:
            raise EOFError("gone")
        self.sent.append(message)
        asked = json.loads(message)
        assert asked["jsonrpc"] == "2.0"
        try:
            answer = {"result": self._answer(asked["method"], asked["params"])}
        except RefusedByDeviceError as error:
            answer = {"error": {"code": -32001, "message": "Method call error", "data": {"reason": str(error), "extra": None}}}
        if asked["method"] == self.loses:
            self.broken, self.loses = True, ""
        self.waiting.append(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}))
        if asked["method"] == "core.get_jobs":
            self.waiting += [json.dumps(_event({**job, "state": job["ends"]})) for job in self.running.values()]

    def _answer(self, method: str, parameters: list[Any]) -> Any:
        if method == "auth.login_ex":
            return {"response_type": "SUCCESS" if parameters[0]["api_key"] == self.key else "AUTH_ERR"}
        if method == "core.subscribe":
            return "subscription"
        if method == "core.get_jobs":
            return [] if self.forgets_jobs else [self.running[parameters[0][0][2]]]
        if method not in self.jobs:
            return self.device.answer(method, parameters)
        number = len(self.running) + 7
        job = {"id": number, "state": "RUNNING", "ends": "SUCCESS", "result": None, "error": ""}
        try:
            job["result"] = self.device.answer(method, parameters)
        except RefusedByDeviceError as error:
            job |= {"ends": "FAILED", "error": str(error)}
        self.running[number] = job
        return number

    def recv(self, timeout: float | None = None) -> str:
        del timeout
        if self.broken:
            raise EOFError("gone")
        if not self.waiting:
            raise TimeoutError
        return self.waiting.pop(0)

    def close(self) -> None:
        self.broken = True


def _event(job: dict[str, Any]) -> dict[str, Any]:
    params = {"msg": "changed", "collection": "core.get_jobs", "id": job["id"], "fields": job}
    return {"jsonrpc": "2.0", "method": "collection_update", "params": params}
