"""The difference of two texts without their secrets. Pure."""

import difflib
from collections.abc import Iterator

from tasks.core.agent.secrets import redact


def unified(before: str, after: str, old: str, new: str) -> Iterator[str]:
    """The lines of a unified diff of the texts, which it calls `old` and `new`; none if they are equal.

    A line that differs only in its secret is one removed and one added line. Secrets are found in the whole texts: the line that announces
    one can be far above the lines that a diff shows.
    """
    seen: dict[str, str] = {}
    for line in difflib.unified_diff(_lines(before, seen), _lines(after, seen), old, new):
        yield line[:1] + seen.get(line[1:], line[1:])


def _lines(text: str, seen: dict[str, str]) -> list[str]:
    """What is compared for each line, and is a key of `seen`: the line without its secret, then the line as it is."""
    pairs = zip(redact(text).splitlines(keepends=True), text.splitlines(keepends=True), strict=True)
    found = [(shown + line, shown) for shown, line in pairs]
    seen.update(found)
    return [key for key, _ in found]
