"""LACP with a switch that is not Linux's bond: Open vSwitch 3.5 has a protocol engine of its own (lib/lacp.c)."""

import re
from collections.abc import Iterator

import pytest
from rehearsal import Lab
from sites import variant

NETWORK = ("--stage", "network")
UNMANAGED = {"sw-rack:\n  groups: [switch]\n": "sw-rack:\n  groups: [switch]\n  managed: false\n"}
# The switch's bridge becomes Open vSwitch's. The firmware of the lab's own switch, which suspends Linux's bonds, ends.
CONVERT = r"""
set -e
export DEBIAN_FRONTEND=noninteractive
apt-get -qq install -y --no-install-recommends openvswitch-switch >/dev/null
systemctl stop lab-switchd
systemctl start openvswitch-switch
mac=$(cat /sys/class/net/br0/address)
ip link del br0
ovs-vsctl add-br br0 -- set bridge br0 other-config:hwaddr="\"$mac\""
for port in swp1 swp2 swp3 swp4 swp5 swp6 swp7; do ovs-vsctl add-port br0 $port; ip link set $port up; done
ip link set br0 up
ip address add 172.16.0.2/16 dev br0
ip route replace default via 172.16.0.1
"""
BUNDLE = """
ovs-vsctl del-port br0 {one} -- del-port br0 {two} -- add-bond br0 {name} {one} {two} \
  lacp=active bond_mode=balance-tcp other_config:lacp-time=fast bond_updelay=100
"""


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh site whose rack switch runs Open vSwitch and is not Burrow's to configure. Afterwards the lab is fresh again."""
    lab.reset()
    lab.command("exec", "sw-rack", "--", "sh", "-c", CONVERT)
    lab.wait("the nodes answer through Open vSwitch", lambda: all(lab.reachable(host) for host in ("alvin", "simon", "sw-rack")), 30)
    yield variant(tmp_path_factory.mktemp("site"), hosts=UNMANAGED)
    lab.reset()


def negotiated(lab: Lab, name: str) -> bool:
    """Whether Open vSwitch reports that the channel is negotiated, and both its ports take part."""
    shown = lab.sh("sw-rack", f"ovs-appctl lacp/show {name}", check=False)
    return "status: active negotiated" in shown and shown.count("current attached") == 2


def aggregators(lab: Lab, host: str) -> set[str]:
    """The aggregators that the ports of a node's bond are in."""
    ports = lab.sh(host, "cat /proc/net/bonding/bond0").split("Slave Interface")[1:]
    return {found[1] for port in ports if (found := re.search(r"Aggregator ID: (\d+)", port))}


def test_a_channel_is_bundled_after_the_node(lab: Lab, site: str) -> None:
    """The node's end comes first and keeps its connection; once the switch bundles, both ends say that all ports take part."""
    done = lab.runbook("bootstrap", *NETWORK, "--site", site, "--limit", "alvin")
    assert "sw-rack: bundle swp1 and swp2 as one fast LACP channel to alvin" in done.out, done.out
    assert " 0% packet loss" in lab.sh("sw-core", "ping -q -c 100 -i 0.02 172.16.101.1")
    lab.sh("sw-rack", BUNDLE.format(name="po-alvin", one="swp1", two="swp2"))
    lab.wait("Open vSwitch has negotiated", lambda: negotiated(lab, "po-alvin"), 20)
    mac = lab.sh("sw-rack", "ovs-appctl lacp/show po-alvin | sed -n 's/^ *sys_id: //p' | head -n 1").strip()
    assert lab.partners("alvin", "bond0") == [mac, mac]
    assert len(aggregators(lab, "alvin")) == 1
    lab.wait_for_success(30, "audit", "--site", site, "--limit", "alvin", "--tags", "bond")


def test_a_pulled_cable_leaves_the_channel_with_one_port(lab: Lab, site: str) -> None:
    """Traffic goes on over the other port, and the audit names the missing one."""
    lab.command("cut", "alvin:eno1")
    lab.wait(
        "Open vSwitch has one port left", lambda: lab.sh("sw-rack", "ovs-appctl lacp/show po-alvin").count("current attached") == 1, 10
    )
    assert " 0% packet loss" in lab.sh("sw-core", "ping -q -c 100 -i 0.02 172.16.101.1")
    code, audit = lab.report("audit", "--site", site, "--limit", "alvin", "--tags", "bond")
    failed = [row["target"] for row in audit["stages"][0]["findings"] if not row["ok"]]
    assert code == 1
    assert any(target.startswith("alvin:eno1") for target in failed), failed
    lab.command("splice", "alvin:eno1")
    lab.wait("both ports take part again", lambda: negotiated(lab, "po-alvin"), 20)
    lab.wait_for_success(30, "audit", "--site", site, "--limit", "alvin", "--tags", "bond")


def test_a_port_in_another_channel_is_found(lab: Lab, site: str) -> None:
    """A cable that leads into another channel of the same switch gets another aggregator, which the audit names."""
    lab.sh("sw-rack", "ovs-vsctl del-port br0 po-alvin; ip link add swp9 type dummy")
    for name, one, two in (("po-alvin", "swp1", "swp8"), ("other", "swp2", "swp9")):
        lab.sh("sw-rack", f"ovs-vsctl add-bond br0 {name} {one} {two} lacp=active other_config:lacp-time=fast", check=False)
    lab.wait("each port has an aggregator of its own", lambda: len(aggregators(lab, "alvin")) == 2, 20)
    code, audit = lab.report("audit", "--site", site, "--limit", "alvin", "--tags", "bond")
    failed = [row["check"] for row in audit["stages"][0]["findings"] if not row["ok"]]
    assert code == 1
    assert "bond_members_share_one_aggregator" in failed, failed
