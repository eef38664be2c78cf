"""OSPF's settings on each port, against the inventory and against the other end of the cable."""

from collections.abc import Iterator

from inventory.site import Cable, Site
from tasks.core.model.check import Finding, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_EITHER, RELOAD_FRR
from tasks.network.ospf.causes import authentication, differences, frr_of, intended_authentication
from tasks.network.ospf.facts import FRR, OspfPort
from tasks.platforms.frr.frr_file import FrrFile

TAGS = ("network", "ospf")
POINT_TO_POINT = "point-to-point"
TYPES = {"POINTOPOINT": POINT_TO_POINT}


def _live(site: Site, facts: Facts, host: str) -> Iterator[tuple[Cable, str, OspfPort]]:
    """The host's routed cables on whose ports OSPF runs, with the port and its OSPF settings."""
    for cable in site.routed(host):
        port = cable.near(host).port
        if (live := facts[host][FRR].ports.get(port)) is not None:
            yield cable, port, live


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_FRR, tags=TAGS)
def ospf_runs_on_every_routed_port(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """OSPF runs on the port of every routed cable."""
    for cable in site.routed(host):
        port, frr = cable.near(host).port, facts[host][FRR]
        configured = port not in frr.ports and FrrFile(frr.configuration).get((f"interface {port}",), "ip ospf area") is not None
        got = "OSPF, not passive" if port in frr.ports and not frr.ports[port].passive else "passive" if port in frr.ports else "no OSPF"
        yield Finding(
            f"{host}:{port}", "OSPF, not passive", "OSPF as soon as port and address exist" if configured else got, port, configured or None
        )


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_FRR, tags=TAGS)
def ospf_areas_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed port is in the site's area."""
    for _, port, live in _live(site, facts, host):
        yield Finding(f"{host}:{port} area", str(site.ospf.area), live.area, port)


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_FRR, tags=TAGS)
def ospf_timers_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed port has the site's hello and dead intervals."""
    want = f"hello {site.ospf.hello_s} s, dead {site.ospf.dead_s} s"
    for _, port, live in _live(site, facts, host):
        yield Finding(f"{host}:{port} timers", want, f"hello {live.hello_ms / 1000:g} s, dead {live.dead_s} s", port)


@check(needs=(FRR,), severity=Severity.MAJOR, remediation=RELOAD_FRR, tags=(*TAGS, "path"), scope=Scope.PEERS)
def ospf_costs_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed port has the cost of its network."""
    for cable, port, live in _live(site, facts, host):
        yield Finding(f"{host}:{port} cost", str(site.networks[str(cable.network)].ospf_cost), str(live.cost), port)


@check(needs=(FRR,), severity=Severity.MAJOR, remediation=RELOAD_FRR, tags=TAGS)
def ospf_ports_are_point_to_point(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed port is point-to-point, so that it elects no designated router."""
    for _, port, live in _live(site, facts, host):
        yield Finding(f"{host}:{port} network type", POINT_TO_POINT, TYPES.get(live.network_type, live.network_type.lower()), port)


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_FRR, tags=(*TAGS, "security"))
def ospf_is_signed_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every routed port signs its hellos with the site's key, or does not sign them if the site has no key."""
    want = intended_authentication(site)
    for _, port, _live_port in _live(site, facts, host):
        found = authentication(facts[host][FRR], port)
        intended = "signed with the site's key" if site.ospf_key else "not signed"
        other = "authentication differs: not signed" if found == (None, None, ()) else "authentication differs: signed in another way"
        yield Finding(f"{host}:{port} authentication", intended, intended if found == want else other, port)


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_FRR, tags=TAGS)
def loopback_is_announced(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The loopback is in the site's area, and passive."""
    if any(site.routed(host)):
        live = facts[host][FRR].ports.get("lo")
        got = f"area {live.area}{', passive' if live.passive else ''}" if live else "no OSPF"
        yield Finding(f"{host}:lo", f"area {site.ospf.area}, passive", got, "lo")


@check(
    needs=(FRR,),
    severity=Severity.MAJOR,
    remediation="Remove OSPF from that port, or add its cable to cables.yaml: a router that runs OSPF there can attract traffic.",
    tags=(*TAGS, "security"),
)
def ospf_speaks_on_routed_ports_alone(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """OSPF sends hellos only on ports with a routed cable."""
    routed = {cable.near(host).port for cable in site.routed(host)}
    if routed:
        others = sorted(name for name, port in facts[host][FRR].ports.items() if name not in routed and not port.passive)
        want = "routed ports only"
        yield Finding(f"{host}:ospf", want, f"also {' '.join(others)}" if others else want)


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation=RELOAD_EITHER, tags=(*TAGS, "mtu"), scope=Scope.PEERS)
def ends_of_a_routed_cable_agree(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Both ends of a routed cable have one area, one pair of timers, one network type, one MTU and one key."""
    for cable, port, _ in _live(site, facts, host):
        far, there = cable.far(host), frr_of(facts, cable.far(host).host)
        if there and far.port in there.ports:
            want = f"as {far}"
            yield Finding(f"{host}:{port}", want, "; ".join(differences(site, facts, host, cable)) or want, port)


@check(needs=(FRR,), severity=Severity.MAJOR, remediation=RELOAD_FRR, tags=(*TAGS, "path"), scope=Scope.PEERS)
def ends_of_a_routed_cable_have_one_cost(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Both ends of a routed cable have the same cost, so that replies take the same path as requests."""
    for cable, port, live in _live(site, facts, host):
        far, there = cable.far(host), frr_of(facts, cable.far(host).host)
        if there and far.port in there.ports:
            yield Finding(f"{host}:{port} cost as {far}", str(there.ports[far.port].cost), str(live.cost), port)


OWN_PORT_CHECKS = (
    ospf_runs_on_every_routed_port,
    ospf_areas_are_as_intended,
    ospf_timers_are_as_intended,
    ospf_costs_are_as_intended,
    ospf_ports_are_point_to_point,
    ospf_is_signed_as_intended,
    loopback_is_announced,
)
PORT_CHECKS = (
    *OWN_PORT_CHECKS,
    ospf_speaks_on_routed_ports_alone,
    ends_of_a_routed_cable_agree,
    ends_of_a_routed_cable_have_one_cost,
)
