"""Paths through the fabric: two to each router, the cheapest preferred, with the loopback as source."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator

from inventory.site import Cable, Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_FRR
from tasks.network.ospf.facts import FRR, ROUTES

TAGS = ("network", "ospf", "path")
ENOUGH = 2


def disjoint_paths(links: Iterable[tuple[str, str]], start: str, end: str) -> int:
    """The number of paths that share no link, at most two. A link counts only if both of its ends list it (RFC 2328, section 16.1)."""
    listed = Counter(links)
    free = Counter({(one, other): min(count, listed[other, one]) for (one, other), count in listed.items()})
    for found in range(ENOUGH):
        path = _path(free, start, end)
        if not path:
            return found
        for one, other in path:
            free[one, other] -= 1
            free[other, one] += 1
    return ENOUGH


def _path(free: Counter[tuple[str, str]], start: str, end: str) -> list[tuple[str, str]]:
    came: dict[str, str] = {start: start}
    queue = deque([start])
    while queue and end not in came:
        here = queue.popleft()
        for one, other in list(free):
            if one == here and other not in came and free[one, other] > 0:
                came[other] = here
                queue.append(other)
    path = []
    while end in came and end != start:
        path.append((came[end], end))
        end = came[end]
    return path


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
    for name, loopback in _other_routers(site, host).items():
        frr = facts[host][FRR]
        possible = disjoint_paths(_cabled(site), host, name)
        announced = frr.announced.get(loopback, ())
        links = [(link.router, link.neighbour) for link in frr.links]
        count = max((disjoint_paths(links, frr.router_id, router) for router in announced), default=0)
        got = f"{count} disjoint paths" if announced else "no router announces it"
        yield Finding(f"{host} to {name} ({loopback})", f"{possible} disjoint paths", got)


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
