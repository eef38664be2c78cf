"""The end of every run: its record is written and its results are shown."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.core.engine.output_file import PRIVATE, write_whole
from tasks.core.engine.record import open_record, record_path, text_of, write_record
from tasks.core.engine.runbook import INTERRUPTED
from tasks.core.engine.signals import stopping, waiting
from tasks.core.engine.streams import complain

if TYPE_CHECKING:
    from tasks.core.cli.report import Screen
    from tasks.core.engine.runbook import RunResult


@contextmanager
def recorded(result: "RunResult", purpose: str) -> Iterator[None]:
    """Open the record before the block contacts hosts. Raises Refused where it cannot be written.

    The block raises only before it contacts a host; then the record is removed.
    """
    path = open_record(result, purpose)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def keep_record(result: "RunResult", purpose: str, screen: "Screen") -> tuple[str, str]:
    """The record's text, and a line with its path, or with the reason why it was not written."""
    screen.close()
    known = result.run.switched_off
    if screen.lost and not any(screen.lost in words for words in known):
        known.append(screen.lost)
    result.ended_at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
    text = text_of(result, purpose)
    try:
        return text, f"record: {write_record(result, purpose)}"
    except OSError as error:
        line = f"the record could not be written to {record_path(result)}: {error.strerror or error}"
        screen.error(f"{line}; only this output and the hosts' own records remain")
        return text, line


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
