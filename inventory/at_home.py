"""Expansion of `~` in paths."""

from pathlib import Path


def at_home(path: str | Path) -> Path:
    """The path with `~` or `~USER` expanded. The path of an unknown user is returned unchanged, and no such file exists."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
