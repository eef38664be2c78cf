"""What keeps a v4 client from an export: the client starts at the server's root, and enters every export on the path.

mountd makes a pseudo root, and pseudo exports of the folders on the path to each export, unless an export is the root by `fsid=0`
(nfs-utils: v4root.c, xtab.c). Of the exports that match a folder on the path, a real one wins over a pseudo export, and one with `crossmnt`
matches everything below it (mountd's lookup_export). Inside one file system the kernel looks up exports only below pseudo exports
(nfsd_mountpoint, nfsd_cross_mnt).
"""

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Network

from inventory.nfs_models import Export, Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.arrays.facts import around, walks_through
from tasks.storage.nfs.exports_file import CHOICES, Row

# The defaults of CHOICES (exports(5)).
DEFAULTS = ("ro", "sync", "root_squash")
# Options for a client's identity and authentication.
IDENTITY = ("anonuid", "anongid", "sec")


def hidden(facts: HostFacts, nfs: Nfs, paths: Iterable[str], unmanaged: Iterable[tuple[str, Row]]) -> Iterator[str]:
    """A sentence for each unmanaged export, (where, row), that keeps v4 clients from the inventory's, or gives them other permissions."""
    ours = {path: nfs.exports[path] for path in paths} if 4 in nfs.versions else {}
    for where, row in unmanaged:
        if lost := [path for path, export in ours.items() if row.v4_root and not _leads_on(facts, export, path, row)]:
            yield (
                f"{where} makes {row.path} the root of all v4 clients (fsid={row.option('fsid')}), so they cannot reach"
                f" {', '.join(lost)}: remove that option (v4 clients find every export without it), or move the export below the root"
            )
            continue
        for path, export in ours.items():
            if not walks_through(facts, path, row.path, crossmnt="crossmnt" in row.options) or not _may_be_of(export, row):
                continue
            if words := _differences(export, row):
                yield f"{where} exports {row.path}, whose options apply to {path} for v4 clients ({words}): make them equal, or move one"


def _leads_on(facts: HostFacts, export: Export, path: str, row: Row) -> bool:
    """Whether v4 clients reach an export from a root by `fsid=0`. There are no pseudo exports then, so only a mounted root is reachable."""
    mounted = around(facts, path)
    everybody = row.everybody or all((net := _network(row)) is not None and one.subnet_of(net) for one in export.clients)
    return row.path == "/" and mounted is not None and mounted.target == path and everybody


def _may_be_of(export: Export, row: Row) -> bool:
    """Whether a client of the export may be a client of the row. For names and IPv6 it is unknown, so it may."""
    network = _network(row)
    return row.everybody or network is None or any(one.overlaps(network) for one in export.clients)


def _network(row: Row) -> IPv4Network | None:
    try:
        return IPv4Network(row.client, strict=False)
    except (AddressValueError, ValueError):
        return None


def _differences(export: Export, row: Row) -> str:
    ours = (export.access.value, "sync" if export.sync else "async", export.squash.value)
    # `all_squash` includes `root_squash`, which the table lists too.
    options = row.options - {"root_squash"} if "all_squash" in row.options else row.options
    theirs = [next((word for word in choice if word in options), default) for choice, default in zip(CHOICES, DEFAULTS, strict=True)]
    words = [f"{their} instead of {own}" for own, their in zip(ours, theirs, strict=True) if own != their]
    words += [f"{name}={value}" for name in IDENTITY if (value := row.option(name)) not in (None, "sys", "65534")]
    return ", ".join(words)
