"""The getters of the NAPALM driver on recorded consoles: each case has the answers of a real host, and the result for NAPALM.

test_napalm_base.py tests the shape of the results.
Three kinds differ from what a host printed. FRR's JSON is without its line breaks. The optical modules are ethtool 6.14.2's output for
EEPROMs made after SFF-8472 and SFF-8636. The consoles of get_config are of files of other cases.
"""

import json

import pytest
from cases import CASES, Case, cases_of
from napalm.base.exceptions import CommandErrorException
from recorded import Recorded

from napalm_ifupdown2 import Ifupdown2Driver
from napalm_ifupdown2.connection import Connection

GETTERS = sorted(path.stem for path in (CASES / "napalm").glob("*.yaml"))
EVERY = [case for getter in GETTERS for case in cases_of(CASES / "napalm" / getter)]


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_getter_returns_the_hosts_values(case: Case, expect) -> None:
    getter, device = case.subject.name, Recorded(case.own["session"])
    try:
        result = getattr(device, getter)(**case.get("arguments", {}))
    except CommandErrorException as error:
        expect(case, {"error": str(error)})
        return
    expect(case, {"result": json.loads(json.dumps(result))})
    assert device.reads <= 1, "a getter is one exec"


def test_every_getter_has_a_case() -> None:
    own = {name for cls in Ifupdown2Driver.__mro__[: Ifupdown2Driver.__mro__.index(Connection)] for name in vars(cls)}
    getters = {name for name in own if name.startswith("get_") or name in ("ping", "traceroute")}
    assert getters == set(GETTERS)
