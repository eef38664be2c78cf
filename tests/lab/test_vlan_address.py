"""The host's own address on a VLAN, and ports that other interfaces use: what a run refuses before any change, and what it does."""

from pathlib import Path

import pytest
from rehearsal import Lab
from sites import variant

pytestmark = pytest.mark.lab

UPLINK = ("--stage", "network", "--set", "uplink alvin")
ON_A_VLAN = {"management: vmbr0\n": "management: vmbr0.10\n"}
# sw-core is a proxy ARP router between the untagged operator and alvin in VLAN 10. sw-rack forwards both.
CORE = """ip link add link br0 name br0.10 type vlan id 10 && ip link set br0.10 up
sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.br0.proxy_arp=1 net/ipv4/conf/br0.10/proxy_arp=1
ip route replace 172.16.101.1/32 dev br0.10"""
CORE_BACK = "ip route del 172.16.101.1/32 dev br0.10; ip link del br0.10; sysctl -qw net.ipv4.conf.br0.proxy_arp=0"
NODE = """sed -i -e 's/^iface vmbr0 inet static/iface vmbr0 inet manual/' -e '/^\\taddress 172/d' -e '/^\\tgateway/d' \
 -e 's/^\\tbridge-fd 0/\\tbridge-fd 0\\n\\tbridge-vlan-aware yes\\n\\tbridge-vids 2-4094/' /etc/network/interfaces
printf '\\nauto vmbr0.10\\niface vmbr0.10 inet static\\n\\taddress 172.16.101.1/16\\n\\tgateway 172.16.0.1\\n' >> /etc/network/interfaces
ifreload -a"""


def refused(lab: Lab, *flags: str) -> str:
    """The reason why alvin's uplink is refused. Neither its file nor its reachability changes."""
    before = lab.sh("alvin", "cat /etc/network/interfaces; ip -br addr")
    code, report = lab.report("bootstrap", *UPLINK, *flags)
    (one,) = [one for stage in report["stages"] for one in stage["sets"] if one["set"] == "uplink alvin"]
    assert (code, one["state"]) == (3, "refused"), one
    assert lab.sh("alvin", "cat /etc/network/interfaces; ip -br addr") == before
    assert lab.reachable("alvin")
    return " ".join(one["reasons"])


def test_an_address_is_not_moved_to_a_vlan(lab: Lab, tmp_path: Path) -> None:
    why = refused(lab, "--site", variant(tmp_path / "site", groups=ON_A_VLAN))
    assert "wanted 172.16.101.1/16 on vmbr0.10; it is on vmbr0 (/etc/network/interfaces:" in why


def test_a_live_vlan_on_a_member_keeps_its_port(lab: Lab) -> None:
    """As Proxmox creates it for a guest with a VLAN tag on a bridge that is not VLAN-aware."""
    lab.sh(
        "alvin", "ip link add link eno2 name eno2.20 type vlan id 20; ip link add vmbr0v20 type bridge; ip link set eno2.20 master vmbr0v20"
    )
    assert "eno2 is already used by eno2.20 (live, a port of vmbr0v20)" in refused(lab)
    assert "master vmbr0v20" in lab.sh("alvin", "ip link show eno2.20")
    lab.sh("alvin", "ip link del eno2.20; ip link del vmbr0v20")


def test_a_sourced_file_keeps_its_port(lab: Lab) -> None:
    path = "/etc/network/interfaces.d/storage"
    lab.sh("alvin", f"printf 'auto bond7\\niface bond7 inet manual\\n\\tbond-slaves glob eno2-4\\n' > {path}")
    assert f"eno2 is already used by bond7 ({path}:2: bond-slaves glob eno2-4)" in refused(lab)
    lab.sh("alvin", f"rm {path}")


def test_a_bond_goes_under_the_vlan_with_the_address(lab: Lab, tmp_path: Path) -> None:
    site = variant(tmp_path / "site", groups=ON_A_VLAN)
    lab.sh("sw-core", CORE)
    lab.sh("alvin", NODE)
    lab.wait("alvin answers on its VLAN", lambda: lab.reachable("alvin"), 20)
    done = lab.runbook("bootstrap", *UPLINK, "--site", site)
    assert done.code == 0, done.out + done.err
    assert "172.16.101.1/16" in lab.sh("alvin", "ip -br addr show vmbr0.10")
    assert "172.16" not in lab.sh("alvin", "ip -br addr show vmbr0")
    assert "master vmbr0 " in lab.sh("alvin", "ip link show bond0")
    assert " 10" in lab.sh("alvin", "bridge vlan show dev bond0")
    partners = lab.partners("alvin", "bond0")
    assert len(partners) == 2
    assert "00:00:00:00:00:00" not in partners
    assert lab.reachable("alvin")
    assert lab.report("bootstrap", *UPLINK, "--site", site)[0] == 0
    for host in ("sw-rack", "alvin"):
        lab.put_back(host)
    lab.sh("sw-core", CORE_BACK, check=False)
    lab.wait("alvin answers without a VLAN", lambda: lab.reachable("alvin"), 20)
