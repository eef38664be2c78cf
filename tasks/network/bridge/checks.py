"""Bridges: spanning tree is as intended, and without it no two ports lead to the same neighbour."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import NEIGHBOURS
from tasks.network.ospf.facts import COUNTERS

TAGS = ("network", "bridge")


@check(
    needs=(COUNTERS,),
    severity=Severity.MAJOR,
    remediation="Correct `bridge-stp` of the bridge in /etc/network/interfaces and run `ifreload -a`, or correct `spanning_tree` in"
    " the inventory. With spanning tree, a port forwards nothing for 30 s after it comes up.",
    tags=TAGS,
)
def spanning_tree_is_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The host's bridge runs the spanning tree protocol if and only if the inventory says so."""
    bridge = site.hosts[host].bridge
    if (live := facts[host][COUNTERS].get(bridge)) is not None and live.stp is not None:
        yield Finding(f"{host}:{bridge} spanning tree", site.hosts[host].spanning_tree, "on" if live.stp else "off", bridge)


def _behind(site: Site, facts: Facts, host: str, port: str) -> set[str]:
    """The hosts at the other end of a port or bond: the LLDP neighbours of a port, else the host in the cable table."""
    bond = next((one for one in site.hosts[host].bonds if one.name == port), None)
    if bond is not None:
        return {bond.peer_host}
    cabled = site.peer(host, port)
    return {one.end(site).host for one in facts[host][NEIGHBOURS].get(port, ())} or ({cabled.host} if cabled else set())


@check(
    needs=(COUNTERS, NEIGHBOURS),
    severity=Severity.CRITICAL,
    remediation="Pull one of the cables, or put both into one bond: without spanning tree two ports to the same switch are a loop.",
    tags=TAGS,
)
def bridge_ports_make_no_loop(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No two ports of a bridge lead to the same neighbour, unless spanning tree blocks one of them."""
    bridge = site.hosts[host].bridge
    live = facts[host][COUNTERS].get(bridge)
    if not site.hosts[host].bonds or (live is not None and live.stp):
        return
    ports = [name for name, live in facts[host][COUNTERS].items() if live.master == bridge]
    behind = {port: _behind(site, facts, host, port) for port in ports}
    for far in sorted(set().union(*behind.values())):
        ways = sorted(port for port, hosts in behind.items() if far in hosts)
        want = "one way"
        yield Finding(f"{host}:{bridge} to {far}", want, want if len(ways) == 1 else f"{len(ways)} ways: {' '.join(ways)}", ways[0])


BRIDGE_CHECKS = (spanning_tree_is_as_intended, bridge_ports_make_no_loop)
