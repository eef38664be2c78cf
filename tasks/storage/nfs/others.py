"""Unmanaged exports: they stay as they are, and an export of the inventory that conflicts with one is refused."""

from collections.abc import Iterator

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.storage.nfs.exports_file import rows
from tasks.storage.nfs.facts import EXPORT_TABLE, EXPORTS_FILE, OTHER_EXPORTS
from tasks.storage.nfs.v4_root import hidden


def conflicts(facts: HostFacts, nfs: Nfs) -> Iterator[str]:
    """The unmanaged exports that conflict with the inventory's, and those that `exportfs -ra` would drop because no file has them."""
    files = facts[OTHER_EXPORTS]
    numbers = {str(export.fsid): path for path, export in nfs.exports.items() if export.fsid is not None}
    for name, row in files:
        if row.path in nfs.exports:
            yield f"{name}:{row.number} exports {row.path} too: remove it there, or from the inventory"
        elif (fsid := row.option("fsid")) in numbers:
            yield f"{name}:{row.number} gives fsid {fsid} to {row.path}, the inventory to {numbers[fsid or '']}: choose another fsid"
    named = [(f"{name}:{row.number}", row) for name, row in files if row.path not in nfs.exports]
    yield from hidden(facts, nfs, nfs.exports, named)
    known = {row.path for _, row in files} | {row.path for row in rows(facts[EXPORTS_FILE])} | set(nfs.exports)
    for row in facts[EXPORT_TABLE]:
        if row.path not in known:
            yield f"{row.path} is exported by hand, and `exportfs -ra` would remove it: write it to a file in /etc/exports.d, or remove it"
