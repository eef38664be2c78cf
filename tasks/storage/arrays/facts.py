"""Arrays: the suite verifies them and never creates one. Finds what keeps an export from being served, before any change."""

from collections.abc import Iterable, Iterator

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.nfs.facts import FILE_SYSTEMS, FOLDERS, POOLS, FileSystem

ZFS = "zfs"


def around(facts: HostFacts, path: str) -> FileSystem | None:
    """The file system that contains a path."""
    mounted = facts[FILE_SYSTEMS]
    targets = (one for one in mounted if path == one or path.startswith(f"{one.rstrip('/')}/"))
    return mounted.get(max(targets, key=len, default=""))


def array_faults(facts: HostFacts, nfs: Nfs, path: str, *, more: bool) -> Iterator[str]:
    """The problems of an export's array; with `more`, also too little free space for another export."""
    array = nfs.array_of(path) or ""
    mounted = facts[FILE_SYSTEMS].get(array)
    if mounted is None:
        yield f"{array} is not mounted: {path} would be on the host's own disk; mount the array first"
        return
    if not mounted.writable:
        yield f"{array} is mounted read-only: look at its disks, then mount it read-write"
    if fault := pool_fault(facts, mounted):
        yield fault
    if more and free_percent(mounted) < nfs.arrays[array].least_free_percent:
        least = nfs.arrays[array].least_free_percent
        yield f"{array} has {free_percent(mounted)} % free, wanted {least} %: free some space, or set another least_free_percent"


def pool_fault(facts: HostFacts, mounted: FileSystem) -> str:
    """The problem that `zpool status` reports of a file system's pool; empty for a healthy pool, and where it is not ZFS."""
    pool = mounted.source.partition("/")[0]
    status = facts[POOLS].get(pool, "") if mounted.kind == ZFS else ""
    return f"pool {pool} is not healthy ({status}): see `zpool status {pool}`" if status else ""


def free_percent(mounted: FileSystem) -> int:
    """Its free space in percent, rounded down."""
    return 100 * mounted.free // mounted.size if mounted.size else 0


def folder_faults(facts: HostFacts, nfs: Nfs, path: str) -> Iterator[str]:
    """What keeps an export's folder from being created or served."""
    found, parent = facts[FOLDERS].get(path), path.rpartition("/")[0]
    if found is None and parent not in facts[FOLDERS] and parent not in nfs.exports:
        yield f"{parent} does not exist: create it, or correct the path; the suite creates only the last folder of an export"
    elif found is not None and found.kind != "directory":
        yield f"{path} is a {found.kind}: name the folder itself"
    mounted = around(facts, path)
    if mounted is not None and not mounted.uuid and nfs.exports[path].fsid is None:
        yield f"{path} is on {mounted.kind}, which has no UUID: give the export an fsid"


def walks_through(facts: HostFacts, inner: str, outer: str, *, crossmnt: bool) -> bool:
    """Whether a v4 client is still inside an outer export when it reaches an inner one.

    It is while both are in one file system. With `crossmnt` it also is in the file systems below, except at the root of one, which the
    kernel looks up by its own path (mountd's lookup_export, nfsd_cross_mnt).
    """
    if not inner.startswith(f"{outer.rstrip('/')}/"):
        return False
    mounted = around(facts, inner)
    if mounted is None or around(facts, outer) == mounted:
        return True
    return crossmnt and mounted.target != inner


def shadowed(facts: HostFacts, nfs: Nfs, paths: Iterable[str]) -> Iterator[str]:
    """Exports inside another one with other options, where a v4 client enters through the outer one, whose options then apply."""
    for inner in paths:
        for outer in nfs.exports:
            if not walks_through(facts, inner, outer, crossmnt="crossmnt" in nfs.exports[outer].options):
                continue
            ours, theirs = nfs.exports[inner], nfs.exports[outer]
            shared = any(one.overlaps(other) for one in ours.clients for other in theirs.clients)
            words = [f"{other} instead of {own}" for own, other in zip(_words(nfs, inner), _words(nfs, outer), strict=True) if own != other]
            if shared and words:
                yield f"{inner} is inside {outer}, whose options apply for v4 clients ({', '.join(words)}): make them equal, or move one"


def _words(nfs: Nfs, path: str) -> tuple[str, ...]:
    export = nfs.exports[path]
    return export.access.value, "sync" if export.sync else "async", export.squash.value
