"""Deferred undo: what a transaction did to a cluster, retried until it succeeds. Whoever takes both locks takes this one last."""

import contextlib
import sys

from tasks.core.agent import disk, process
from tasks.core.agent.refusal import sentence
from tasks.core.agent.state import PATHS, Action, Deferred, Transaction, Undo, is_cluster_scoped, whose


def left(token: str | None = None) -> list[Deferred]:
    """The deferred undo of a transaction, or of all."""
    found: list[Deferred | None] = []
    for path in sorted(PATHS.deferred.glob(f"{token or '*'}.json")):
        with contextlib.suppress(FileNotFoundError):  # it succeeded in this moment
            found.append(disk.load(path))
    return [one for one in found if one]


def undo_of(meta: Transaction) -> Deferred | None:
    """What will be deferred when a transaction is reverted."""
    undo = [Undo(argv=one["undo"], deadline_s=one["deadline_s"]) for one in reversed(meta["actions"]) if is_cluster_scoped(one)]
    return {**whose(meta), "undo": undo, "trouble": f"`{process.called(undo[0]['argv'])}` waits for the network"} if undo else None


def undo_elsewhere(meta: Transaction, *, live: bool) -> list[str]:
    """On disk as deferred first, then tried; answers what is still to be done. Before the network is up, nothing is tried."""
    path, ready = PATHS.deferred / f"{meta['token']}.json", PATHS.pending / "owed.json"
    if ready.exists():
        disk.rename(ready, path)
    elif "owed" not in meta and (undo := undo_of(meta)):  # an older version armed it
        disk.save(path, undo)
    if live and left(meta["token"]):
        retry(meta["token"])
    return [f"{one['trouble']}; it is tried until it succeeds" for one in left(meta["token"])]


def retry(token: str | None = None) -> None:
    """Try the deferred undo of a transaction, or of all. A command that succeeded is not run again."""
    with disk.locked("owed.lock"):
        for one in left(token):
            while one["undo"]:
                if trouble := process.failure(one["undo"][0]["argv"], one["undo"][0]["deadline_s"]):
                    one["trouble"] = trouble
                    break
                del one["undo"][0]
            keep(one)


def keep(one: Deferred) -> None:
    """What is left of it; where that is nothing, nothing is deferred."""
    path = PATHS.deferred / f"{one['token']}.json"
    if not one["undo"]:
        path.unlink()
        disk.sync_folder(PATHS.deferred)
        return
    try:
        disk.save(path, one)
    except OSError as error:  # as it is, it is still deferred
        print(f"burrow: deferred undo is not written anew: {sentence(error)}", file=sys.stderr)


def take_over(actions: list[Action]) -> str:
    """What a transaction will undo itself is deferred no more: it would be undone in the middle of it. Answers why that failed."""
    own = [one["undo"] for one in actions if is_cluster_scoped(one)]
    try:
        if own:
            with disk.locked("owed.lock"):
                for one in left():
                    keep({**one, "undo": [undo for undo in one["undo"] if undo["argv"] not in own]})
    except OSError as error:
        return sentence(error)
    return ""
