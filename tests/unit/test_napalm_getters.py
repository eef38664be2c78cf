"""The getters of the NAPALM driver on recorded consoles: each case has the answers of a real host, and the result for NAPALM."""

import inspect
import json
import re
from typing import Any

import pytest
from cases import CASES, Case, cases_of
from napalm.base import NetworkDriver, models
from napalm.base.exceptions import CommandErrorException
from napalm.base.test import helpers

from napalm_ifupdown2 import Ifupdown2Driver
from napalm_ifupdown2.connection import Connection

GETTERS = sorted(path.stem for path in (CASES / "napalm").glob("*.yaml"))
EVERY = [case for getter in GETTERS for case in cases_of(CASES / "napalm" / getter)]
# The model of each getter's entries; NAPALM's own helper checks keys and types.
MODELS: dict[str, Any] = {
    "get_facts": models.FactsDict,
    "get_interfaces": models.InterfaceDict,
    "get_interfaces_counters": models.InterfaceCounterDict,
    "get_vlans": models.VlanDict,
    "get_network_instances": models.NetworkInstanceDict,
    "get_lldp_neighbors": models.LLDPNeighborDict,
    "get_lldp_neighbors_detail": models.LLDPNeighborDetailDict,
    "get_arp_table": models.ARPTableDict,
    "get_ipv6_neighbors_table": models.IPV6NeighborDict,
    "get_mac_address_table": models.MACAdressTable,
    "get_route_to": models.RouteDict,
    "get_ntp_servers": models.NTPServerDict,
    "get_ntp_peers": models.NTPPeerDict,
    "get_ntp_stats": models.NTPStats,
    "get_users": models.UsersDict,
}


class Recorded(Ifupdown2Driver):
    """The driver on a recorded console."""

    def __init__(self, session: str) -> None:
        super().__init__("recorded", "", "")
        parts = re.split(r"^\$ (.+)\n", session, flags=re.MULTILINE)[1:]
        self.printed = {command: answer(text) for command, text in zip(parts[::2], parts[1::2], strict=True)}
        self.reads = 0

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:  # noqa: ARG002
        self.reads += 1
        return {command: self.printed[command] for command in commands}


def answer(text: str) -> dict[str, Any]:
    failed = re.search(r"^\[exit (\d+)\]$", text, flags=re.MULTILINE)
    return {"rc": int(failed[1]), "out": "", "err": text[: failed.start()]} if failed else {"rc": 0, "out": text, "err": ""}


def result_of(case: Case) -> Any:
    """The result of a case's getter, as JSON."""
    return json.loads(json.dumps(getattr(Recorded(case.own["session"]), case.subject.name)(**case.get("arguments", {}))))


def entries(getter: str, result: Any) -> list[Any]:
    """The dictionaries that a getter's model describes."""
    if getter == "get_facts":
        return [result]
    values = list(result.values()) if isinstance(result, dict) else result
    return [entry for value in values for entry in (value if isinstance(value, list) else [value])]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_getter_returns_the_hosts_values(case: Case, expect) -> None:
    getter, device = case.subject.name, Recorded(case.own["session"])
    try:
        result = getattr(device, getter)(**case.get("arguments", {}))
    except CommandErrorException as error:
        expect(case, {"error": str(error)})
        return
    expect(case, {"result": json.loads(json.dumps(result))})
    assert device.reads == 1, "a getter is one exec"
    for entry in entries(getter, result) if getter in MODELS else ():
        assert helpers.test_model(MODELS[getter], entry)


def test_addresses_have_napalms_shape() -> None:
    for case in cases_of(CASES / "napalm" / "get_interfaces_ip"):
        for families in result_of(case).values():
            assert set(families) <= {"ipv4", "ipv6"}
            assert all(set(entry) == {"prefix_length"} for family in families.values() for entry in family.values())


def test_environment_and_ping_have_napalms_shape() -> None:
    for case in cases_of(CASES / "napalm" / "get_environment"):
        result = result_of(case)
        assert helpers.test_model(models.MemoryDict, result["memory"])
        assert all(helpers.test_model(models.CPUDict, cpu) for cpu in result["cpu"].values())
        assert set(result) == set(models.EnvironmentDict.__annotations__)
    for case in cases_of(CASES / "napalm" / "ping"):
        pinged = result_of(case)
        assert "error" in pinged or helpers.test_model(models.PingDict, pinged["success"])


def test_every_getter_has_a_case() -> None:
    own = {name for cls in Ifupdown2Driver.__mro__[: Ifupdown2Driver.__mro__.index(Connection)] for name in vars(cls)}
    getters = {name for name in own if name.startswith("get_") or name == "ping"} - {"get_config"}
    assert getters == set(GETTERS)


def test_signatures_are_napalms() -> None:
    methods = [name for name, _ in inspect.getmembers(NetworkDriver, inspect.isfunction) if not name.startswith("_")]
    differing = [
        name
        for name in [*methods, "__init__"]
        if inspect.getfullargspec(getattr(NetworkDriver, name))[:4] != inspect.getfullargspec(getattr(Ifupdown2Driver, name))[:4]
    ]
    assert not differing
