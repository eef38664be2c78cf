"""The two ends of a LAG as one change set: a node's bond and its switch's port channel, or an inter-switch LAG."""

from collections.abc import Iterator

from inventory.models import Fallback
from inventory.site import Bond, Site
from tasks.core.model.change import ChangeSet, Concurrency, Member
from tasks.network.forwarding.checks import GATEWAY_CHECKS
from tasks.network.mtu.change import RaisedMtus, SwitchMtus
from tasks.network.mtu.checks import SWITCH_MTU_CHECKS
from tasks.network.switch.change import SwitchPorts
from tasks.network.switch.gateway import GatewayPorts
from tasks.network.uplink.change import PortChannel, UplinkBond
from tasks.network.uplink.checks import BOND_CHECKS, NODE_END_CHECKS

AFTER_LARGER_PACKETS = Concurrency(after=("larger packets",))
AFTER_HOSTS = Concurrency(after=("larger packets", "uplink *", "gateway *", "fabric *"))


def uplinks(site: Site) -> Iterator[ChangeSet]:
    """One set for each node's bond. The node is safe alone: a bond works on plain ports, a vendor's channel without a partner does not."""
    for host in site.members_of("proxmox"):
        for bond in host.bonds:
            yield _uplink(site, bond)


def _uplink(site: Site, bond: Bond) -> ChangeSet:
    node = Member(bond.host, (UplinkBond(bond.host, bond.name),), safe_alone=True)
    own = site.hosts[bond.host]
    if not site.hosts[bond.peer_host].managed:
        return ChangeSet(
            f"uplink {bond.host}",
            (node,),
            NODE_END_CHECKS,
            {bond.host: frozenset({bond.name, own.bridge, own.management})},
            by_hand=(_by_hand(site, bond.peer_host, bond.peer_members, bond.mtu_bytes, f" to {bond.host}"),),
            concurrency=AFTER_LARGER_PACKETS,
        )
    switch = Member(bond.peer_host, (SwitchPorts(bond.peer_host, bond.peer_members), PortChannel(bond.peer_host, bond.peer_name)))
    subjects = {bond.host: frozenset({bond.name, own.bridge, own.management}), bond.peer_host: frozenset({bond.peer_name})}
    return ChangeSet(f"uplink {bond.host}", (node, switch), BOND_CHECKS, subjects, concurrency=AFTER_LARGER_PACKETS)


def inter_switch_lags(site: Site) -> Iterator[ChangeSet]:
    """One set for each inter-switch LAG. The end that falls back to plain ports without a partner is safe alone."""
    seen: set[frozenset[tuple[str, str]]] = set()
    for host in site.hosts.values():
        for bond in host.bonds:
            ends = frozenset({(bond.host, bond.name), (bond.peer_host, bond.peer_name)})
            if "switch" in host.groups and "switch" in site.hosts[bond.peer_host].groups and ends not in seen:
                seen.add(ends)
                yield _inter_switch_lag(site, bond)


def _inter_switch_lag(site: Site, bond: Bond) -> ChangeSet:
    far = site.bond(bond.peer_host, bond.peer_name)
    ours = tuple(one for one in (bond, far) if site.hosts[one.host].managed)
    by_hand = (_by_hand(site, one.host, one.members, one.mtu_bytes) for one in (bond, far) if one not in ours)
    members = (Member(one.host, (SwitchPorts(one.host, one.members), PortChannel(one.host, one.name)), _falls_back(one)) for one in ours)
    checks = BOND_CHECKS if len(ours) == 2 else NODE_END_CHECKS
    subjects = {one.host: frozenset({one.name}) for one in ours}
    # The `larger packets` set raises its MTU before the hosts change. This set lowers it after them.
    order = AFTER_LARGER_PACKETS if bond.mtu_bytes is None else AFTER_HOSTS
    name = f"inter-switch LAG {bond.host} {far.host}"
    return ChangeSet(name, tuple(members), checks, subjects, by_hand=tuple(by_hand), concurrency=order)


def _by_hand(site: Site, host: str, members: tuple[str, ...], mtu_bytes: int | None, to: str = "") -> str:
    larger = f", for packets of {mtu_bytes} bytes," if mtu_bytes else ""
    return f"{host}: bundle {' and '.join(members)} as one {site.lacp.rate} LACP channel{larger}{to}"


def _falls_back(bond: Bond) -> bool:
    return bond.fallback is Fallback.INDIVIDUAL


def gateways(site: Site) -> Iterator[ChangeSet]:
    """One set for each managed switch that routes between its ports."""
    for host in site.members_of("switch"):
        if host.managed and any(port.address for port in host.ports.values()):
            member = Member(host.name, (GatewayPorts(host.name),), safe_alone=True)
            yield ChangeSet(f"gateway {host.name}", (member,), GATEWAY_CHECKS, concurrency=AFTER_LARGER_PACKETS)


def larger_packets(site: Site) -> Iterator[ChangeSet]:
    """One set for all managed switches whose ports have an MTU in the inventory, if there are any.

    It runs first: a port with a smaller MTU drops the large packets of two hosts that agree on them. A port with a larger MTU does no harm.
    """
    if members := tuple(Member(host, (RaisedMtus(host),), safe_alone=True) for host in _with_mtus(site)):
        yield ChangeSet("larger packets", members)


def packet_sizes(site: Site) -> Iterator[ChangeSet]:
    """One set for each managed switch whose ports have an MTU in the inventory, for its bridge and the ports in no LAG."""
    for host in _with_mtus(site):
        single = site.bridged(host).keys() - {bond.name for bond in site.hosts[host].bonds}
        member = Member(host, (SwitchMtus(host),), safe_alone=True)
        subjects = {host: frozenset({*single, site.hosts[host].bridge})}
        order = Concurrency(after=(*AFTER_HOSTS.after, "inter-switch *"))
        yield ChangeSet(f"packet sizes {host}", (member,), SWITCH_MTU_CHECKS, subjects, concurrency=order)


def _with_mtus(site: Site) -> Iterator[str]:
    for host in site.members_of("switch"):
        if host.managed and any(mtu_bytes is not None for mtu_bytes in site.bridged(host.name).values()):
            yield host.name
