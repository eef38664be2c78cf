"""The page: the drawing as one self-contained file for a browser. It fetches nothing."""

from functools import cache
from pathlib import Path
from typing import Any

from tasks.core.model.shown import shown
from tasks.topology.drawing import drawing, small_words
from tasks.topology.labels import look
from tasks.topology.picture import Picture


def _shown(value: object) -> object:
    """A template's values without secrets and control characters: XML allows none (XML 1.0, section 2.2), but a neighbour's name may."""
    return shown(value, keep="\n") if isinstance(value, str) else value


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (start-up)

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=True,
        finalize=_shown,
    )


def page(picture: Picture, suffix: str = ".html", when: str = "") -> str:
    """The picture as an HTML page, or as an SVG only."""
    values = {"picture": picture, "drawing": drawing(picture), "when": when, "small_words": small_words, "look": look}
    text: str = _environment().get_template(f"page{suffix}.j2").render(**values)
    return text
