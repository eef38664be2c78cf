"""The impact of a new interfaces file on traffic, one rule a case: the changed lines, and the sentence."""

import pytest

from tasks.platforms.configuration import network_impact
from tasks.platforms.frr.files import FRR_CONF
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.ifupdown2.impact import interfaces_impact

SAME = """\
auto bond0
iface bond0
	bond-slaves a b
	bond-mode 802.3ad

iface br0
	bridge-ports bond0
	address 10.0.0.1/24
	gateway 10.0.0.254
	mtu 1500
"""
RESTART = "many NICs lose their link for some seconds when their MTU changes"
RULES = {
    "made": ("", "iface a\n", ["a is created"]),
    "taken-down": ("iface a\n", "", ["a is taken down: it is no longer in the file"]),
    "port-joins-a-bond": ("iface x\n\tbond-slaves a\n", "iface x\n\tbond-slaves a b\n", ["b goes down for a moment and joins x"]),
    "port-leaves-a-bond": ("iface x\n\tbond-slaves a b\n", "iface x\n\tbond-slaves a\n", ["b goes down for a moment and leaves x"]),
    "port-joins-a-bridge": ("iface x\n\tbridge-ports a\n", "iface x\n\tbridge-ports a b\n", ["b joins x"]),
    "port-leaves-a-bridge": ("iface x\n\tbridge-ports a b\n", "iface x\n\tbridge_ports a\n", ["b leaves x"]),
    "none-is-no-port": ("iface x\n\tbridge-ports none\n", "iface x\n\tbridge-ports a\n", ["a joins x"]),
    "bond-mode": ("iface x\n\tbond-mode 1\n", "iface x\n\tbond-mode 802.3ad\n", ["x goes down and up: mode changes"]),
    "bond-hash-policy": ("iface x\n", "iface x\n\tbond-xmit-hash-policy layer3+4\n", ["x goes down and up: xmit-hash-policy changes"]),
    "bond-rate": ("iface x\n\tbond-lacp-rate slow\n", "iface x\n\tbond-lacp-rate fast\n", ["x goes down and up: lacp-rate changes"]),
    "bond-min-links": ("iface x\n\tbond-min-links 1\n", "iface x\n\tbond-min-links 2\n", ["x goes down and up: min-links changes"]),
    "address": (
        "iface x\n\taddress 10.0.0.1/24\n",
        "iface x\n\taddress 10.0.0.2/24\n",
        ["x changes its address: sessions to the old one end"],
    ),
    "mtu": ("iface x\n\tmtu 1500\n", "iface x\n\tmtu 9000\n", ["x changes its MTU while it stays up"]),
    "mtu-of-two-families": (
        "iface x inet static\n\tmtu 1500\niface x inet6 static\n\tmtu 1500\n",
        "iface x inet static\n\tmtu 9000\niface x inet6 static\n\tmtu 9000\n",
        ["x changes its MTU while it stays up"],
    ),
    "mtu-that-is-the-default": ("iface x\n", "iface x\n\tmtu 1500\n", []),
    "larger-mtu-of-a-bond": (
        "iface a\n\tmtu 1500\niface x\n\tbond-slaves a b\n",
        "iface a\n\tmtu 9000\niface x\n\tbond-slaves a b\n\tmtu 9000\n",
        ["x changes its MTU while it stays up", f"a and b get the MTU of x: {RESTART}"],
    ),
    "smaller-mtu-of-a-bond": (
        "iface x\n\tbond-slaves a b\n\tmtu 9000\n",
        "iface x\n\tbond-slaves a b\n\tmtu 1500\n",
        [
            "x changes its MTU while it stays up",
            f"a and b get the MTU of x: {RESTART}",
            "packets of more than 1500 bytes to x are lost until their senders have the smaller MTU too",
        ],
    ),
    "mtu-below-a-vlan": (
        "iface x\niface x.30\niface v\n\tvlan-raw-device x\niface x.40\n\tmtu 1500\n",
        "iface x\n\tmtu 9000\niface x.30\niface v\n\tvlan-raw-device x\niface x.40\n\tmtu 1500\n",
        ["x changes its MTU while it stays up", "x.30 also gets the MTU of x", "v also gets the MTU of x"],
    ),
    "mtu-of-one-member": (
        "iface a\n\tmtu 1500\niface x\n\tbond-slaves a b\n\tmtu 9000\n",
        "iface a\n\tmtu 9000\niface x\n\tbond-slaves a b\n\tmtu 9000\n",
        ["a changes its MTU while it stays up"],
    ),
    "larger-mtu-of-a-bridge": (
        "iface x\n\tbridge-ports a\n",
        "iface x\n\tbridge-ports a\n\tmtu 9000\n",
        [
            "x changes its MTU while it stays up",
            "x sends packets of up to 9000 bytes: larger packets than a receiver accepts are lost, except TCP",
        ],
    ),
    "gateway": ("iface x\n\tgateway 10.0.0.1\n", "iface x\n\tgateway 10.0.0.2\n", ["x changes the default route"]),
    "mac": (
        "iface x\n",
        "iface x\n\thwaddress 02:00:00:00:00:01\n",
        ["x goes down and up and changes its MAC: neighbours' ARP entries go stale"],
    ),
    "nothing": (SAME, SAME, []),
    "same-in-other-words": (
        SAME,
        SAME.replace("a b", "b  a").replace("802.3ad", "4").replace("bond-", "bond_").replace("\n\n", "\n# why\n"),
        [],
    ),
    "attribute-that-carries-no-traffic": ("iface x\n\talias old\n", "iface x\n\talias new\n", []),
}


