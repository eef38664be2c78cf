"""The NFS server of each host that has one, as a change set of its own."""

from collections.abc import Iterator

from inventory.schema import Site
from tasks.checks.nfs import SERVER_CHECKS
from tasks.core.change import ChangeSet, Member
from tasks.storage.nfs_exports import NfsExports


def nfs(site: Site) -> Iterator[ChangeSet]:
    """One set a server; what clients see of it is tried by the audit."""
    for host in site.hosts.values():
        if host.nfs is not None and host.managed:
            yield ChangeSet(f"nfs {host.name}", (Member(host.name, (NfsExports(host.name),), safe_alone=True),), SERVER_CHECKS)
