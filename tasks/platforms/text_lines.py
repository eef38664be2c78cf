"""Lines of configuration files: only a newline ends one. `str.splitlines` also splits at form feeds and other characters."""

import re

_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def raw_lines(text: str) -> list[str]:
    """The lines of a text, with their newlines."""
    return _LINE.findall(text)


def bare_lines(text: str) -> list[str]:
    """The lines of a text, without their newlines."""
    return [line.removesuffix("\n") for line in raw_lines(text)]
