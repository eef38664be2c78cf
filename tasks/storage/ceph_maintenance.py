"""A storage node out of service: Ceph waits for it instead of copying its data elsewhere, and forgets that by itself."""

from collections.abc import Iterable, Mapping

from inventory.schema import Site
from tasks.checks.ceph_health import no_flag_is_left_behind, speaker
from tasks.checks.ceph_maintenance import MAINTENANCE_CHECKS, ceph_is_whole
from tasks.core.errors import Refused
from tasks.core.facts import Facts, HostFacts
from tasks.core.service import Maintenance, Preparation
from tasks.core.transaction import Action
from tasks.storage.ceph_facts import CEPH, CEPH_OSD, CephState


def _heard(site: Site, facts: Facts) -> CephState:
    """What Ceph says, empty where nobody answers."""
    by = speaker(site, facts)
    return facts[by][CEPH] if by and not facts[by].readings[CEPH.name].rc else CephState({})


def is_used(site: Site, facts: Facts) -> bool:
    """Whether any OSD is up: what is done to one node then is felt by all."""
    return any(osd["up"] for osd in _heard(site, facts).osds.values())


def _serves(state: CephState, host: str) -> bool:
    """Whether any OSD of the host is up."""
    return any(state.osds[number]["up"] for number in state.osds_of(host))


def ceph_maintenance(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """`noout` for the host's OSDs alone, set through another monitor's host, whose timer or boot takes it away when this run does not.

    Empty where no OSD of the host is up. Raises Refused where no other monitor's host answers.
    """
    if not _serves(_heard(site, facts), host):
        return ()
    assert site.ceph is not None
    others = [name for name in site.ceph.monitors if name != host and name in facts and facts[name].readings[CEPH.name].rc == 0]
    if not others:
        raise Refused(f"{host}: no other monitor's host answers, so nobody would take Ceph's noout away if this run died; bring one back")
    by = others[0]
    flag = Action(
        (*CEPH_OSD, "set-group", "noout", host),
        (*CEPH_OSD, "unset-group", "noout", host),
        shown=f"Ceph waits for the OSDs of {host} (noout for it alone, set through {by})",
        lasting=True,
    )
    return (Preparation(by, (flag,)),)


def monitors(site: Site, _: str = "") -> tuple[str, ...]:
    """The hosts by whose word the cluster is judged."""
    return site.ceph.monitors if site.ceph else ()


def storage_hosts(site: Site) -> tuple[str, ...]:
    """The hosts that are to have a monitor or an OSD."""
    return tuple(host for host in site.hosts if host in monitors(site) or (site.ceph and site.osds(host)))


def in_use(site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """Those of which an OSD is up, or without whose monitor there is no majority.

    One that serves nothing may be mended while the cluster is not whole: how else would it become whole?
    """
    state = _heard(site, facts)
    return tuple(
        host for host in hosts if _serves(state, host) or (host in state.quorum and 2 * len(state.quorum - {host}) <= len(state.monitors))
    )


def unheard(site: Site, facts: Facts, hosts: Iterable[str]) -> Mapping[str, str]:
    """{host: why nobody knows what hangs on it}: Ceph is set up there and answers nobody. Empty where somebody is answered."""
    if _heard(site, facts).fsid:
        return {}
    return {host: f"Ceph answers nobody: {why}" for host in hosts if host in facts and (why := _silence(facts[host]))}


def _silence(facts: HostFacts) -> str:
    """Why a host with Ceph hears nothing; empty where none is set up on it."""
    reading = facts.readings[CEPH.name]
    if reading.rc:
        return f"asking ended with {reading.rc}: {(reading.err or reading.out).strip()[-300:]}"
    return facts[CEPH].error or ("no host of a monitor was heard" if facts[CEPH].fsid else "")


CEPH_MAINTENANCE = Maintenance(
    purpose="Change what a storage node stands on while Ceph waits for it.",
    ready=ceph_maintenance,
    checks=(ceph_is_whole,),
    outside=(*MAINTENANCE_CHECKS, no_flag_is_left_behind),
    beside=monitors,
    may_concern=storage_hosts,
    concerns=in_use,
    unheard=unheard,
    right="a storage node at a time",
)
