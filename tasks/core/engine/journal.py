"""The journal of a run: one JSON object a line, written as the run goes on. A run that was killed leaves it, and the next run reads it.

A line that announces a step is on disk before the step begins. The file is locked while its run is alive.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.core.engine.events import Event
from tasks.core.engine.output_file import PRIVATE
from tasks.core.model.shown import shown_data

SCHEMA = 1
KEPT_RUNS = 200
# The kinds of events that announce a step, or that name the handle of what is waited for. If a line cannot be written nothing more
# starts, and what undoes or confirms goes on.
STARTS = frozenset({"preparing", "applying", "performing"})
ANNOUNCES = STARTS | {"running", "confirming", "undoing"}
ENDED, CONTINUED = "ended", "continued"


class Journal:
    """The journal of a run that is alive."""

    def __init__(self, path: Path, head: Mapping[str, Any]) -> None:
        """Create the file, with its head as the first line. Raises OSError."""
        self.path = path
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        self.add({"kind": "run", "schema": SCHEMA, **head}, sync=True)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)
        os.close(folder)

    def add(self, entry: Mapping[str, Any], *, sync: bool = False) -> None:
        """Add a line without secrets, and with `sync` wait until it is on disk. Raises OSError."""
        now = time.time()
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now)) + f".{int(now % 1 * 1000):03}"
        line = json.dumps(shown_data({"at": at, **entry}), default=str).encode() + b"\n"
        while line:
            line = line[os.write(self._file, line) :]
        if sync:
            os.fsync(self._file)

    def event(self, event: Event) -> None:
        """Add an event. Raises OSError."""
        shown = {key: value for key, value in vars(event).items() if value and key != "at_s"}
        self.add(shown, sync=event.kind in ANNOUNCES)

    def end(self, exit_code: int) -> None:
        """Add the last line, and unlock the file. The journal of a run without it is of a run that was killed."""
        with suppress(OSError):  # the record has the exit code too
            self.add({"kind": ENDED, "exit_code": exit_code}, sync=True)
        os.close(self._file)

    def remove(self) -> None:
        """Delete the journal of a run that contacted no host."""
        self.path.unlink(missing_ok=True)
        os.close(self._file)


@dataclass
class Unfinished:
    """What a killed run left of one procedure: the operations that were done and undone, and the one that was under way."""

    path: Path
    run: str
    holder: str
    began: str
    change_set: str
    host: str
    done: list[str] = field(default_factory=list)
    under_way: str = ""
    handle: str = ""

    def __str__(self) -> str:
        done = f"done: {', '.join(self.done)}" if self.done else "nothing was done"
        under_way = f"; under way: {self.under_way}" if self.under_way else ""
        return f"{self.host}: the run of {self.holder} that began at {self.began} was killed in {self.change_set!r}: {done}{under_way}"


def unfinished(folder: Path) -> tuple[Unfinished, ...]:
    """The procedures of killed runs that no later run has continued, the oldest first."""
    return tuple(one for path in sorted(folder.glob("*.jsonl")) if _was_killed(path) for one in _procedures(path))


def _was_killed(path: Path) -> bool:
    """Whether the journal has no end, and its run is not alive."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        if f'"kind": "{ENDED}"'.encode() in file.read().rpartition(b"\n")[0].rpartition(b"\n")[2]:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def entries(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a journal, that are whole. None if it has another schema."""
    for line in path.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:  # a line that was being written when the run was killed
            continue
        if not isinstance(entry, dict) or entry.get("schema", SCHEMA) != SCHEMA:
            return
        yield entry


def _procedures(path: Path) -> Iterator[Unfinished]:
    found: dict[tuple[str, str], Unfinished] = {}
    head: dict[str, Any] = {}
    for entry in entries(path):
        kind, change_set, host, operation = (entry.get(key, "") for key in ("kind", "change_set", "host", "operation"))
        if kind == "run":
            head = entry
        elif kind in {"performing", "undoing"}:
            named = (path, head.get("run", ""), head.get("holder", ""), head.get("at", ""), change_set, host)
            one = found.setdefault((change_set, host), Unfinished(*named))
            one.under_way, one.handle = f"the undo of {operation}" if kind == "undoing" else operation, entry.get("handle", "")
        elif kind in {"performed", "undone"} and (change_set, host) in found:
            one = found[change_set, host]
            one.under_way = ""
            one.done += [f"the undo of {operation}" if kind == "undone" else operation] if not entry.get("text") else []
        elif kind in {"confirmed", "reverted"}:
            found.pop((change_set, host), None)
        elif kind == CONTINUED:
            found = {key: one for key, one in found.items() if key[0] != change_set}
    yield from found.values()


def continued(one: Unfinished, run: str) -> None:
    """Note in the journal of a killed run that a later run found the set as wanted. A journal that is gone needs no note."""
    entry = {"kind": CONTINUED, "change_set": one.change_set, "run": run}
    with suppress(OSError), one.path.open("a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(entry) + "\n")


def forget_old(folder: Path) -> None:
    """Delete the journals and records of all runs but the last ones."""
    runs = sorted({path.name.partition(".")[0] for path in folder.glob("*.json*")})
    for name in runs[:-KEPT_RUNS]:
        for path in folder.glob(f"{name}.json*"):
            path.unlink(missing_ok=True)
