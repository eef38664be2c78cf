"""Paths through the fabric: two to each router, the cheapest preferred, with the loopback as source."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from inventory.site import Cable, Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_FRR
from tasks.network.ospf.facts import FRR, ROUTES

TAGS = ("network", "ospf", "path")
ENOUGH = 2


class Paths:
    """How many paths without a common link lead from one router to another, at most two.

    A link counts only if both of its ends list it (RFC 2328, section 16.1). Two such paths exist where no single link connects the two
    sides, so a link whose loss divides the graph (a bridge) is between routers with one path.
    """

    def __init__(self, links: Iterable[tuple[str, str]]) -> None:
        import networkx as nx  # noqa: PLC0415 (start-up)

        listed = Counter(links)
        both = {(one, other): min(count, listed[other, one]) for (one, other), count in listed.items() if one != other}
        graph = nx.Graph(pair for pair, count in both.items() if count)
        self._connected = _numbered(nx.connected_components(graph))
        graph.remove_edges_from([pair for pair in nx.bridges(graph) if both[pair] < ENOUGH])
        self._twice = _numbered(nx.connected_components(graph))

    def between(self, start: str, end: str) -> int:
        """0, 1 or 2; from a router to itself 0."""
        if start == end or start not in self._connected or self._connected[start] != self._connected.get(end):
            return 0
        return ENOUGH if self._twice[start] == self._twice[end] else 1


# All routers of an area have the same links.
_paths = lru_cache(maxsize=8)(Paths)


def _numbered(components: Iterable[Iterable[str]]) -> dict[str, int]:
    return {router: number for number, component in enumerate(components) for router in component}


def _cabled(site: Site) -> Iterator[tuple[str, str]]:
    """Every routed cable in both directions."""
    for cable in site.cables:
        if cable.network is not None:
            one, other = (end.host for end in cable.ends)
            yield from ((one, other), (other, one))


def _to(site: Site, host: str) -> dict[str, list[Cable]]:
    """{host at the other end: the routed cables to it, the cheapest first}."""
    found: dict[str, list[Cable]] = {}
    for cable in sorted(site.routed(host), key=lambda one: _cost(site, one)):
        found.setdefault(cable.far(host).host, []).append(cable)
    return found


def _cost(site: Site, cable: Cable) -> int:
    return site.networks[str(cable.network)].ospf_cost


def _other_routers(site: Site, host: str) -> dict[str, str]:
    """{host: loopback} of the other routers; empty if `host` is no router."""
    found = site.router_ids
    return {name: address for name, address in found.items() if name != host} if host in found else {}


@check(
    needs=(FRR,),
    severity=Severity.MAJOR,
    remediation="One more failure makes that host unreachable: find the missing neighbour (`ospf_neighbours_are_full`) and fix it first.",
    tags=TAGS,
)
def two_paths_lead_to_every_loopback(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Two paths without a common link lead to every other router's loopback, as far as the cables allow."""
    if not (others := _other_routers(site, host)):
        return
    frr, cabled = facts[host][FRR], _paths(tuple(_cabled(site)))
    linked = _paths(tuple(sorted((link.router, link.neighbour) for link in frr.links)))
    for name, loopback in others.items():
        announced = frr.announced.get(loopback, ())
        count = max((linked.between(frr.router_id, router) for router in announced), default=0)
        got = f"{count} disjoint paths" if announced else "no router announces it"
        yield Finding(f"{host} to {name} ({loopback})", f"{cabled.between(host, name)} disjoint paths", got)


@check(
    needs=(ROUTES,),
    severity=Severity.CRITICAL,
    remediation="Check the neighbours of both hosts (`ospf_neighbours_are_full`). Without a route, there is no traffic between them.",
    tags=TAGS,
)
def every_loopback_has_a_route(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The kernel has an OSPF route to every other router's loopback."""
    for name, loopback in _other_routers(site, host).items():
        yield Finding(f"{host} to {name} ({loopback})", "a route", "a route" if loopback in facts[host][ROUTES] else "no route")


@check(
    needs=(ROUTES,),
    severity=Severity.MAJOR,
    remediation="Traffic does not use the cheapest cable: check its port, its neighbour and the costs on both ends.",
    tags=TAGS,
)
def preferred_paths_are_the_cheapest(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Traffic to a directly cabled router takes the cable of the cheapest network."""
    loopbacks = _other_routers(site, host)
    for name, cables in _to(site, host).items():
        route = facts[host][ROUTES].get(loopbacks.get(name, ""))
        ports = sorted(cable.near(host).port for cable in cables if _cost(site, cable) == _cost(site, cables[0]))
        got = " ".join(sorted(route.ports)) if route else "no route"
        yield Finding(f"{host} to {name}", " ".join(ports), got, ports[0])


@check(
    needs=(FRR,),
    severity=Severity.MAJOR,
    remediation="If the better cable fails, there is no other path: check this port and its neighbour.",
    tags=TAGS,
)
def fallback_paths_are_ready(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """If a cable of higher cost leads to the same router, its neighbour is Full, ready for the better cable to fail."""
    for name, cables in _to(site, host).items():
        for cable in cables:
            if _cost(site, cable) > _cost(site, cables[0]):
                port = cable.near(host).port
                states = [neighbour.state for neighbour in facts[host][FRR].neighbours if neighbour.port == port]
                yield Finding(f"{host}:{port} to {name}", "Full", " ".join(states) or "no neighbour", port)


@check(
    needs=(ROUTES,),
    severity=Severity.MAJOR,
    remediation=f"{RELOAD_FRR} `vtysh -c 'show route-map'` shows what sets the source.",
    tags=TAGS,
)
def routes_come_from_the_loopback(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The host's own traffic over OSPF routes comes from the loopback's address, which no cable failure takes down."""
    if host in site.router_ids:
        for target, route in facts[host][ROUTES].items():
            yield Finding(
                f"{host} to {target}", f"from {site.router_ids[host]}", f"from {route.source or 'the address of the outgoing port'}"
            )


PATH_CHECKS = (
    two_paths_lead_to_every_loopback,
    every_loopback_has_a_route,
    preferred_paths_are_the_cheapest,
    fallback_paths_are_ready,
    routes_come_from_the_loopback,
)
