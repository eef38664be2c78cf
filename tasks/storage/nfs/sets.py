"""The change sets of the NFS servers, one a server."""

from collections.abc import Iterator

from inventory.site import Site
from inventory.targets import HOST, TRUENAS, name_of
from tasks.core.model.change import ChangeSet, Member
from tasks.storage.nfs.change import NfsExports
from tasks.storage.nfs.checks import SERVER_CHECKS
from tasks.storage.truenas.change import TruenasExports
from tasks.storage.truenas.checks import SHARE_CHECKS


def nfs(site: Site) -> Iterator[ChangeSet]:
    """One set a server, by its platform. The audit tries its exports from the clients."""
    for kind in (HOST, TRUENAS):
        for target in site.targets(kind):
            host = site.hosts[name_of(target)]
            if host.nfs is not None and host.managed:
                change, checks = (NfsExports(target), SERVER_CHECKS) if kind == HOST else (TruenasExports(target), SHARE_CHECKS)
                yield ChangeSet(f"nfs {host.name}", (Member(target, (change,), safe_alone=True),), checks)
