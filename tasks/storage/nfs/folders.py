"""The folders of exports: the owner and mode of the folder itself, never of its content. A folder that is not empty is never removed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from inventory.nfs_models import Nfs
from tasks.core.model.fact import HostFacts
from tasks.core.model.operation import Action
from tasks.storage.nfs.facts import FOLDERS, Folder

MAKE = 'mkdir "$1" && chown "$2" "$1" && chmod "0$3" "$1"'
# Files that clients have created there stay, and so does the folder.
UNMAKE = 'test ! -d "$1" || rmdir --ignore-fail-on-non-empty "$1"'
CHANGE = 'chown "$2" "$1" && chmod "0$3" "$1"'


@dataclass(frozen=True)
class FolderState:
    """An export's folder. An empty owner means that it does not exist."""

    path: str
    owner: str = ""
    mode: str = ""


def wanted(nfs: Nfs) -> tuple[FolderState, ...]:
    """The inventory's folders, outer folders first."""
    return tuple(FolderState(path, export.owner, export.mode) for path, export in sorted(nfs.exports.items()))


def found(nfs: Nfs, facts: HostFacts) -> tuple[FolderState, ...]:
    """The folders as found."""
    return states(nfs, facts[FOLDERS])


def states(nfs: Nfs, existing: Mapping[str, Folder]) -> tuple[FolderState, ...]:
    """The state of each export's folder, from the folders that exist."""
    return tuple(
        FolderState(path, existing[path].owner, existing[path].mode) if path in existing else FolderState(path)
        for path in sorted(nfs.exports)
    )


def steps(have: Iterable[FolderState], want: Iterable[FolderState]) -> Iterator[Action]:
    """An action for each folder that is missing or has another owner or mode."""
    for old, new in zip(have, want, strict=True):
        if not old.owner:
            shown = f"{new.path} is created: owner {new.owner}, mode {new.mode}"
            yield Action(_sh(MAKE, f"make {new.path}", new), _sh(UNMAKE, f"remove {new.path}", new), shown=shown)
        elif old != new:
            changes = [f"{what} {was} becomes {now}" for what, was, now in _pairs(old, new) if was != now]
            shown = f"{new.path}: {', '.join(changes)}; its content is not touched"
            yield Action(_sh(CHANGE, f"owner and mode of {new.path}", new), _sh(CHANGE, f"owner and mode of {new.path}", old), shown=shown)


def _pairs(old: FolderState, new: FolderState) -> tuple[tuple[str, str, str], ...]:
    return ("owner", old.owner, new.owner), ("mode", old.mode, new.mode)


def _sh(script: str, name: str, folder: FolderState) -> tuple[str, ...]:
    return ("/bin/sh", "-c", script, name, folder.path, folder.owner, folder.mode)
