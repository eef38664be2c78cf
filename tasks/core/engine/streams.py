"""Standard output and standard error; each may be a closed pipe, a full disk or a lost terminal. Output decides nothing."""

import os
import sys
from contextlib import suppress
from typing import IO

from tasks.core.model.shown import shown


class OutputLostError(Exception):
    """Nothing can be shown any more, and the reason was reported."""


def tolerate(stream: IO[str] | None) -> None:
    """Let the stream escape characters that it cannot encode."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure:
        with suppress(OSError, ValueError):
            reconfigure(errors="backslashreplace")


def silence(stream: IO[str] | None) -> None:
    """Discard what is written from here on, also what Python flushes at its end."""
    with suppress(AttributeError, OSError, ValueError):
        handle = stream.fileno() if stream else -1
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, handle)
        os.close(nowhere)


def complain(words: str) -> None:
    """Print a line on standard error, if that still works."""
    try:
        print(shown(words), file=sys.stderr, flush=True)
    except (AttributeError, OSError, ValueError):
        silence(sys.stderr)
