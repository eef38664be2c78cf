"""OSPF neighbours: the intended ones, Full, and nobody else."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_EITHER
from tasks.network.ospf.causes import called, causes, routers
from tasks.network.ospf.facts import FRR, Neighbour

TAGS = ("network", "ospf")
FULL = "Full"


def _who(site: Site, heard: Neighbour) -> str:
    return f"{called(site, heard.router_id)} from {heard.address}"


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation=f"Mend the cause that is named; where none is, look at the cable and its far end. {RELOAD_EITHER}",
    tags=TAGS,
)
def ospf_neighbours_are_full(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The router at the other end of every routed cable is a Full OSPF neighbour."""
    for cable in site.routed(host):
        near, far = cable.near(host), cable.far(host)
        address = str(cable.address(far.host).ip)
        heard = next((one for one in facts[host][FRR].neighbours if (one.port, one.address) == (near.port, address)), None)
        got = f"{heard.state} with {called(site, heard.router_id)}" if heard else "no neighbour"
        want = f"{FULL} with {far.host}"
        yield Finding(str(near), want, got if got == want else got + causes(site, facts, host, cable), near.port)


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation="Find out what is plugged in there and why it speaks OSPF; a key (`key_file`) keeps strangers out.",
    tags=TAGS,
)
def no_ospf_neighbour_is_unintended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Nobody speaks OSPF on a port but the router that is cabled there."""
    intended = {cable.near(host).port: cable for cable in site.routed(host)}
    for heard in facts[host][FRR].neighbours if intended else ():
        cable, want = intended.get(heard.port), "nobody"
        if cable is not None:
            far = cable.far(host).host
            want = f"{called(site, routers(site).get(far, far))} from {cable.address(far).ip}"
        yield Finding(f"{host}:{heard.port}", want, _who(site, heard), heard.port)


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation="Mend the cause that is named; a neighbour that stays in ExStart has another MTU, one in Init does not hear this end.",
    tags=TAGS,
)
def heard_neighbours_are_full(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSPF neighbour that is heard is Full."""
    cables = {cable.near(host).port: cable for cable in site.routed(host)}
    for heard in facts[host][FRR].neighbours if cables else ():
        why = causes(site, facts, host, cables[heard.port]) if heard.state != FULL and heard.port in cables else ""
        yield Finding(f"{host}:{heard.port} {_who(site, heard)}", FULL, heard.state + why, heard.port)


ADJACENCY_CHECKS = (ospf_neighbours_are_full, no_ospf_neighbour_is_unintended, heard_neighbours_are_full)
