"""OSPF neighbours: the intended ones, all Full, and no other router."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_EITHER
from tasks.network.ospf.causes import called, causes
from tasks.network.ospf.facts import FRR, Neighbour

TAGS = ("network", "ospf")
FULL = "Full"


def _router(site: Site, neighbour: Neighbour) -> str:
    return f"{called(site, neighbour.router_id)} from {neighbour.address}"


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation=f"Fix the cause in the finding. If it names none, check the cable and its far end. {RELOAD_EITHER}",
    tags=TAGS,
    scope=Scope.PEERS,
)
def ospf_neighbours_are_full(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The router at the other end of every routed cable is a Full OSPF neighbour."""
    for cable in site.routed(host):
        near, far = cable.near(host), cable.far(host)
        address = str(cable.address(far.host).ip)
        neighbour = next((one for one in facts[host][FRR].neighbours if (one.port, one.address) == (near.port, address)), None)
        got = f"{neighbour.state} with {called(site, neighbour.router_id)}" if neighbour else "no neighbour"
        want = f"{FULL} with {far.host}"
        yield Finding(str(near), want, got if got == want else got + causes(site, facts, host, cable), near.port)


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation="Find out which device is plugged in there and why it runs OSPF. A key (`key_file`) keeps unintended routers out.",
    tags=TAGS,
)
def no_ospf_neighbour_is_unintended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSPF neighbour is the router that is cabled to that port."""
    intended = {cable.near(host).port: cable for cable in site.routed(host)}
    for neighbour in facts[host][FRR].neighbours if intended else ():
        cable, want = intended.get(neighbour.port), "no neighbour"
        if cable is not None:
            far = cable.far(host).host
            want = f"{called(site, site.router_ids.get(far, far))} from {cable.address(far).ip}"
        yield Finding(f"{host}:{neighbour.port}", want, _router(site, neighbour), neighbour.port)


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation="Fix the cause in the finding. A neighbour that stays in ExStart has another MTU; one in Init receives no hello from here.",
    tags=TAGS,
    scope=Scope.PEERS,
)
def heard_neighbours_are_full(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSPF neighbour from which the host receives hellos is Full."""
    cables = {cable.near(host).port: cable for cable in site.routed(host)}
    for neighbour in facts[host][FRR].neighbours if cables else ():
        why = causes(site, facts, host, cables[neighbour.port]) if neighbour.state != FULL and neighbour.port in cables else ""
        yield Finding(f"{host}:{neighbour.port} {_router(site, neighbour)}", FULL, neighbour.state + why, neighbour.port)


ADJACENCY_CHECKS = (ospf_neighbours_are_full, no_ospf_neighbour_is_unintended, heard_neighbours_are_full)
