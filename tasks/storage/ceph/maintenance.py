"""Maintenance of a storage node: Ceph waits for its OSDs and does not copy their data; the flag is removed even if the run dies."""

from collections.abc import Iterable, Mapping

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.agent.secrets import last
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts, HostFacts
from tasks.core.model.maintenance import Maintenance, Preparation
from tasks.core.model.operation import Action
from tasks.storage.ceph.facts import CEPH, CEPH_OSD, CephState, ceph_of
from tasks.storage.ceph.health_checks import no_flag_is_left_behind
from tasks.storage.ceph.maintenance_checks import MAINTENANCE_CHECKS, ceph_is_whole, may_be_lost


def _state(site: Site, facts: Facts) -> CephState:
    """Ceph's state, empty where no monitor answers."""
    cluster = facts.get(ceph_of(site)) if site.ceph else None
    return cluster[CEPH] if cluster and not cluster.readings[CEPH.name].rc else CephState({})


def is_used(site: Site, facts: Facts) -> bool:
    """Whether any OSD is up: a change of one node then affects all of them."""
    return any(osd["up"] for osd in _state(site, facts).osds.values())


def _serves(state: CephState, host: str) -> bool:
    """Whether any OSD of the host is up."""
    return any(state.osds[number]["up"] for number in state.osds_of(host))


def _need_known(site: Site, state: CephState) -> None:
    """Raises Refused where an OSD is up on a host that is not in the inventory: it may be any host of it, under another name."""
    known = {*storage_hosts(site), *(name for name, host in site.hosts.items() if not host.managed)}
    where = {number: name for name, numbers in state.hosts.items() for number in numbers}
    unknown = [
        f"osd.{number} is up on {where.get(number, 'a host that it does not report')}"
        for number, osd in state.osds.items()
        if osd["up"] and where.get(number) not in known
    ]
    if unknown:
        raise Refused(
            f"{', '.join(unknown)}, which is no storage host of the inventory: which OSDs a change would stop is not known; name that host"
            " in hosts.yaml as it names itself (`ceph osd metadata`, hostname), then run again"
        )


def _bucket(state: CephState, host: str) -> tuple[str, ...]:
    """Arguments of `ceph osd set-group`: the bucket named after the host where it holds exactly the host's OSDs, else each OSD."""
    numbers = tuple(state.osds_of(host))
    return (host,) if state.buckets.get(host) == numbers else tuple(f"osd.{number}" for number in numbers)


def ceph_maintenance(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """`noout` for only the host's OSDs, set on another monitor's host. That host's timer or its next boot unsets it if this run dies.

    Empty where no OSD of the host is up. Raises Refused where no other monitor's host answers, or the host of an OSD is not known.
    """
    state = _state(site, facts)
    _need_known(site, state)
    if not _serves(state, host):
        return ()
    assert site.ceph is not None
    each = facts[ceph_of(site)].each
    others = [name for name in site.ceph.monitors if name != host and name in each and each[name].readings[CEPH.name].rc == 0]
    if not others:
        raise Refused(f"{host}: no other monitor's host answers, so no host would unset Ceph's noout if this run died; bring one back")
    by = others[0]
    flag = Action(
        (*CEPH_OSD, "set-group", "noout", *_bucket(state, host)),
        (*CEPH_OSD, "unset-group", "noout", *_bucket(state, host)),
        shown=f"Ceph waits for the OSDs of {host} (noout for this host only, set on {by})",
        cluster_scoped=True,
    )
    return (Preparation(by, (flag,)),)


def storage_hosts(site: Site) -> tuple[str, ...]:
    """The hosts that may have a monitor or an OSD, also one that the inventory does not ask for: an operator may have made it by hand."""
    if site.ceph is None:
        return ()
    machines = {name for name, host in site.hosts.items() if host.managed and host.link is LinkKind.SSH and host.vm is None}
    return tuple(host for host in site.hosts if host in machines or host in site.ceph.monitors or site.osds(host))


def in_use(site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """The hosts that have an OSD that is up, or a monitor that the majority needs. Raises Refused where the host of an OSD is not known.

    A host that serves nothing may be repaired while the cluster is not whole. Otherwise the cluster could not become whole.
    """
    state = _state(site, facts)
    _need_known(site, state)
    return tuple(host for host in hosts if _serves(state, host) or _decides(site, state, host))


def _decides(site: Site, state: CephState, host: str) -> bool:
    """Whether the monitors have a majority, but not without the host's."""
    lost = may_be_lost(site, state, host) & state.quorum
    return bool(lost) and 2 * len(state.quorum - lost) <= len(state.monitors)


def not_known(site: Site, facts: Facts, hosts: Iterable[str]) -> Mapping[str, str]:
    """{host: why its part in Ceph is not known}: Ceph is set up there and does not answer. Empty where Ceph answers any host."""
    if _state(site, facts).fsid:
        return {}
    return {host: f"Ceph does not answer: {why}" for host in hosts if host in facts and (why := _no_answer(facts[host]))}


def _no_answer(facts: HostFacts) -> str:
    """Why a host with Ceph got no answer; empty where Ceph is not set up on it."""
    reading = facts.readings[CEPH.name]
    if reading.rc:
        return f"reading it ended with {reading.rc}: {last((reading.err or reading.out).strip(), 300)}"
    return facts[CEPH].error or ("no monitor's host answered" if facts[CEPH].fsid else "")


CEPH_MAINTENANCE = Maintenance(
    purpose="Change a storage node while Ceph waits for it.",
    ready=ceph_maintenance,
    checks=(ceph_is_whole,),
    entry_checks=(*MAINTENANCE_CHECKS, no_flag_is_left_behind),
    needs=(CEPH,),
    may_concern=storage_hosts,
    concerns=in_use,
    unknown=not_known,
    lock="a storage node at a time",
)
