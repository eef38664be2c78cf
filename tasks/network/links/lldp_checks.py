"""Cables against the LLDP neighbours that the hosts report."""

from collections.abc import Iterator

from inventory.site import End, Site
from tasks.core.model.check import Finding, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import LINKS, NEIGHBOURS


def _is_up(facts: Facts, end: End) -> bool:
    """Whether the port is up: a port that is down sends no LLDP. A port of a host that was not read counts as up."""
    if end.host not in facts:
        return True
    link = facts[end.host][LINKS].get(end.port)
    return link is not None and link.up and link.carrier


@check(
    needs=(NEIGHBOURS, LINKS),
    severity=Severity.MAJOR,
    remediation="Compare the cable with cables.yaml: move the plug, or correct the row.",
    tags=("network", "lldp"),
    scope=Scope.PEERS,
)
def lldp_neighbour_is_the_cabled_one(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every cabled port that is up has the port at the other end of its cable as an LLDP neighbour."""
    for cable in site.cables_of(host):
        near, far = cable.near(host), cable.far(host)
        if _is_up(facts, near) and _is_up(facts, far):
            found = [one.end(site) for one in facts[host][NEIGHBOURS].get(near.port, ())]
            yield Finding(str(near), str(far), ", ".join(map(str, found)) or "no neighbour", near.port, passed=far in found)


LLDP_CHECKS = (lldp_neighbour_is_the_cabled_one,)
