"""What had another name in an earlier version: the old one is refused with the new one. docs/upgrading.md lists them."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

# {old: new} of the settings of a site.
SETTINGS = {"settle_s": "verify_s"}
# A line each: the old module, the new one.
MODULES = dict(line.split() for line in Path(__file__).with_name("renamed_modules.txt").read_text(encoding="utf-8").splitlines())


class Renamed(MetaPathFinder):
    """Asked last: an import of a module that has another name now says which."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Nothing is found here. Raises ModuleNotFoundError with the new name."""
        del path, target
        if fullname in MODULES:
            raise ModuleNotFoundError(f"{fullname} is called {MODULES[fullname]} now: see docs/upgrading.md", name=fullname)


def refuse_old_imports() -> None:
    """From now on, once."""
    if not any(isinstance(finder, Renamed) for finder in sys.meta_path):
        sys.meta_path.append(Renamed())
