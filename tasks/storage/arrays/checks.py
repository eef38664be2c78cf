"""The checks of the arrays that hold a host's exports."""

from collections.abc import Iterator

from inventory.nfs_models import Nfs
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.arrays.facts import ZFS, free_percent
from tasks.storage.nfs.facts import FILE_SYSTEMS, POOLS

TAGS = ("storage", "array")


@check(
    needs=(FILE_SYSTEMS,),
    severity=Severity.CRITICAL,
    remediation="Check its disks (`zpool status`, `dmesg`), then mount it. Until then the server serves nothing below it.",
    tags=TAGS,
)
def arrays_are_mounted(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every array is mounted, read-write."""
    for path in (site.hosts[host].nfs or Nfs()).arrays:
        found = facts[host][FILE_SYSTEMS].get(path)
        got = "not mounted" if found is None else "mounted rw" if found.writable else "mounted ro"
        yield Finding(f"{host}:{path}", "mounted rw", got, path)


@check(needs=(FILE_SYSTEMS,), severity=Severity.MAJOR, remediation="Free some space, or add disks: writes fail when it is full.", tags=TAGS)
def arrays_have_room(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every array has its least free space."""
    for path, array in (site.hosts[host].nfs or Nfs()).arrays.items():
        if found := facts[host][FILE_SYSTEMS].get(path):
            free, least = free_percent(found), array.least_free_percent
            yield Finding(f"{host}:{path}", f"{least} % free", f"{free} % free", path, free >= least)


@check(needs=(FILE_SYSTEMS, POOLS), severity=Severity.CRITICAL, remediation="`zpool status` names the disk and what to do.", tags=TAGS)
def pools_are_healthy(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The ZFS pool of every array that has one is healthy."""
    for path in (site.hosts[host].nfs or Nfs()).arrays:
        found = facts[host][FILE_SYSTEMS].get(path)
        if found is not None and found.kind == ZFS:
            pool = found.source.partition("/")[0]
            yield Finding(f"{host}:{path} on pool {pool}", "healthy", facts[host][POOLS].get(pool, "healthy"), path)


ARRAY_CHECKS = (arrays_are_mounted, arrays_have_room, pools_are_healthy)
