"""Bonds: one aggregator and the intended partner, on both ends."""

from collections.abc import Iterator

from inventory.site import Bond, Site
from tasks.core.model.check import Finding, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import BONDS, LINKS, NO_PARTNER, BondLive
from tasks.network.links.remedies import RELOAD_INTERFACES
from tasks.network.mtu.checks import NODE_END_MTU_CHECKS, UPLINK_MTU_CHECKS

TAGS = ("network", "bond")


def _live(site: Site, facts: Facts, host: str) -> Iterator[tuple[Bond, BondLive | None]]:
    """The host's intended bonds, each with its live state in the kernel."""
    for bond in site.hosts[host].bonds:
        yield bond, facts[host][BONDS].get(bond.name)


@check(
    needs=(BONDS,),
    severity=Severity.CRITICAL,
    remediation=f"{RELOAD_INTERFACES} If it persists, look for a member cabled elsewhere (LLDP), or for a missing channel at the far end.",
    tags=TAGS,
)
def bond_members_share_one_aggregator(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every member of a bond is in its active aggregator."""
    for bond, live in _live(site, facts, host):
        if live is None:
            yield Finding(f"{host}:{bond.name}", f"a bond of {' '.join(bond.members)}", "no such bond", bond.name)
            continue
        for port in bond.members:
            member = live.members.get(port)
            got = "not a member" if member is None else f"aggregator {member.aggregator}"
            yield Finding(f"{host}:{port}", f"aggregator {live.aggregator}", got, bond.name)


@check(
    needs=(BONDS,),
    severity=Severity.CRITICAL,
    remediation="Compare the member's cable with cables.yaml, and the channel's ports on the other end.",
    tags=TAGS,
    scope=Scope.PEERS,
)
def bond_members_speak_to_the_intended_partner(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every member's LACP partner is the bond at the other end of its cable."""
    for bond, live in _live(site, facts, host):
        far = facts[bond.peer_host][BONDS].get(bond.peer_name) if bond.peer_host in facts else None
        systems = {member.system for member in far.members.values()} if far else set()
        for port, member in live.members.items() if live else ():
            partner = "no partner" if member.partner == NO_PARTNER else member.partner
            if bond.peer_host in facts and site.hosts[bond.peer_host].managed:
                want = f"{bond.peer_host}:{bond.peer_name} ({' '.join(sorted(systems)) or 'which does not exist'})"
                got = want if member.partner in systems else partner
            else:
                want = f"a LACP partner: {bond.peer_host} bundles {' and '.join(bond.peer_members)}"
                got = partner if member.partner == NO_PARTNER else want
            yield Finding(f"{host}:{port}", want, got, bond.name)


@check(needs=(BONDS,), severity=Severity.MAJOR, remediation=RELOAD_INTERFACES, tags=TAGS)
def bond_lacp_rate_is_equal_on_both_ends(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Both ends of a bond request LACPDUs at the site's rate."""
    for bond, live in _live(site, facts, host):
        if live is None:
            continue
        yield Finding(f"{host}:{bond.name}", site.lacp.rate, live.lacp_rate, bond.name)
        for port, member in live.members.items():
            if member.partner != NO_PARTNER:
                yield Finding(f"{host}:{port} partner", site.lacp.rate, "fast" if member.partner_fast else "slow", bond.name)


@check(needs=(BONDS,), severity=Severity.MAJOR, remediation="Check the cable, the transceiver and the port at the other end.", tags=TAGS)
def bond_members_have_carrier(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every member of a bond has a link."""
    for bond, live in _live(site, facts, host):
        for port, member in live.members.items() if live else ():
            yield Finding(f"{host}:{port}", "up", "up" if member.up else "down", bond.name)


@check(needs=(BONDS,), severity=Severity.MINOR, remediation=RELOAD_INTERFACES, tags=TAGS)
def bond_mode_and_hash_policy_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A bond runs 802.3ad with the site's hash policy."""
    for bond, live in _live(site, facts, host):
        if live is not None:
            yield Finding(f"{host}:{bond.name}", f"802.3ad {site.lacp.hash_policy}", f"{live.mode} {live.hash_policy}", bond.name)


@check(
    needs=(LINKS,),
    severity=Severity.CRITICAL,
    remediation=f"{RELOAD_INTERFACES} `bridge link` shows the ports.",
    tags=(*TAGS, "bridge"),
)
def management_bridge_carries_the_uplink(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The node's address is on the bridge, or on the bridge's VLAN that the inventory names, and the bond is a port of the bridge."""
    node, links = site.hosts[host], facts[host][LINKS]
    if "proxmox" not in node.groups:
        return
    holder = links.get(node.management)
    yield Finding(
        f"{host}:{node.management}",
        str(node.address),
        " ".join(holder.addresses) if holder else f"no such {'bridge' if node.vlan is None else 'VLAN'}",
        node.management,
        bool(holder and str(node.address) in holder.addresses),
    )
    if node.vlan is not None and holder is not None:
        got = f"VLAN {holder.vlan} of {holder.lower}"
        yield Finding(f"{host}:{node.management} below", f"VLAN {node.vlan} of {node.bridge}", got, node.management)
    for bond in node.bonds:
        yield Finding(
            f"{host}:{bond.name}",
            f"port of {node.bridge}",
            f"port of {getattr(links.get(bond.name), 'master', None) or 'no bridge'}",
            bond.name,
        )


BOND_CHECKS = (
    bond_members_share_one_aggregator,
    bond_members_speak_to_the_intended_partner,
    bond_lacp_rate_is_equal_on_both_ends,
    bond_members_have_carrier,
    bond_mode_and_hash_policy_are_as_intended,
    management_bridge_carries_the_uplink,
    *UPLINK_MTU_CHECKS,
)
# An unmanaged switch may still have plain ports, so a partner is not required.
NODE_END_CHECKS = (
    bond_members_have_carrier,
    bond_mode_and_hash_policy_are_as_intended,
    management_bridge_carries_the_uplink,
    *NODE_END_MTU_CHECKS,
)
