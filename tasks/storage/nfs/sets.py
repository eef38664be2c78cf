"""The change sets of the NFS servers, one a server."""

from collections.abc import Iterator

from inventory.site import Host, Site
from tasks.core.model.change import ChangeSet, Member
from tasks.storage.nfs.change import NfsExports
from tasks.storage.nfs.checks import SERVER_CHECKS
from tasks.storage.truenas.change import TruenasExports
from tasks.storage.truenas.checks import SHARE_CHECKS
from tasks.storage.truenas.facts import is_truenas


def nfs(site: Site) -> Iterator[ChangeSet]:
    """One set a server, by its platform. The audit tries its exports from the clients."""
    for host in site.hosts.values():
        if host.nfs is not None and host.managed:
            yield _set(host, truenas=is_truenas(site, host.name))


def _set(host: Host, *, truenas: bool) -> ChangeSet:
    change = TruenasExports(host.name) if truenas else NfsExports(host.name)
    return ChangeSet(f"nfs {host.name}", (Member(host.name, (change,), safe_alone=True),), SHARE_CHECKS if truenas else SERVER_CHECKS)
