"""The folders of exports: owner and mode of each folder itself, never of what is in it; nothing with something in it is ever removed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.core.model.operation import Action
from tasks.storage.nfs.facts import FOLDERS, Folder

MAKE = 'mkdir "$1" && chown "$2" "$1" && chmod "0$3" "$1"'
# What clients have put there meanwhile stays, and the folder with it.
UNMAKE = 'test ! -d "$1" || rmdir --ignore-fail-on-non-empty "$1"'
CHANGE = 'chown "$2" "$1" && chmod "0$3" "$1"'


@dataclass(frozen=True)
class FolderState:
    """An export's folder; without an owner it is not there."""

    path: str
    owner: str = ""
    mode: str = ""


def wanted(nfs: Nfs) -> tuple[FolderState, ...]:
    """As the inventory says, outer folders first."""
    return tuple(FolderState(path, export.owner, export.mode) for path, export in sorted(nfs.exports.items()))


def found(nfs: Nfs, facts: HostFacts) -> tuple[FolderState, ...]:
    """As they are."""
    return states(nfs, facts[FOLDERS])


def states(nfs: Nfs, there: Mapping[str, Folder]) -> tuple[FolderState, ...]:
    """The folders of the exports among those that are there."""
    return tuple(
        FolderState(path, there[path].owner, there[path].mode) if path in there else FolderState(path) for path in sorted(nfs.exports)
    )


def steps(have: Iterable[FolderState], want: Iterable[FolderState]) -> Iterator[Action]:
    """One for each folder that is missing or has another owner or mode."""
    for old, new in zip(have, want, strict=True):
        if not old.owner:
            shown = f"{new.path} is made: owner {new.owner}, mode {new.mode}"
            yield Action(_sh(MAKE, f"make {new.path}", new), _sh(UNMAKE, f"remove {new.path}", new), shown=shown)
        elif old != new:
            changes = [f"{what} {was} becomes {now}" for what, was, now in _pairs(old, new) if was != now]
            shown = f"{new.path}: {', '.join(changes)}; nothing in it is touched"
            yield Action(_sh(CHANGE, f"owner and mode of {new.path}", new), _sh(CHANGE, f"owner and mode of {new.path}", old), shown=shown)


def _pairs(old: FolderState, new: FolderState) -> tuple[tuple[str, str, str], ...]:
    return ("owner", old.owner, new.owner), ("mode", old.mode, new.mode)


def _sh(script: str, name: str, folder: FolderState) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script, name, folder.path, folder.owner, folder.mode)
