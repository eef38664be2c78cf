"""What keeps a TrueNAS from sharing an export: its pool, its folder, or an unmanaged share."""

from collections.abc import Iterable, Iterator

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.truenas.facts import FOLDERS, POOLS, SHARES


def faults(facts: HostFacts, nfs: Nfs, paths: Iterable[str]) -> Iterator[str]:
    """A sentence for each problem of the exports that would change."""
    ours = {share.path for share in facts[SHARES] if share.ours}
    for path in sorted(paths):
        yield from _pool_faults(facts, nfs, path, more=path not in ours)
        yield from _folder_faults(facts, nfs, path)
        if any(share.path == path and not share.ours for share in facts[SHARES]):
            yield f"{path} already has a share that the suite did not create: remove that share, or the export from the inventory"


def _pool_faults(facts: HostFacts, nfs: Nfs, path: str, *, more: bool) -> Iterator[str]:
    array = nfs.array_of(path) or ""
    pool = facts[POOLS].get(array)
    around = next((one for one in facts[POOLS] if array.startswith(f"{one}/")), "")
    if around:
        yield f"{array} is a dataset of the pool {around}: name {around} as the array"
    elif pool is None:
        yield f"no pool is mounted at {array}: import the pool first"
    elif not pool.healthy or pool.status != "ONLINE":
        yield f"the pool at {array} is not healthy ({pool.status}): check its disks first"
    elif more and pool.free_percent < (least := nfs.arrays[array].least_free_percent):
        yield f"{array} has {pool.free_percent} % free, wanted {least} %: free some space, or set another least_free_percent"


def _folder_faults(facts: HostFacts, nfs: Nfs, path: str) -> Iterator[str]:
    found, parent = facts[FOLDERS].get(path), path.rpartition("/")[0]
    if found is None and parent not in facts[FOLDERS] and parent not in nfs.exports:
        yield f"{parent} does not exist: create it, or correct the path; the suite creates only the last folder of an export"
    elif found is not None and found.kind != "directory":
        yield f"{path} is a {found.kind}: the suite sets the owner and mode of plain folders only"
    elif found is not None and path in facts[POOLS] and (found.owner, found.mode) != (nfs.exports[path].owner, nfs.exports[path].mode):
        wanted, is_ = (
            f"owner {owner} mode {mode}" for owner, mode in ((nfs.exports[path].owner, nfs.exports[path].mode), (found.owner, found.mode))
        )
        yield f"{path} is a pool, whose owner and mode the API does not change: wanted {wanted}, found {is_}; export a folder in it"
