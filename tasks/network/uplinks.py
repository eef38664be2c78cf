"""A node's bond and its switch's port channel as one change set."""

from collections.abc import Iterator

from inventory.schema import Bond, Site
from tasks.checks.bonds import BOND_CHECKS, NODE_END_CHECKS
from tasks.core.change import ChangeSet, Member
from tasks.network.bonds import PortChannel, UplinkBond
from tasks.network.switch_ports import SwitchPorts


def uplinks(site: Site) -> Iterator[ChangeSet]:
    """One set for each node. The safe half is node in LACP and switch plain: a vendor's switch suspends a channel without a partner."""
    for host in site.members_of("proxmox"):
        for bond in host.bonds:
            yield _uplink(site, bond)


def _uplink(site: Site, bond: Bond) -> ChangeSet:
    node = Member(bond.host, (UplinkBond(bond.host, bond.name),), safe_alone=True)
    bridge = site.hosts[bond.host].management
    if not site.hosts[bond.peer_host].managed:
        return ChangeSet(
            f"uplink {bond.host}",
            (node,),
            NODE_END_CHECKS,
            {bond.host: frozenset({bond.name, bridge})},
            by_hand=(f"{bond.peer_host}: bundle {' and '.join(bond.peer_members)} as one {site.lacp.rate} LACP channel to {bond.host}",),
        )
    switch = Member(bond.peer_host, (SwitchPorts(bond.peer_host, bond.peer_members), PortChannel(bond.peer_host, bond.peer_name)))
    subjects = {bond.host: frozenset({bond.name, bridge}), bond.peer_host: frozenset({bond.peer_name})}
    return ChangeSet(f"uplink {bond.host}", (node, switch), BOND_CHECKS, subjects)
