"""Cables that are seen and stand in no inventory: where a plug really is, as LLDP or OSPF has it."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.site import End
from tasks.topology.sightings import Sight, Sighting, Witnesses


@dataclass(frozen=True)
class Surplus:
    """A cable that is only seen; a port nobody names is '?'."""

    ends: tuple[End, End]
    sightings: tuple[Sighting, ...]


def surplus(witnesses: Witnesses) -> tuple[Surplus, ...]:
    """Each once, whether one of its ends sees it or both."""
    found: dict[frozenset[End], list[Sighting]] = {}
    ends: dict[frozenset[End], tuple[End, End]] = {}
    for near, far, one in (*_by_lldp(witnesses), *_by_ospf(witnesses)):
        key = frozenset({near, far})
        ends.setdefault(key, (near, far))
        found.setdefault(key, []).append(one)
    return tuple(Surplus(ends[key], tuple(seen)) for key, seen in found.items())


def _by_lldp(witnesses: Witnesses) -> Iterator[tuple[End, End, Sighting]]:
    for host, report in witnesses.reports.items():
        for port, far in report.heard.items():
            near = End(host=host, port=port)
            if not _drawn_elsewhere(witnesses, near, far.host) and witnesses.site.peer(host, port) != far:
                yield near, far, Sighting(near, "LLDP", _wanted(witnesses, near), str(far), Sight.OTHER)


def _drawn_elsewhere(witnesses: Witnesses, near: End, far: str) -> bool:
    """Virtual machines are not drawn, and the operator's port is nobody's cable."""
    site = witnesses.site
    operator = site.operator is not None and site.operator.port == str(near)
    return operator or (far in site.hosts and site.hosts[far].vm is not None)


def _wanted(witnesses: Witnesses, near: End) -> str:
    return str(witnesses.site.peer(near.host, near.port) or "no cable")


def _by_ospf(witnesses: Witnesses) -> Iterator[tuple[End, End, Sighting]]:
    for (host, port), (router, state) in (witnesses.adjacencies or {}).items():
        near, name = End(host=host, port=port), witnesses.router(router)
        cabled = witnesses.site.peer(host, port)
        if cabled is None or cabled.host != name:
            far = _far(witnesses, near, name)
            yield near, far, Sighting(near, "OSPF", _wanted(witnesses, near), f"{name} {state}", Sight.OTHER)


def _far(witnesses: Witnesses, near: End, name: str) -> End:
    """The other end of an adjacency: as LLDP has it, or the one port there that has an adjacency back, not over a cable of the two."""
    report = witnesses.reports.get(near.host)
    heard = report.heard.get(near.port) if report else None
    if heard and heard.host == name:
        return heard
    back = [
        port
        for (host, port), (router, _) in (witnesses.adjacencies or {}).items()
        if host == name and witnesses.router(router) == near.host and getattr(witnesses.site.peer(host, port), "host", "") != near.host
    ]
    return End(host=name, port=back[0] if len(back) == 1 else "?")
