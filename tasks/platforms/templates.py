"""Templates: a feature's configuration in a platform's language, in templates/FEATURE/PLATFORM.j2."""

from functools import cache
from pathlib import Path
from typing import Any

from inventory import plugins
from tasks.core.model.errors import Refused

FOLDER = Path(__file__).parents[2] / "templates"


def _folder(platform: str) -> Path:
    """Where the templates of a platform are: the suite's own folder, or that of the package that adds the platform."""
    return Path(plugins.loaded(plugins.PLATFORMS, platform).templates) if platform in plugins.named(plugins.PLATFORMS) else FOLDER


@cache
def _environment(folder: Path) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 (start-up)

    return Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 (configuration files, not HTML)
    )


def render(feature: str, platform: str, host: str, **values: Any) -> str:
    """The feature's configuration in the platform's language. Raises Refused if there is no template for this platform."""
    name, folder = f"{feature}/{platform}.j2", _folder(platform)
    if not (folder / name).exists():
        raise Refused(
            f"{host}: no templates/{name}: write it, or choose a platform of {sorted(p.stem for p in (FOLDER / feature).glob('*.j2'))}"
        )
    text: str = _environment(folder).get_template(name).render(**values)
    return text
