"""BFD: one session for every adjacency, with the site's timers, and no other sessions."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_FRR
from tasks.network.ospf.facts import FRR, BfdPeer

TAGS = ("network", "bfd")


def _peers(facts: Facts, host: str) -> dict[tuple[str, str], BfdPeer]:
    """{(port, address): session}."""
    return {(peer.port, peer.address): peer for peer in facts[host][FRR].peers}


def _intended(site: Site, host: str) -> Iterator[tuple[str, str]]:
    """(port, address at its other end) of every routed cable."""
    for cable in site.routed(host):
        yield cable.near(host).port, str(cable.address(cable.far(host).host).ip)


@check(
    needs=(FRR,),
    severity=Severity.MAJOR,
    remediation=f"{RELOAD_FRR} `vtysh -c 'show bfd peers'` shows the session. A firewall may drop UDP port 3784.",
    tags=(*TAGS, "ospf"),
)
def bfd_watches_every_adjacency(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSPF neighbour on a routed cable has a BFD session that is up."""
    for port, address in _intended(site, host):
        peer = _peers(facts, host).get((port, address))
        is_neighbour = any((one.port, one.address) == (port, address) for one in facts[host][FRR].neighbours)
        if peer is not None:
            yield Finding(
                f"{host}:{port} {address}", "up", peer.status if peer.status == "up" else f"{peer.status}: {peer.diagnostic}", port
            )
        elif is_neighbour:
            yield Finding(f"{host}:{port} {address}", "up", "no session", port)


def _timers(receive_ms: int, transmit_ms: int, multiplier: int) -> str:
    return f"receives every {receive_ms} ms, sends every {transmit_ms} ms, {multiplier} missing"


@check(needs=(FRR,), severity=Severity.MAJOR, remediation=RELOAD_FRR, tags=TAGS)
def bfd_timers_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Both ends of a BFD session have the site's interval and multiplier."""
    interval = site.ospf.bfd_interval_ms
    want = _timers(interval, interval, site.ospf.bfd_multiplier)
    intended = set(_intended(site, host))
    for key, peer in _peers(facts, host).items() if intended else ():
        if key in intended:
            yield Finding(f"{host}:{peer.port}", want, _timers(peer.receive_ms, peer.transmit_ms, peer.multiplier), peer.port)
            if peer.status == "up":
                yield Finding(f"{host}:{peer.port} partner", want, _timers(*peer.remote), peer.port)


@check(
    needs=(FRR,),
    severity=Severity.MINOR,
    remediation="`vtysh -c 'show running-config'` shows which statement makes the session. Remove it, or add the cable to cables.yaml.",
    tags=TAGS,
)
def no_bfd_peer_is_unintended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """BFD has sessions with cabled routers only."""
    intended = dict(_intended(site, host))
    for port, address in sorted(_peers(facts, host)) if intended else ():
        yield Finding(f"{host}:{port or 'no port'} peer", intended.get(port, "no peer"), address, port)


BFD_CHECKS = (bfd_watches_every_adjacency, bfd_timers_are_as_intended, no_bfd_peer_is_unintended)
