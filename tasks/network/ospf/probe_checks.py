"""Test packets through the fabric, for the audit only."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.links.remedies import RELOAD_INTERFACES
from tasks.network.ospf.facts import PROBES, Probe

TAGS = ("network", "probe")
HEADERS_BYTES = 28
WELL = "answers"


def _answer(probe: Probe | None, if_not_sent: str) -> str:
    return if_not_sent if probe is None else WELL if probe.answered else "no answer"


def _paths(site: Site, facts: Facts, host: str) -> Iterator[tuple[str, str, list[Probe]]]:
    """(host, loopback, probes sent to it, the smallest first) of each other router."""
    for name, loopback in site.router_ids.items() if host in site.router_ids else ():
        if name != host:
            sent = [probe for probe in facts[host][PROBES] if (probe.kind, probe.address) == ("path", loopback)]
            yield name, loopback, sorted(sent, key=lambda probe: probe.payload_bytes)


@check(
    needs=(PROBES,),
    severity=Severity.CRITICAL,
    remediation="Check the routes of both hosts: replies need a route back to this host's loopback.",
    tags=(*TAGS, "path"),
)
def loopbacks_answer_each_other(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every other router's loopback answers this one's."""
    for name, loopback, sent in _paths(site, facts, host):
        yield Finding(f"{host} to {name} ({loopback})", WELL, _answer(sent[0] if sent else None, "no route"))


@check(
    needs=(PROBES,),
    severity=Severity.CRITICAL,
    remediation=f"Compare the MTU of both ends and of every device between them. {RELOAD_INTERFACES}",
    tags=(*TAGS, "mtu"),
)
def full_packets_cross_every_link(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The largest packet of every routed cable reaches its other end without fragmentation."""
    for cable in site.routed(host):
        near, address = cable.near(host), str(cable.address(cable.far(host).host).ip)
        size = site.hosts[host].ports[near.port].mtu_bytes
        sent = next((one for one in facts[host][PROBES] if (one.kind, one.port, one.address) == ("link", near.port, address)), None)
        got = (
            _answer(sent, "the port has no address")
            if sent is None or sent.payload_bytes + HEADERS_BYTES == size
            else f"mtu {_mtu(sent)} at this end"
        )
        yield Finding(f"{near} to {address}, {size} bytes", WELL, got, near.port)


def _mtu(probe: Probe) -> int:
    return probe.payload_bytes + HEADERS_BYTES


@check(
    needs=(PROBES,),
    severity=Severity.MAJOR,
    remediation="A cable on the path has a smaller MTU than the first: check which path the traffic takes, and its MTUs.",
    tags=(*TAGS, "mtu", "path"),
)
def full_packets_cross_every_path(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The largest packet of the first cable of every path reaches the loopback at the path's end."""
    for name, loopback, sent in _paths(site, facts, host):
        size = f", {_mtu(sent[-1])} bytes by {sent[-1].port}" if sent else ""
        yield Finding(f"{host} to {name} ({loopback}){size}", WELL, _answer(sent[-1] if sent else None, "no route"))


PROBE_CHECKS = (loopbacks_answer_each_other, full_packets_cross_every_link, full_packets_cross_every_path)