@pytest.mark.parametrize(("before", "after", "expected"), RULES.values(), ids=RULES)
def test_impact(before: str, after: str, expected: list[str]) -> None:
    assert list(interfaces_impact(before, after)) == expected


SPEAKS = "interface x\n ip ospf area 0.0.0.0\nexit\nrouter ospf\nexit\n"
BY_NETWORK = "router ospf\n network 10.0.0.0/24 area 0.0.0.0\nexit\n"
PASSIVE = SPEAKS.replace("0.0.0.0\n", "0.0.0.0\n ip ospf passive\n")
PORT = "iface x\n\taddress 10.0.0.1/31\n\tmtu 1500\n"
LARGER, MOVED = PORT.replace("1500", "9000"), PORT.replace("10.0.0.1", "10.0.0.3")
MTU_SAID = "x's OSPF adjacency goes down until the other end has the same MTU"
ADDRESS_SAID = "x's OSPF adjacency goes down: the port loses the address that OSPF uses"
ADJACENCIES = {
    "mtu": (SPEAKS, LARGER, ["x changes its MTU while it stays up", MTU_SAID]),
    "mtu-of-a-port-by-its-address": (BY_NETWORK, LARGER, ["x changes its MTU while it stays up", MTU_SAID]),
    "mtu-of-a-passive-port": (PASSIVE, LARGER, ["x changes its MTU while it stays up"]),
    "mtu-without-ospf": ("", LARGER, ["x changes its MTU while it stays up"]),
    "address": (SPEAKS, MOVED, ["x changes its address: sessions to the old one end", ADDRESS_SAID]),
    "address-goes": (SPEAKS, "iface x\n\tmtu 1500\n", ["x changes its address: sessions to the old one end", ADDRESS_SAID]),
    "another-address-comes": (SPEAKS, f"{PORT}\taddress 10.9.0.1/31\n", []),
    "port-goes": (SPEAKS, "", ["x is taken down: it is no longer in the file", "x's OSPF adjacency ends"]),
    "held-down": (SPEAKS, f"{PORT}\tlink-down yes\n", ["x is shut down", "x's OSPF adjacency goes down with it"]),
}


@pytest.mark.parametrize(("frr_conf", "after", "expected"), ADJACENCIES.values(), ids=ADJACENCIES)
def test_impact_on_adjacencies_of_the_files_together(frr_conf: str, after: str, expected: list[str]) -> None:
    """Whichever of the two files changes, the other one defines the OSPF ports."""
    assert list(network_impact({INTERFACES: PORT, FRR_CONF: frr_conf}, {INTERFACES: after})) == expected
