"""What keeps a TrueNAS from sharing an export: its pool, its folder, a share of somebody else."""

from collections.abc import Iterable, Iterator

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.truenas.facts import FOLDERS, POOLS, SHARES


def faults(facts: HostFacts, nfs: Nfs, paths: Iterable[str]) -> Iterator[str]:
    """A sentence each, of the exports that would change."""
    ours = {share.path for share in facts[SHARES] if share.ours}
    for path in sorted(paths):
        yield from _pool_faults(facts, nfs, path, more=path not in ours)
        yield from _folder_faults(facts, nfs, path)
        if any(share.path == path and not share.ours for share in facts[SHARES]):
            yield f"{path} is shared by somebody else's share: remove it there, or take the export out of the inventory"


def _pool_faults(facts: HostFacts, nfs: Nfs, path: str, *, more: bool) -> Iterator[str]:
    array = nfs.array_of(path) or ""
    pool = facts[POOLS].get(array)
    if pool is None:
        yield f"no pool is mounted at {array}: import it first"
    elif not pool.healthy or pool.status != "ONLINE":
        yield f"the pool at {array} is not healthy ({pool.status}): look at its disks first"
    elif more and pool.free_percent < (least := nfs.arrays[array].least_free_percent):
        yield f"{array} has {pool.free_percent} % free, wanted {least} %: make room, or say another least_free_percent"


def _folder_faults(facts: HostFacts, nfs: Nfs, path: str) -> Iterator[str]:
    found, parent = facts[FOLDERS].get(path), path.rpartition("/")[0]
    if found is None and parent not in facts[FOLDERS] and parent not in nfs.exports:
        yield f"{parent} is not there: make it, or correct the path; only the last folder of an export is made"
    elif found is not None and found.kind != "directory":
        yield f"{path} is a {found.kind}: the suite sets owner and mode of plain folders alone"
