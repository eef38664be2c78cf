"""MTUs of bridged ports, bonds and bridges: as the inventory sets them, and no larger than the port below or the other end accepts."""

from collections.abc import Iterator

from inventory.site import Bond, Site
from tasks.core.model.check import Finding, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import BONDS, LINKS
from tasks.network.links.remedies import RELOAD_INTERFACES
from tasks.network.uplink.probes import UPLINK_PROBES, ProbePath, neighbour, probe_paths

TAGS = ("network", "mtu")
WELL = "answers"


def _mtu(facts: Facts, host: str, name: str) -> int | None:
    live = facts[host][LINKS].get(name)
    return live.mtu_bytes if live else None


@check(
    needs=(LINKS, BONDS),
    severity=Severity.CRITICAL,
    remediation=f"{RELOAD_INTERFACES} A member without `mtu` in its stanza keeps an MTU set by hand: `ip link set dev MEMBER mtu MTU`.",
    tags=(*TAGS, "bond"),
)
def bonds_and_their_members_have_one_mtu(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A bond and each of its members have the inventory's MTU. Without one in the inventory, the members have the bond's."""
    for bond in site.hosts[host].bonds:
        live = _mtu(facts, host, bond.name)
        if live is None:
            continue
        wanted = str(bond.mtu_bytes or live)
        yield Finding(f"{host}:{bond.name} mtu", wanted, str(live), bond.name)
        for port in _joined(facts, bond):
            yield Finding(f"{host}:{port} mtu", wanted, str(_mtu(facts, host, port)), bond.name)


def _joined(facts: Facts, bond: Bond) -> list[str]:
    live = facts[bond.host][BONDS].get(bond.name)
    return [port for port in bond.members if live and port in live.members]


@check(needs=(LINKS,), severity=Severity.CRITICAL, remediation=RELOAD_INTERFACES, tags=(*TAGS, "bridge"))
def bridges_have_the_mtu_of_their_ports(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The bridge with the host's own address has at least the MTU that the inventory sets for its ports, and at most its largest port's."""
    bridge, configured = site.hosts[host].bridge, [mtu for mtu in site.bridged(host).values() if mtu is not None]
    live = _mtu(facts, host, bridge)
    ports = [link.mtu_bytes for link in facts[host][LINKS].values() if link.master == bridge]
    if live is None or not site.bridged(host) or not ports:
        return
    least, most = max(configured, default=0), max(ports)
    if live > most:
        yield Finding(f"{host}:{bridge} mtu", f"at most {most}, as its largest port", str(live), bridge)
    else:
        yield Finding(f"{host}:{bridge} mtu", str(least or live), str(live), bridge, passed=live >= least)


@check(needs=(LINKS,), severity=Severity.CRITICAL, remediation=RELOAD_INTERFACES, tags=TAGS)
def single_ports_have_their_mtu(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A cabled port that is in no bond has the inventory's MTU."""
    for cable in site.cables_of(host):
        near = cable.near(host)
        wanted, live = site.hosts[host].ports[near.port].configured_mtu_bytes, _mtu(facts, host, near.port)
        if cable.network is None and cable.bonds == (None, None) and wanted is not None and live is not None:
            yield Finding(f"{near} mtu", str(wanted), str(live), near.port)


@check(
    needs=(LINKS,),
    severity=Severity.MAJOR,
    remediation="Set one mtu_bytes for both ends in the inventory and run the network stage: it raises the smaller end."
    " If it plans nothing, run `ifreload -a` on both ends to apply the files.",
    tags=TAGS,
    scope=Scope.PEERS,
)
def other_ends_take_what_is_sent(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No bridged port sends larger packets than the other end of its cable accepts. A switch may accept larger packets than a host."""
    for cable in site.cables_of(host):
        near, far = cable.near(host), cable.far(host)
        may_be_larger = _is_switch(site, host) and not _is_switch(site, far.host)
        if cable.network is not None or far.host not in facts or may_be_larger:
            continue
        one, other = _mtu(facts, host, near.port), _mtu(facts, far.host, far.port)
        if one is not None and other is not None:
            want, subject = f"at most {other}", cable.bonds[cable.ends.index(near)] or near.port
            yield Finding(f"{near} to {far} mtu", want, want if one <= other else str(one), subject)


def _is_switch(site: Site, host: str) -> bool:
    return "switch" in site.hosts[host].groups


def _answer(facts: Facts, host: str, path: ProbePath) -> str:
    sent = [one for one in facts[host][UPLINK_PROBES] if (one.address, one.mtu_bytes) == (path.address, path.mtu_bytes)]
    return "no packet was sent" if not sent else WELL if sent[0].answered else "no answer"


@check(
    needs=(UPLINK_PROBES,),
    severity=Severity.CRITICAL,
    remediation=f"Compare the MTU of both bridges, of the bonds and of every member. {RELOAD_INTERFACES}",
    tags=(*TAGS, "bond", "probe"),
)
def full_packets_cross_the_uplink(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """If the inventory sets an uplink's MTU, the largest packet reaches the bridge at the other end without fragmentation."""
    for path in probe_paths(site, host):
        yield Finding(
            f"{host}:{path.name} to {path.far_host} ({path.address}), {path.mtu_bytes} bytes", WELL, _answer(facts, host, path), path.name
        )


@check(
    needs=(UPLINK_PROBES,),
    severity=Severity.CRITICAL,
    remediation="A port on the path has a smaller MTU and drops larger packets without an error. On every switch between the two, check"
    " the ports' MTUs in `ip link` and in the inventory.",
    tags=(*TAGS, "probe"),
)
def full_packets_reach_the_next_node(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Nodes of one subnet with the same uplink MTU in the inventory reach each other with the largest packet. Each node probes the next."""
    if (path := neighbour(site, host)) is not None:
        target = f"{host} to {path.far_host} ({path.address}), {path.mtu_bytes} bytes"
        yield Finding(target, WELL, _answer(facts, host, path))


NODE_END_MTU_CHECKS = (bonds_and_their_members_have_one_mtu, bridges_have_the_mtu_of_their_ports)
UPLINK_MTU_CHECKS = (*NODE_END_MTU_CHECKS, other_ends_take_what_is_sent, full_packets_cross_the_uplink)
SWITCH_MTU_CHECKS = (single_ports_have_their_mtu, bridges_have_the_mtu_of_their_ports)
