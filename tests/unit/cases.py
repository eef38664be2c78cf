"""Cases as data: a folder holds what each host answered, a file a fact, and what must follow; its feature's `_base` lies under it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import ModuleType
from typing import Any

from ruamel.yaml import YAML

import tasks
from inventory.schema import Site
from inventory.typed import load
from tasks.core.change import Change
from tasks.core.check import Check
from tasks.core.facts import Facts, HostFacts, Reading

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
load_once = cache(load)
# HOST/FACT with this ending says what is otherwise in a JSON reading of the layers below.
OTHERWISE = ".otherwise"
# HOST/FACT with this ending is a command that failed: its exit code in the first line, then what it said on standard error.
FAILED = ".failed"


@dataclass(frozen=True)
class Case:
    """One folder: `HOST/FACT` files hold what a command answered; `inventory.txt` names an inventory folder other than the shipped one."""

    feature: Path
    name: str

    def __str__(self) -> str:
        return f"{self.feature.name}/{self.name}"

    @property
    def layers(self) -> tuple[Path, ...]:
        """The folders whose files count, the topmost last: the one that `under.txt` names, or all features' base, lies lowest."""
        own = (self.feature / "_base", self.feature / self.name)
        named = next((CASES / path.read_text().strip() for layer in own if (path := layer / "under.txt").is_file()), None)
        return tuple(folder for folder in (named or self.feature.parent / "_base", *own) if folder.is_dir())

    def text(self, name: str) -> str | None:
        """The file of that name, from the topmost layer that has it."""
        return next((path.read_text() for layer in reversed(self.layers) if (path := layer / name).is_file()), None)

    def yaml(self, name: str) -> dict[str, Any]:
        read = YAML(typ="safe").load(self.text(name) or "") or {}
        return {key: tuple(value) if isinstance(value, list) else value for key, value in read.items()}

    @property
    def site(self) -> Site:
        folder = ROOT / (self.text("inventory.txt") or "inventory").strip()
        for key in folder.glob("*.key"):
            key.chmod(0o600)  # git keeps no such mode
        return load_once(folder)

    @property
    def facts(self) -> Facts:
        readings: dict[str, dict[str, Reading]] = {}
        for layer in self.layers:
            for path in sorted(layer.glob("*/*")):
                here, text = readings.setdefault(path.parent.name, {}), path.read_text()
                if path.suffix == FAILED:
                    code, _, err = text.partition("\n")
                    here[path.stem] = Reading(int(code), "", err)
                    continue
                if path.suffix == OTHERWISE:
                    text = otherwise(here[path.stem].out, YAML(typ="safe").load(text))
                here[path.name.removesuffix(OTHERWISE)] = Reading(0, text)
        absent = (self.text("absent.txt") or "").split()
        return {host: HostFacts(host, one) for host, one in readings.items() if host not in absent}


def otherwise(text: str, changes: Mapping[str, Any]) -> str:
    """A JSON reading with other values at some paths (`osd dump/osds/0/up`); null takes one away, the index after a list's last adds."""
    said = json.loads(text)
    for path, value in changes.items():
        here = said
        *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        for step in way:
            here = here[step]
        if isinstance(here, list) and last == len(here):
            here.append(value)
        elif value is None:
            del here[last]
        else:
            here[last] = value
    return json.dumps(said)


def cases_of(folder: Path) -> list[Case]:
    """The cases of a feature, in order."""
    return [Case(folder, path.name) for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith("_")]


def modules() -> Iterator[ModuleType]:
    """Every module of tasks that can be imported: the host's part is a program."""
    for found in walk_packages(tasks.__path__, "tasks."):
        if found.name != "tasks.core.host_part":
            yield import_module(found.name)


def feature(change: type[Change[Any]]) -> str:
    """UplinkBond: uplink_bond."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in change.__name__).lstrip("_")


def changes() -> Mapping[str, type[Change[Any]]]:
    """{feature: Change} of the whole suite."""
    found = [value for module in modules() for value in vars(module).values() if isinstance(value, type) and issubclass(value, Change)]
    return {feature(one): one for one in found if one is not Change}


def checks() -> Mapping[str, Check]:
    """{name: Check} of the whole suite."""
    return {value.name: value for module in modules() for value in vars(module).values() if isinstance(value, Check)}
