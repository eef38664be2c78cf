"""The NFS server of each host that has one, as a change set of its own."""

from collections.abc import Iterator

from inventory.site import Host, Site
from tasks.core.model.change import ChangeSet, Member
from tasks.storage.nfs.change import NfsExports
from tasks.storage.nfs.checks import SERVER_CHECKS
from tasks.storage.truenas.change import TruenasExports
from tasks.storage.truenas.checks import SHARE_CHECKS
from tasks.storage.truenas.facts import is_truenas


def nfs(site: Site) -> Iterator[ChangeSet]:
    """One set a server, in its platform's own way; what clients see of it is tried by the audit."""
    for host in site.hosts.values():
        if host.nfs is not None and host.managed:
            yield _set(host, truenas=is_truenas(site, host.name))


def _set(host: Host, *, truenas: bool) -> ChangeSet:
    change = TruenasExports(host.name) if truenas else NfsExports(host.name)
    return ChangeSet(f"nfs {host.name}", (Member(host.name, (change,), safe_alone=True),), SHARE_CHECKS if truenas else SERVER_CHECKS)
