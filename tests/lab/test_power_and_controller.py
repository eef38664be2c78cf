"""At every boundary of an uplink set somebody dies: controller, node, switch. Nobody is stranded, and the next run finishes."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from rehearsal import HOSTS, ROOT, Lab

pytestmark = pytest.mark.lab

SET = "uplink alvin"
FLAGS = ("--stage", "network", "--set", "uplink alvin")
# Event, host: armed; safe end applied; other end applied; between the two confirms.
BOUNDARIES = (("armed", "alvin"), ("applied", "alvin"), ("applied", "sw-rack"), ("confirmed", "alvin"))
# The lab's timers: the node's is the longest (nornir_config.yaml: revert_s + apply_s + 5).
TIMER_S = 41
# So long nothing may change any more: a LACP partner that has gone is noticed after 3 s.
HOLD_S = 6


def drill(deed: str, kind: str, host: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The run as it ended, and the monotonic time of the deed."""
    words = [sys.executable, str(Path(__file__).with_name("controller.py")), deed, kind, host, SET, "--", *FLAGS]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    said = [line for line in done.stdout.splitlines() if line.startswith("drill: ")]
    assert said, f"the drill never came to {kind} of {host}:\n{done.stdout}\n{done.stderr}"
    return done, float(said[0].split()[-1])


def is_new(lab: Lab, host: str) -> bool:
    """Whether this end of the set is in LACP, judged by the kernel."""
    bond = "bond0" if host == "alvin" else "po-alvin"
    return "802.3ad" in lab.sh(host, f"cat /sys/class/net/{bond}/bonding/mode 2>/dev/null || echo plain")


def in_file(lab: Lab, host: str) -> bool:
    bond = "bond0" if host == "alvin" else "po-alvin"
    return f"iface {bond}" in lab.sh(host, "cat /etc/network/interfaces")


def assert_no_half_but_the_safe_one(lab: Lab) -> None:
    node, switch = is_new(lab, "alvin"), is_new(lab, "sw-rack")
    assert (node, switch) in {(True, True), (False, False), (True, False)}, "the switch is in LACP and the node is not"
    assert (in_file(lab, "alvin"), in_file(lab, "sw-rack")) == (node, switch), "a file says other than what lives"


def assert_finishes(lab: Lab) -> None:
    """The next run ends the work."""
    code, report = lab.report("bootstrap", *FLAGS)
    assert code == 0, report["stages"]
    assert report["earlier"] or report["stages"][0]["sets"][0]["state"] == "unchanged", "nothing was said of the run before"
    assert len(set(lab.partners("alvin", "bond0"))) == 1
    assert len(lab.partners("alvin", "bond0")) == 2
    assert "00:00:00:00:00:00" not in lab.partners("alvin", "bond0")


def is_settled(lab: Lab) -> bool:
    """Every host answers in-band, and nothing is pending on either end."""
    return all(lab.reachable(host) for host in HOSTS) and not any(lab.pending(host) for host in ("alvin", "sw-rack"))


def assert_settles_in_time(lab: Lab, deed_at: float) -> None:
    """Within the longest timer and 5 s of the deed, for good: when its switch goes back, a node is lost for a moment (docs/lab.md)."""
    since = 0.0

    def holds() -> bool:
        nonlocal since
        since = (since or time.monotonic()) if is_settled(lab) else 0.0
        return bool(since) and time.monotonic() - since > HOLD_S

    left_s = deed_at + TIMER_S + 5 - time.monotonic()
    lab.wait("every host answers and nothing is pending", holds, max(left_s, 1) + 2 * HOLD_S)


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    assert lab.runbook("bootstrap", "--stage", "host").code == 0


@pytest.fixture(autouse=True)
def plain(lab: Lab) -> Iterator[None]:
    """Every drill starts from the fresh network."""
    yield
    for host in ("sw-rack", "alvin"):
        lab.put_back(host)


@pytest.mark.parametrize(("kind", "host"), BOUNDARIES)
def test_controller_is_killed(lab: Lab, kind: str, host: str) -> None:
    mac = lab.sh("alvin", "cat /sys/class/net/vmbr0/address")
    _, deed_at = drill("die", kind, host)
    assert_settles_in_time(lab, deed_at)
    assert_no_half_but_the_safe_one(lab)
    assert lab.sh("alvin", "cat /sys/class/net/vmbr0/address") == mac, "vmbr0 changed its MAC"
    assert_finishes(lab)


@pytest.mark.parametrize(("kind", "host"), BOUNDARIES)
@pytest.mark.parametrize("victim", ["alvin", "sw-rack"])
def test_power_is_cut(lab: Lab, victim: str, kind: str, host: str) -> None:
    """The machine is on again while the controller still works: it finds what the boot has restored, or an end that is confirmed."""
    done, deed_at = drill(f"kill:{victim}", kind, host)
    assert_settles_in_time(lab, deed_at)
    assert_no_half_but_the_safe_one(lab)
    assert done.returncode in (0, 1), f"{done.stdout}\n{done.stderr}"
    assert (done.returncode == 0) <= (is_new(lab, "alvin") and is_new(lab, "sw-rack")), "said to be done, and is not"
    assert_finishes(lab)
