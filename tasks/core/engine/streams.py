"""Standard output and standard error, which may be a closed pipe, a full disk or a terminal that is gone. They decide nothing."""

import os
import sys
from contextlib import suppress
from typing import IO

from inventory.printable import LINES, printable


class OutputLostError(Exception):
    """Nothing is shown any more, why, and that has been said."""


def tolerate(stream: IO[str] | None) -> None:
    """What the stream cannot show is shown by its number: a lone surrogate, or a letter that ASCII has not."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        with suppress(OSError, ValueError):
            reconfigure(errors="backslashreplace")


def silence(stream: IO[str] | None) -> None:
    """What is still to come, and what Python flushes at its end, goes nowhere."""
    with suppress(AttributeError, OSError, ValueError):
        handle = stream.fileno() if stream else -1
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, handle)
        os.close(nowhere)


def complain(words: str) -> None:
    """A line on standard error, where that still leads anywhere."""
    try:
        print(printable(words, keep=LINES), file=sys.stderr, flush=True)
    except (AttributeError, OSError, ValueError):
        silence(sys.stderr)
