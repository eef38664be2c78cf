"""`napalm.base.test` against the driver: NAPALM's own tests of each getter, on the recorded answers of the cases."""

from collections.abc import Callable
from typing import Any

import pytest
from cases import CASES, Case, cases_of
from napalm.base.test.conftest import set_device_parameters
from napalm.base.test.getters import BaseTestGetters
from napalm_host import Host
from recorded import Recorded, answers

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.core.connectors.agent_session import HostSession

# NAPALM's tests that call a getter in more than one way, and the arguments of the cases that fit each.
ARGUMENTS: dict[str, Callable[[dict[str, Any]], bool]] = {
    "test_get_config": lambda given: not given,
    "test_get_config_filtered": lambda given: given == {"retrieve": "candidate"},
    "test_get_config_sanitized": lambda given: given == {"sanitized": True},
    "test_get_config_sanitized_filtered": lambda given: given == {"sanitized": True},
    "test_get_route_to": lambda given: "longer" not in given,
    "test_get_route_to_longer": lambda given: bool(given.get("longer")),
    "test_get_arp_table_with_vrf": lambda given: "vrf" in given,
}
GETTERS = {"test_get_route_to_longer": "get_route_to", "test_get_arp_table_with_vrf": "get_arp_table"}
# These ask for destinations of their own (8.8.8.8, the VRF `TEST`): the recorded ones stand for them.
OWN_DESTINATIONS = (
    *("get_route_to", "get_arp_table", "get_lldp_neighbors_detail", "get_bgp_neighbors_detail", "get_network_instances"),
    *("ping", "traceroute"),
)
# What such hosts do not have, or nobody asked for: the driver raises NotImplementedError.
ABSENT = {"get_bgp_config", "get_snmp_information", "get_probes_config", "get_probes_results", "get_firewall_policies"}
NO_CASE = "no_test_case_found"


def getter_of(test: str) -> str:
    return GETTERS.get(test) or ("get_config" if test.startswith("test_get_config") else test.removeprefix("test_"))


def fitting(test: str) -> list[Case]:
    """The cases for one of NAPALM's tests: those with a result, because each of them asserts that there is one."""
    subject, fits = CASES / "napalm" / getter_of(test), ARGUMENTS.get(test, lambda _: True)
    found = [case for case in cases_of(subject) if case.own.get("result") and fits(case.own.get("arguments", {}))]
    return [case for case in found if "error" not in case.own["result"]]


class Console:
    """What NAPALM's harness asks of a test double: it names the test and the case, and wants the expected result."""

    current_test = current_test_case = ""

    @property
    def case(self) -> Case:
        """The present case. Raises OSError without one: NAPALM's harness then fails the test."""
        if self.current_test_case == NO_CASE:
            raise OSError(f"no case for {self.current_test}")
        return Case(CASES / "napalm" / getter_of(self.current_test), self.current_test_case)

    @property
    def expected_result(self) -> Any:
        return {"is_alive": True} if self.current_test == "test_is_alive" else self.case.own["result"]


class Patched(Recorded):
    """The driver whose console is that of the present case."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__("")
        self.console, self.patched_attrs = Console(), ["console"]

    def open(self) -> None:
        self._session = HostSession(Host())  # type: ignore[arg-type]

    def _read(self, commands: list[str], deadline_s: float | None = None) -> dict[str, Any]:
        self.printed = answers(self.console.case.own["session"])
        return super()._read(commands, deadline_s)


def asked_as_recorded(name: str) -> Callable[..., Any]:
    """The driver's method, with the arguments of the case for those of NAPALM's test."""
    return lambda device, *_, **__: getattr(Recorded, name)(device, **device.console.case.own.get("arguments", {}))


for _name in OWN_DESTINATIONS:
    setattr(Patched, _name, asked_as_recorded(_name))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "test_case" in metafunc.fixturenames:
        test = metafunc.function.__name__
        names = ["open"] if test == "test_is_alive" else [case.name for case in fitting(test)]
        metafunc.parametrize("test_case", names or [NO_CASE])


@pytest.fixture(autouse=True)
def device(request: pytest.FixtureRequest) -> None:
    """NAPALM's own fixture, for its class only."""
    if request.cls is not None:
        set_device_parameters(request)


class TestGetters(BaseTestGetters):
    """NAPALM's tests, as they are."""

    driver, patched_driver = Ifupdown2Driver, Patched


@pytest.mark.parametrize("test", [name for name in dir(BaseTestGetters) if name.startswith("test_get_")])
def test_each_getter_is_tested_or_absent(test: str) -> None:
    """A getter without a case is skipped by NAPALM's tests, if the driver does not have it."""
    assert bool(fitting(test)) != (getter_of(test) in ABSENT)


@pytest.mark.parametrize("getter", sorted(ABSENT))
def test_absent_getters_raise_what_napalm_expects(getter: str) -> None:
    with pytest.raises(NotImplementedError):
        getattr(Ifupdown2Driver("h", "", ""), getter)()
