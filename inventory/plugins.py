"""What other packages add by entry points: platforms (`burrow.platforms`) and links (`burrow.links`). docs/adding.md shows both."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidatorFunctionWrapHandler

from inventory.errors import SiteError

PLATFORMS, LINKS = "burrow.platforms", "burrow.links"


class PluginError(SiteError):
    """An entry point that cannot be loaded, or that two packages have. The message names the packages."""


@cache
def named(group: str) -> Mapping[str, EntryPoint]:
    """{name: entry point} of a group; nothing is imported. Raises PluginError where two packages have the same name."""
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=group):
        other = found.setdefault(one.name, one)
        if other.value != one.value:
            raise PluginError(f"{group}: {_package(other)} and {_package(one)} both have {one.name}; remove one of the packages")
    return found


@cache
def loaded(group: str, name: str) -> Any:
    """What an entry point names. Raises PluginError where it cannot be imported."""
    one = named(group)[name]
    try:
        return one.load()
    except Exception as error:  # the module of another package may raise anything
        raise PluginError(f"{group}: {name} of {_package(one)} cannot be loaded: {error!r}; correct or remove it") from error


def _package(one: EntryPoint) -> str:
    return one.dist.name if one.dist else one.value


def accepted(value: object, builtin: ValidatorFunctionWrapHandler, group: str) -> object:
    """A name of the group as it is; anything else as the suite's own type."""
    return value if isinstance(value, str) and value in named(group) else builtin(value)
