"""Paths as people write them."""

from pathlib import Path


def at_home(path: str | Path) -> Path:
    """The path with `~` and `~USER` put in; one of a user that there is not stays as it is, and so is found nowhere."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)
