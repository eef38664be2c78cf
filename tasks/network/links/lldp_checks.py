"""What is plugged in where, as the hosts themselves say it."""

from collections.abc import Iterator

from inventory.site import End, Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.facts import LINKS, NEIGHBOURS


def _is_up(facts: Facts, end: End) -> bool:
    """A port that is held down says nothing; of a host that was not read the best is assumed."""
    if end.host not in facts:
        return True
    link = facts[end.host][LINKS].get(end.port)
    return link is not None and link.up and link.carrier


@check(
    needs=(NEIGHBOURS, LINKS),
    severity=Severity.MAJOR,
    remediation="Compare the cable with cables.yaml: move the plug, or correct the row.",
    tags=("network", "lldp"),
)
def lldp_neighbour_is_the_cabled_one(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every cabled port that is up hears, over LLDP, the port at the other end of its cable."""
    for cable in site.cables_of(host):
        near, far = cable.near(host), cable.far(host)
        if _is_up(facts, near) and _is_up(facts, far):
            heard = facts[host][NEIGHBOURS].get(near.port)
            yield Finding(str(near), str(far), f"{heard[0]}:{heard[1]}" if heard else "nobody", near.port)


LLDP_CHECKS = (lldp_neighbour_is_the_cabled_one,)
