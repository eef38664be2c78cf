"""BFD: a session for every adjacency, with the site's timers, and none beyond."""

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
    remediation=f"{RELOAD_FRR} `vtysh -c 'show bfd peers'` shows the session, and a firewall may drop UDP port 3784.",
    tags=(*TAGS, "ospf"),
)
def bfd_watches_every_adjacency(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSPF neighbour on a routed cable has a BFD session that is up."""
    for port, address in _intended(site, host):
        peer = _peers(facts, host).get((port, address))
        heard = any((one.port, one.address) == (port, address) for one in facts[host][FRR].neighbours)
        if peer is not None:
            yield Finding(
                f"{host}:{port} {address}", "up", peer.status if peer.status == "up" else f"{peer.status}: {peer.diagnostic}", port
            )
        elif heard:
            yield Finding(f"{host}:{port} {address}", "up", "no session", port)


def _words(receive_ms: int, transmit_ms: int, multiplier: int) -> str:
    return f"receives every {receive_ms} ms, sends every {transmit_ms} ms, {multiplier} missing"


@check(needs=(FRR,), severity=Severity.MAJOR, remediation=RELOAD_FRR, tags=TAGS)
def bfd_timers_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Both ends of a BFD session have the site's interval and multiplier."""
    interval = site.ospf.bfd_interval_ms
    want = _words(interval, interval, site.ospf.bfd_multiplier)
    intended = set(_intended(site, host))
    for key, peer in _peers(facts, host).items() if intended else ():
        if key in intended:
            yield Finding(f"{host}:{peer.port}", want, _words(peer.receive_ms, peer.transmit_ms, peer.multiplier), peer.port)
            if peer.status == "up":
                yield Finding(f"{host}:{peer.port} partner", want, _words(*peer.remote), peer.port)


@check(
    needs=(FRR,),
    severity=Severity.MINOR,
    remediation="`vtysh -c 'show running-config'` says which statement makes it; take that away, or write its cable into cables.yaml.",
    tags=TAGS,
)
def no_bfd_peer_is_unintended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """BFD watches nobody but the routers that are cabled."""
    intended = dict(_intended(site, host))
    for port, address in sorted(_peers(facts, host)) if intended else ():
        yield Finding(f"{host}:{port or 'no port'} peer", intended.get(port, "nobody"), address, port)


BFD_CHECKS = (bfd_watches_every_adjacency, bfd_timers_are_as_intended, no_bfd_peer_is_unintended)
