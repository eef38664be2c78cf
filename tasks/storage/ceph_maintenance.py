"""A storage node taken out of service: Ceph waits for it instead of copying its data elsewhere, and forgets that by itself."""

from inventory.schema import Site
from tasks.core.facts import Facts
from tasks.core.maintenance import Preparation
from tasks.core.transaction import Action
from tasks.storage.ceph_facts import CEPH

CEPH_COMMAND = ("ceph", "--connect-timeout", "10", "osd")


def ceph_maintenance(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """`noout` for the host's OSDs alone, set through another monitor's host, whose timer takes it away when this run does not.

    Empty where no OSD of the host is known.
    """
    if site.ceph is None or host not in facts or not facts[host][CEPH].osds_of(host):
        return ()
    by = next(name for name in site.ceph.monitors if name != host and name in facts)
    flag = Action(
        (*CEPH_COMMAND, "set-group", "noout", host),
        (*CEPH_COMMAND, "unset-group", "noout", host),
        shown=f"Ceph waits for the OSDs of {host} (noout for it alone, set through {by})",
    )
    return (Preparation(by, (flag,)),)
