"""The beginning and the end of every run: its journal, its record and its results."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.engine.journal import continued, unfinished
from tasks.core.engine.output_file import PRIVATE, write_whole
from tasks.core.engine.record import open_journal, record_path, rows_of, text_of, write_record
from tasks.core.engine.runbook import INTERRUPTED
from tasks.core.engine.signals import stopping, waiting
from tasks.core.engine.streams import complain

if TYPE_CHECKING:
    from tasks.core.cli.report import Screen
    from tasks.core.engine.runbook import RunResult


@contextmanager
def journalled(result: "RunResult", purpose: str) -> Iterator[None]:
    """Open the journal before the block contacts hosts, and read those of killed runs. Raises Refused where it cannot be written.

    The block raises only before it contacts a host; then the journal is removed.
    """
    journal = open_journal(result, purpose)
    try:
        result.run.unfinished = unfinished(journal.path.parent)
        result.run.journal = journal
        yield
    except BaseException:
        journal.remove()
        raise


def keep_record(result: "RunResult", purpose: str, screen: "Screen") -> tuple[str, str]:
    """The record's text, and a line with its path, or with the reason why it was not written."""
    screen.close()
    known = result.run.switched_off
    if screen.lost and not any(screen.lost in words for words in known):
        known.append(screen.lost)
    result.ended_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    _end_journal(result)
    text = text_of(result, purpose)
    try:
        return text, f"record: {write_record(result, purpose)}"
    except OSError as error:
        line = f"the record could not be written to {record_path(result)}: {error.strerror or error}"
        screen.error(f"{line}; only this output and the hosts' own records remain")
        return text, line


def _end_journal(result: "RunResult") -> None:
    """End the run's journal. What killed runs left in sets that are as wanted by now is closed in their journals."""
    states = {row["set"]: row["state"] for stage in result.stages for row in rows_of(stage)}
    for one in result.run.unfinished:
        if states.get(one.change_set) in ("done", "unchanged"):
            continued(one, result.run.id)
    if result.run.journal:
        result.run.journal.end(result.exit_code)
        result.run.journal = None


def keep_json(path: str, text: str, screen: "Screen") -> None:
    """Write the record's text to the file of --json; `-` is standard output. A failure is reported on the screen."""
    if path == "-":
        screen.data(text)
        return
    try:
        write_whole(Path(path), text, PRIVATE)
    except OSError as error:
        screen.error(f"--json: {path} could not be written: {error.strerror or error}; the record has the same content")


def shown(exit_code: int, show: Callable[[], None], screen: "Screen") -> int:
    """Show the results; returns the exit code. Ctrl-C or a signal ends it if the reader does not read."""
    with stopping(threading.Event()):
        try:
            with waiting():
                show()
        except KeyboardInterrupt:
            screen.leave(INTERRUPTED)
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the run itself is done and recorded
            complain(f"the results could not be shown: {error!r}")
    return exit_code
