"""Templates: a feature's configuration in a platform's language, in templates/FEATURE/PLATFORM.j2."""

from functools import cache
from pathlib import Path
from typing import Any

from tasks.core.model.errors import Refused

FOLDER = Path(__file__).parents[2] / "templates"


@cache
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (start-up)

    return Environment(
        loader=FileSystemLoader(FOLDER),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (configuration files, not HTML)
    )


def render(feature: str, platform: str, host: str, **values: Any) -> str:
    """The feature's configuration in the platform's language. Raises Refused if there is no template for this platform."""
    name = f"{feature}/{platform}.j2"
    if not (FOLDER / name).exists():
        raise Refused(
            f"{host}: no templates/{name}: write it, or choose a platform of {sorted(p.stem for p in (FOLDER / feature).glob('*.j2'))}"
        )
    text: str = _environment().get_template(name).render(**values)
    return text
