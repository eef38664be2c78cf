"""How every run ends, whatever it was: its record is kept, and its results are shown to whoever still looks."""

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
    """The record is there from before the block, which asks hosts. Raises Refused where it cannot be kept.

    What the block raises it raises before any host is asked: of that there is no record.
    """
    path = open_record(result, purpose)
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def keep_record(result: "RunResult", purpose: str, screen: "Screen") -> tuple[str, str]:
    """The record's text, and the line that says where it is, or why it is not."""
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
        screen.error(f"{line}; what is said here and the hosts' own records are all there is")
        return text, line


def keep_json(path: str, text: str, screen: "Screen") -> None:
    """Write the record's text to the file that --json names, `-` being standard output. Where that fails, it is said."""
    if path == "-":
        screen.data(text)
        return
    try:
        write_whole(Path(path), text, PRIVATE)
    except OSError as error:
        screen.error(f"--json: {path} could not be written: {error.strerror or error}; the record says the same")


def shown(exit_code: int, show: Callable[[], None], screen: "Screen") -> int:
    """The exit code of a run whose results are shown; a reader who does not read is left by Ctrl-C or a signal."""
    with stopping(threading.Event()):
        try:
            with waiting():
                show()
        except KeyboardInterrupt:
            screen.leave(INTERRUPTED)
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - what the run did is done and recorded
            complain(f"the results could not be shown: {error!r}")
    return exit_code
