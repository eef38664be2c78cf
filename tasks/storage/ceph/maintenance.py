"""A storage node out of service: Ceph waits for it instead of copying its data elsewhere, and forgets that by itself."""

from collections.abc import Iterable, Mapping

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts, HostFacts
from tasks.core.model.maintenance import Maintenance, Preparation
from tasks.core.model.operation import Action
from tasks.storage.ceph.facts import CEPH, CEPH_OSD, CephState
from tasks.storage.ceph.health_checks import no_flag_is_left_behind, speaker
from tasks.storage.ceph.maintenance_checks import MAINTENANCE_CHECKS, ceph_is_whole, may_be_lost


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


def _need_known(site: Site, state: CephState) -> None:
    """Raises Refused where an OSD is up on no host of the inventory: any of them may be that host, under another name."""
    known = {*storage_hosts(site), *(name for name, host in site.hosts.items() if not host.managed)}
    where = {number: name for name, numbers in state.hosts.items() for number in numbers}
    strange = [
        f"osd.{number} is up on {where.get(number, 'a host that it does not say')}"
        for number, osd in state.osds.items()
        if osd["up"] and where.get(number) not in known
    ]
    if strange:
        raise Refused(
            f"{', '.join(strange)}, which is no host of the inventory that could have one: what a change would stop is not known; name that"
            " host in hosts.yaml as it names itself (`ceph osd metadata`, hostname), then run again"
        )


def _bucket(state: CephState, host: str) -> tuple[str, ...]:
    """What `ceph osd set-group` knows the host's OSDs by: the bucket of its name where that holds them and no others, or one by one."""
    numbers = tuple(state.osds_of(host))
    return (host,) if state.buckets.get(host) == numbers else tuple(f"osd.{number}" for number in numbers)


def ceph_maintenance(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """`noout` for the host's OSDs alone, set through another monitor's host, whose timer or boot takes it away when this run does not.

    Empty where no OSD of the host is up. Raises Refused where no other monitor's host answers, or nobody knows whose an OSD is.
    """
    state = _heard(site, facts)
    _need_known(site, state)
    if not _serves(state, host):
        return ()
    assert site.ceph is not None
    others = [name for name in site.ceph.monitors if name != host and name in facts and facts[name].readings[CEPH.name].rc == 0]
    if not others:
        raise Refused(f"{host}: no other monitor's host answers, so nobody would take Ceph's noout away if this run died; bring one back")
    by = others[0]
    flag = Action(
        (*CEPH_OSD, "set-group", "noout", *_bucket(state, host)),
        (*CEPH_OSD, "unset-group", "noout", *_bucket(state, host)),
        shown=f"Ceph waits for the OSDs of {host} (noout for it alone, set through {by})",
        cluster_scoped=True,
    )
    return (Preparation(by, (flag,)),)


def monitors(site: Site, _: str = "") -> tuple[str, ...]:
    """The hosts by whose word the cluster is judged."""
    return site.ceph.monitors if site.ceph else ()


def storage_hosts(site: Site) -> tuple[str, ...]:
    """The hosts that may have a monitor or an OSD, whether or not they are to have one: somebody may have made it by hand."""
    if site.ceph is None:
        return ()
    machines = {name for name, host in site.hosts.items() if host.managed and host.link is LinkKind.SSH and host.vm is None}
    return tuple(host for host in site.hosts if host in machines or host in monitors(site) or site.osds(host))


def in_use(site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """Those of which an OSD is up, or without whose monitor there is no majority. Raises Refused where nobody knows whose an OSD is.

    One that serves nothing may be mended while the cluster is not whole: how else would it become whole?
    """
    state = _heard(site, facts)
    _need_known(site, state)
    return tuple(host for host in hosts if _serves(state, host) or _decides(site, state, host))


def _decides(site: Site, state: CephState, host: str) -> bool:
    """Whether there is a majority of monitors, and none without the host's."""
    lost = may_be_lost(site, state, host) & state.quorum
    return bool(lost) and 2 * len(state.quorum - lost) <= len(state.monitors)


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
    entry_checks=(*MAINTENANCE_CHECKS, no_flag_is_left_behind),
    peers=monitors,
    may_concern=storage_hosts,
    concerns=in_use,
    unknown=unheard,
    lock="a storage node at a time",
)
