"""What keeps a v4 client from an export: it walks in from the server's root, and enters whatever is exported on its way.

mountd makes a root, and the folders on the way to each export, as long as nobody names a root by `fsid=0` (nfs-utils: v4root.c, xtab.c). Of
exports that fit a folder on the way a real one counts more than one that was made, and one with `crossmnt` fits all below it (mountd's
lookup_export). Inside one file system the kernel asks only in the folders that were made (nfsd_mountpoint, nfsd_cross_mnt).
"""

from collections.abc import Iterable, Iterator
from ipaddress import AddressValueError, IPv4Network

from inventory.nfs_models import Export, Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.arrays.facts import around, walks_through
from tasks.storage.nfs.exports_file import CHOICES, Row

# Where none of a choice is said (exports(5)).
DEFAULTS = ("ro", "sync", "root_squash")
# What changes who a client is taken for, or how it has to prove it.
WHO = ("anonuid", "anongid", "sec")


def hidden(facts: HostFacts, nfs: Nfs, paths: Iterable[str], others: Iterable[tuple[str, Row]]) -> Iterator[str]:
    """A sentence for each of others' exports, (where, row), by which v4 clients cannot reach ours, or only by other rights."""
    ours = {path: nfs.exports[path] for path in paths} if 4 in nfs.versions else {}
    for where, row in others:
        if lost := [path for path, export in ours.items() if row.v4_root and not _leads_on(facts, export, path, row)]:
            yield (
                f"{where} makes {row.path} the root of all v4 clients (fsid={row.option('fsid')}), from which none gets to"
                f" {', '.join(lost)}: take that option out (v4 clients find every export without it), or move ours below it"
            )
            continue
        for path, export in ours.items():
            if not walks_through(facts, path, row.path, crossmnt="crossmnt" in row.options) or not _may_be_of(export, row):
                continue
            if words := _other_words(export, row):
                yield f"{where} exports {row.path}, by which v4 clients get to {path} with its options ({words}): say the same, or move it"


def _leads_on(facts: HostFacts, export: Export, path: str, row: Row) -> bool:
    """Whether a root that is named leads to an export: no folders are made on the way then, so the way is one of mounted roots."""
    mounted = around(facts, path)
    everybody = row.everybody or all((net := _network(row)) is not None and one.subnet_of(net) for one in export.clients)
    return row.path == "/" and mounted is not None and mounted.target == path and everybody


def _may_be_of(export: Export, row: Row) -> bool:
    """Whether a client of ours may be one of theirs: of names and of IPv6 nobody knows."""
    network = _network(row)
    return row.everybody or network is None or any(one.overlaps(network) for one in export.clients)


def _network(row: Row) -> IPv4Network | None:
    try:
        return IPv4Network(row.client, strict=False)
    except (AddressValueError, ValueError):
        return None


def _other_words(export: Export, row: Row) -> str:
    ours = (export.access.value, "sync" if export.sync else "async", export.squash.value)
    # Who squashes all squashes root too, which the table says besides.
    said = row.options - {"root_squash"} if "all_squash" in row.options else row.options
    theirs = [next((word for word in choice if word in said), usual) for choice, usual in zip(CHOICES, DEFAULTS, strict=True)]
    words = [f"{their} instead of {own}" for own, their in zip(ours, theirs, strict=True) if own != their]
    words += [f"{name}={value}" for name in WHO if (value := row.option(name)) not in (None, "sys", "65534")]
    return ", ".join(words)
