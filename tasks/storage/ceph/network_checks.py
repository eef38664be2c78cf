"""Ceph uses only the storage network: the addresses of its daemons in the maps, and those of their TCP connections."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, OF_CEPH, known, state_of
from tasks.storage.ceph.health_checks import TAGS
from tasks.storage.ceph.host_facts import OSD_TRAFFIC

ANNOUNCED = ("public_addrs", "cluster_addrs", "heartbeat_back_addrs", "heartbeat_front_addrs")
ELSEWHERE = (
    "Its address depends on public_network and cluster_network in /etc/pve/ceph.conf, and on the host's own addresses; see pveceph(1)."
)


def _ip(address: str) -> str:
    return address.rpartition(":")[0].strip("[]")


def _loopback(site: Site, host: str) -> str:
    row = site.hosts.get(host)
    return str(row.loopback.ip) if row and row.loopback else "no loopback"


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.CRITICAL, remediation=ELSEWHERE, tags=TAGS)
def monitors_are_on_the_storage_network(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """The address of each monitor is its host's loopback."""
    if state := known(facts, ceph):
        for one in state["mon dump"].get("mons", ()):
            found = dict.fromkeys(_ip(row["addr"]) for row in one["public_addrs"]["addrvec"])
            wanted = _loopback(site, state.monitors[one["name"]])
            yield Finding(f"ceph:mon.{one['name']}", wanted, ", ".join(found) or "no address", one["name"])


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.CRITICAL, remediation=ELSEWHERE, tags=TAGS)
def osds_are_on_the_storage_network(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """The address of each OSD that is up is its host's loopback, for clients, other OSDs and heartbeats."""
    if state := known(facts, ceph):
        for name, numbers in state.hosts.items():
            for osd in (state.osds[number] for number in numbers if state.osds[number]["up"]):
                found = dict.fromkeys(_ip(row["addr"]) for key in ANNOUNCED for row in osd[key]["addrvec"])
                yield Finding(f"ceph:osd.{osd['osd']}", _loopback(site, name), ", ".join(found) or "no address", name)


def _addresses(site: Site, host: str) -> set[str]:
    """A node's addresses other than its loopback."""
    return {str(site.hosts[host].address.ip), *(str(cable.address(host).ip) for cable in site.routed(host))}


@check(
    needs=(OSD_TRAFFIC,),
    also=OF_CEPH,
    severity=Severity.MAJOR,
    remediation="`ip route get LOOPBACK` on both hosts: the source has to be the loopback; restart an OSD that connected before.",
    tags=TAGS,
)
def osds_talk_over_the_storage_network(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The OSDs of a host connect from its loopback to the loopback of every other host with an OSD that is up."""
    if site.ceph is None or not site.osds(host):
        return
    state, traffic = state_of(site, facts), facts[host][OSD_TRAFFIC]
    if not state.fsid or not any(state.osds[number]["up"] for number in state.osds_of(host)):
        return
    own = _loopback(site, host)
    nodes = [name for name in site.hosts if site.osds(name)]
    wrong = [f"{one.local} to {one.peer}" for one in traffic if one.local != own or any(one.peer in _addresses(site, n) for n in nodes)]
    reached = {one.peer for one in traffic if one.local == own}
    up = [name for name in nodes if name != host and any(state.osds[number]["up"] for number in state.osds_of(name))]
    missing = [f"nothing to {name}" for name in up if _loopback(site, name) not in reached]
    want = f"from {own} to loopbacks"
    yield Finding(f"{host}:osd", want, ", ".join(dict.fromkeys([*wrong, *missing])) or want, host)


CEPH_NETWORK_CHECKS = (monitors_are_on_the_storage_network, osds_are_on_the_storage_network, osds_talk_over_the_storage_network)
