"""The controller, the node or the switch dies at every boundary of a set with two ends. Hosts stay reachable, and the next run finishes."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from deeds import run_with
from rehearsal import HOSTS, Lab
from sites import SHORT, variant

from tasks.core.engine.run import MARGIN_S

pytestmark = pytest.mark.lab


@dataclass(frozen=True)
class Pair:
    """A set with two ends, first the one that is safe alone, with the bond's name on each."""

    name: str
    safe: str
    other: str
    bonds: dict[str, str]

    @property
    def ends(self) -> tuple[str, str]:
        return self.safe, self.other


UPLINK = Pair("uplink alvin", "alvin", "sw-rack", {"alvin": "bond0", "sw-rack": "po-alvin"})
INTER_SWITCH = Pair("inter-switch LAG sw-rack sw-core", "sw-core", "sw-rack", {"sw-core": "trunk", "sw-rack": "trunk"})
# (event, whether it is the safe end's): armed; safe end applied; other end applied; between the two confirmations.
BOUNDARIES = (("armed", True), ("applied", True), ("applied", False), ("confirmed", True))
# The safe end's timer, the longest.
TIMER_S = SHORT["revert_s"] + SHORT["apply_s"] + MARGIN_S
# The state must be stable for this long: a lost LACP partner is noticed after 3 s.
HOLD_S = 6


def drill(pair: Pair, site: str, deed: str, kind: str, host: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The ended run, and the monotonic time of the deed."""
    return run_with(deed, kind, host, pair.name, "--site", site, "--stage", "network", "--set", pair.name)


def is_new(lab: Lab, pair: Pair, host: str) -> bool:
    """Whether this end of the set is in LACP, by the kernel."""
    return "802.3ad" in lab.sh(host, f"cat /sys/class/net/{pair.bonds[host]}/bonding/mode 2>/dev/null || echo plain")


def in_file(lab: Lab, pair: Pair, host: str) -> bool:
    return f"iface {pair.bonds[host]}" in lab.sh(host, "cat /etc/network/interfaces")


def assert_no_half_but_the_safe_one(lab: Lab, pair: Pair) -> None:
    safe, other = (is_new(lab, pair, host) for host in pair.ends)
    assert (safe, other) in {(True, True), (False, False), (True, False)}, f"{pair.other} is in LACP and {pair.safe} is not"
    assert tuple(in_file(lab, pair, host) for host in pair.ends) == (safe, other), "a file differs from the live state"


def assert_finishes(lab: Lab, pair: Pair) -> None:
    """The next run completes the set."""
    code, report = lab.report("bootstrap", "--stage", "network", "--set", pair.name)
    assert code == 0, report["stages"]
    assert report["earlier"] or report["stages"][0]["sets"][0]["state"] == "unchanged", "the report does not mention the earlier run"
    partners = lab.partners(pair.safe, pair.bonds[pair.safe])
    assert len(partners) == 2
    assert len(set(partners)) == 1
    assert "00:00:00:00:00:00" not in partners


def is_stable(lab: Lab, pair: Pair) -> bool:
    """Whether nothing is pending on either end and every host answers in-band. The cheaper query comes first."""
    return not any(lab.pending(host) for host in pair.ends) and all(lab.reachable(host) for host in HOSTS)


def assert_stable_in_time(lab: Lab, pair: Pair, deed_at: float) -> None:
    """The site is stable within the longest timer plus 5 s, and stays so: a node is unreachable for a moment when its switch reverts.

    See docs/lab.md.
    """
    since = 0.0

    def holds() -> bool:
        nonlocal since
        since = (since or time.monotonic()) if is_stable(lab, pair) else 0.0
        return bool(since) and time.monotonic() - since > HOLD_S

    left_s = deed_at + TIMER_S + 5 - time.monotonic()
    lab.wait("every host answers and nothing is pending", holds, max(left_s, 1) + 2 * HOLD_S)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A site like the lab's, with shorter timers."""
    return variant(tmp_path_factory.mktemp("site"), timers=SHORT)


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    assert lab.runbook("bootstrap", "--stage", "host").code == 0


@pytest.fixture(autouse=True)
def plain(lab: Lab) -> Iterator[None]:
    """Every drill starts from the fresh network."""
    yield
    for host in ("sw-rack", "sw-core", "alvin"):
        lab.put_back(host)


@pytest.mark.parametrize(("kind", "of_the_safe"), BOUNDARIES)
@pytest.mark.parametrize("pair", [UPLINK, INTER_SWITCH], ids=lambda pair: pair.name)
def test_controller_is_killed(lab: Lab, site: str, pair: Pair, kind: str, of_the_safe: bool) -> None:
    mac = lab.sh("alvin", "cat /sys/class/net/vmbr0/address")
    _, deed_at = drill(pair, site, "die", kind, pair.safe if of_the_safe else pair.other)
    assert_stable_in_time(lab, pair, deed_at)
    assert_no_half_but_the_safe_one(lab, pair)
    assert lab.sh("alvin", "cat /sys/class/net/vmbr0/address") == mac, "vmbr0 changed its MAC"
    assert_finishes(lab, pair)


# Pairwise: each set at each boundary, each end at each boundary, each end of each set.
POWER = [
    (pair, pair.ends[(row + column) % 2], *boundary)
    for row, pair in enumerate((UPLINK, INTER_SWITCH))
    for column, boundary in enumerate(BOUNDARIES)
]


@pytest.mark.parametrize(("pair", "victim", "kind", "of_the_safe"), POWER, ids=lambda word: getattr(word, "name", str(word)))
def test_power_is_cut(lab: Lab, site: str, pair: Pair, victim: str, kind: str, of_the_safe: bool) -> None:
    """The machine boots again while the controller still works, which finds the state that the boot restored, or a confirmed end."""
    done, deed_at = drill(pair, site, f"kill:{victim}", kind, pair.safe if of_the_safe else pair.other)
    assert_stable_in_time(lab, pair, deed_at)
    assert_no_half_but_the_safe_one(lab, pair)
    assert done.returncode in (0, 1), f"{done.stdout}\n{done.stderr}"
    assert (done.returncode == 0) <= all(is_new(lab, pair, host) for host in pair.ends), "reported as done, but is not"
    assert_finishes(lab, pair)
