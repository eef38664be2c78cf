"""The impact rules predict what the kernel does: each rule on a real bond, verified with `ip monitor`."""

import re

import pytest
from rehearsal import Lab

from tasks.platforms.ifupdown2.impact import BOND_FLAPS, interfaces_impact

pytestmark = pytest.mark.lab

# An attribute of bond0, its values before and after, and whether the change takes the bond down.
CHANGES = {
    "bond-lacp-rate": ("fast", "slow", True),
    "bond-xmit-hash-policy": ("layer3+4", "layer2", True),
    "bond-miimon": ("100", "200", False),
}


@pytest.fixture(scope="module", autouse=True)
def bonded(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    assert lab.runbook("bootstrap", "--set", "settings alvin", "--set", "uplink alvin").code == 0


@pytest.mark.parametrize("attribute", CHANGES)
def test_bond_goes_down_when_the_rule_says_so(lab: Lab, attribute: str) -> None:
    have, want, flaps = CHANGES[attribute]
    before = lab.sh("alvin", "cat /etc/network/interfaces")
    after = before.replace(f"{attribute} {have}", f"{attribute} {want}")
    assert after != before
    impact = interfaces_impact(before, after)
    assert any("bond0 goes down and up" in line for line in impact) == flaps
    assert (attribute in BOND_FLAPS) == flaps
    lab.sh("alvin", "rm -f /tmp/seen; (timeout 60 ip -o monitor link dev bond0 > /tmp/seen 2>/dev/null &) ; true")
    lab.sh("alvin", f"sed -i 's/{attribute} {have}/{attribute} {want}/' /etc/network/interfaces && ifreload -a")
    lab.wait("the bond is up", lambda: lab.sh("alvin", "cat /sys/class/net/bond0/operstate").strip() == "up", 15)
    went_down = "state DOWN" in lab.sh("alvin", "cat /tmp/seen")
    assert went_down == flaps, lab.sh("alvin", "cat /tmp/seen")
    lab.sh("alvin", f"sed -i 's/{attribute} {want}/{attribute} {have}/' /etc/network/interfaces && ifreload -a")
    lab.wait("the partner is back", lambda: "00:00:00:00:00:00" not in lab.partners("alvin", "bond0"), 20)


# {added line: (interface, the line of its stanza before it, whether the change takes the interface down)}.
ADDITIONS = {
    "bond-min-links 1": ("bond0", "bond-miimon 100", True),
    "mtu 1400": ("vmbr0", "bridge-fd 0", False),
    "hwaddress 02:00:00:00:00:77": ("vmbr0", "bridge-fd 0", True),
}


@pytest.mark.parametrize("line", ADDITIONS)
def test_interface_goes_down_when_the_rule_says_so(lab: Lab, line: str) -> None:
    """Verified by the administrative state: ifupdown2 itself takes the interface down."""
    iface, after_line, flaps = ADDITIONS[line]
    before = lab.sh("alvin", "cat /etc/network/interfaces")
    impact = interfaces_impact(before, before.replace(after_line, f"{after_line}\n\t{line}", 1))
    assert any(f"{iface} goes down and up" in sentence for sentence in impact) == flaps, impact
    lab.sh("alvin", f"cp /etc/network/interfaces /tmp/before; (timeout 60 ip -o monitor link dev {iface} > /tmp/seen 2>/dev/null &) ; true")
    lab.sh("alvin", f"sed -i 's/{after_line}/{after_line}\\n\\t{line}/' /etc/network/interfaces && ifreload -a")
    assert line in lab.sh("alvin", "cat /etc/network/interfaces")
    seen = lab.sh("alvin", "cat /tmp/seen")
    assert bool([one for one in seen.splitlines() if not re.search("[<,]UP[,>]", one)]) == flaps, seen
    lab.sh("alvin", "cp /tmp/before /etc/network/interfaces && ifreload -a")
    lab.wait("the partner is back", lambda: "00:00:00:00:00:00" not in lab.partners("alvin", "bond0"), 20)


def test_a_port_joins_the_bridge_without_the_bridge_going_down(lab: Lab) -> None:
    lab.sh("alvin", "rm -f /tmp/seen; (timeout 60 ip -o monitor link dev vmbr0 > /tmp/seen 2>/dev/null &) ; true")
    lab.sh("alvin", "sed -i 's/bridge-ports bond0/bridge-ports bond0 enp2s0f0np0/' /etc/network/interfaces && ifreload -a")
    lab.wait("the port is in", lambda: "enp2s0f0np0" in lab.sh("alvin", "ls /sys/class/net/vmbr0/brif"), 10)
    assert "state DOWN" not in lab.sh("alvin", "cat /tmp/seen")
    lab.sh("alvin", "sed -i 's/bridge-ports bond0 enp2s0f0np0/bridge-ports bond0/' /etc/network/interfaces && ifreload -a")
    lab.wait("the port is out", lambda: "enp2s0f0np0" not in lab.sh("alvin", "ls /sys/class/net/vmbr0/brif"), 10)
