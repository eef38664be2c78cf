"""Deferred undo: the undo of what a transaction did to a cluster, retried until it succeeds. Of the two locks, take this one last."""

import contextlib
import sys

from tasks.core.agent import disk, process
from tasks.core.agent.refusal import sentence
from tasks.core.agent.state import PATHS, Action, Deferred, Transaction, Undo, identity, is_cluster_scoped

RETRIED = "the host retries until it succeeds"


def left(token: str | None = None) -> list[Deferred]:
    """The deferred undo of a transaction, or of all."""
    found: list[Deferred | None] = []
    for path in sorted(PATHS.deferred.glob(f"{token or '*'}.json")):
        with contextlib.suppress(FileNotFoundError):  # it succeeded meanwhile
            found.append(disk.load(path))
    return [one for one in found if one]


def undo_of(meta: Transaction) -> Deferred | None:
    """The undo that is deferred if a transaction is reverted."""
    undo = [Undo(argv=one["undo"], deadline_s=one["deadline_s"]) for one in reversed(meta["actions"]) if is_cluster_scoped(one)]
    return {**identity(meta), "undo": undo, "trouble": f"`{process.called(undo[0]['argv'])}` waits for the network"} if undo else None


def undo_in_cluster(meta: Transaction, *, live: bool) -> list[str]:
    """Write the undo to disk as deferred, then try it if the network is up (`live`); returns a clause for each one still deferred."""
    path, prepared = PATHS.deferred / f"{meta['token']}.json", PATHS.pending / "owed.json"
    if prepared.exists():
        disk.rename(prepared, path)
    elif "owed" not in meta and (undo := undo_of(meta)):  # an older version armed the transaction
        disk.save(path, undo)
    if live and left(meta["token"]):
        retry(meta["token"])
    return [f"{one['trouble']}; {RETRIED}" for one in left(meta["token"])]


def retry(token: str | None = None) -> None:
    """Try the deferred undo of a transaction, or of all. A command that succeeded does not run again."""
    with disk.locked("owed.lock"):
        for one in left(token):
            while one["undo"]:
                if trouble := process.failure(one["undo"][0]["argv"], one["undo"][0]["deadline_s"]):
                    one["trouble"] = trouble
                    break
                del one["undo"][0]
            update(one)


def update(one: Deferred) -> None:
    """Write the commands that are still to be undone, or delete the file if there are none."""
    path = PATHS.deferred / f"{one['token']}.json"
    if not one["undo"]:
        path.unlink()
        disk.sync_folder(PATHS.deferred)
        return
    try:
        disk.save(path, one)
    except OSError as error:  # the old file still defers the undo
        print(f"burrow: the file of the deferred undo was not updated: {sentence(error)}", file=sys.stderr)


def take_over(actions: list[Action]) -> str:
    """Drop deferred undo that the new transaction has itself: it would run while the transaction is open. Returns why that failed."""
    own = [one["undo"] for one in actions if is_cluster_scoped(one)]
    try:
        if own:
            with disk.locked("owed.lock"):
                for one in left():
                    update({**one, "undo": [undo for undo in one["undo"] if undo["argv"] not in own]})
    except OSError as error:
        return sentence(error)
    return ""
