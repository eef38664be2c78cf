"""Cables that LLDP or OSPF shows and that are not in the inventory."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.site import End
from tasks.topology.sightings import Evidence, Sight, Sighting


@dataclass(frozen=True)
class Surplus:
    """A cable that is not in the inventory; an unknown port is '?'."""

    ends: tuple[End, End]
    sightings: tuple[Sighting, ...]


def surplus(evidence: Evidence) -> tuple[Surplus, ...]:
    """Each cable once, whether one of its ends sees it or both."""
    found: dict[frozenset[End], list[Sighting]] = {}
    ends: dict[frozenset[End], tuple[End, End]] = {}
    for near, far, one in (*_by_lldp(evidence), *_by_ospf(evidence)):
        key = frozenset({near, far})
        ends.setdefault(key, (near, far))
        found.setdefault(key, []).append(one)
    return tuple(Surplus(ends[key], tuple(seen)) for key, seen in found.items())


def _by_lldp(evidence: Evidence) -> Iterator[tuple[End, End, Sighting]]:
    for host, report in evidence.reports.items():
        for near, far in ((End(host=host, port=port), far) for port, heard in report.neighbours.items() for far in heard):
            if not _is_ignored(evidence, near, far.host) and evidence.site.peer(host, near.port) != far:
                yield near, far, Sighting(near, "LLDP", _wanted(evidence, near), str(far), Sight.OTHER)


def _is_ignored(evidence: Evidence, near: End, far: str) -> bool:
    """Whether a neighbour is no surplus cable: a virtual machine, or the host at the operator's port."""
    site = evidence.site
    operator = site.operator is not None and site.operator.port == str(near)
    return operator or (far in site.hosts and site.hosts[far].vm is not None)


def _wanted(evidence: Evidence, near: End) -> str:
    return str(evidence.site.peer(near.host, near.port) or "no cable")


def _by_ospf(evidence: Evidence) -> Iterator[tuple[End, End, Sighting]]:
    for (host, port), (router, state) in (evidence.adjacencies or {}).items():
        near, name = End(host=host, port=port), evidence.router(router)
        cabled = evidence.site.peer(host, port)
        if cabled is None or cabled.host != name:
            far = _far(evidence, near, name)
            yield near, far, Sighting(near, "OSPF", _wanted(evidence, near), f"{name} {state}", Sight.OTHER)


def _far(evidence: Evidence, near: End, name: str) -> End:
    """The other end of an adjacency: the LLDP neighbour, else the only port there with an adjacency back that no cable explains."""
    report = evidence.reports.get(near.host)
    by_lldp = next((far for far in report.neighbours.get(near.port, ()) if far.host == name), None) if report else None
    if by_lldp:
        return by_lldp
    back = [
        port
        for (host, port), (router, _) in (evidence.adjacencies or {}).items()
        if host == name and evidence.router(router) == near.host and getattr(evidence.site.peer(host, port), "host", "") != near.host
    ]
    return End(host=name, port=back[0] if len(back) == 1 else "?")
