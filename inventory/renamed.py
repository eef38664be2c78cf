"""Refuses names of an earlier version, and reports the new name. docs/upgrading.md lists them."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

# {old: new} names of a site's settings.
SETTINGS = {"settle_s": "verify_s"}
# Each line: the old module, the new one.
MODULES = dict(line.split() for line in Path(__file__).with_name("renamed_modules.txt").read_text(encoding="utf-8").splitlines())


class Renamed(MetaPathFinder):
    """The last import finder: reports the new name of a renamed module."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Always None. Raises ModuleNotFoundError with the new name of a renamed module."""
        del path, target
        if fullname in MODULES:
            raise ModuleNotFoundError(f"{fullname} is called {MODULES[fullname]} now: see docs/upgrading.md", name=fullname)


def refuse_old_imports() -> None:
    """Install the finder, once."""
    if not any(isinstance(finder, Renamed) for finder in sys.meta_path):
        sys.meta_path.append(Renamed())
