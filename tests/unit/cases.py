"""Cases as data: the answers of each host, the inventory, and the expected results. `case_files.py` describes the format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from case_files import CASES, EXPECTED, ROOT, edited, loaded, subject, with_edits

import tasks
from inventory.load import load
from inventory.site import Site
from inventory.targets import CEPH, PROXMOX, TRUENAS
from tasks.core.model.change import Change
from tasks.core.model.check import Check
from tasks.core.model.fact import Fact, Facts, HostFacts, Reading, through
from tasks.storage.ceph import facts as ceph
from tasks.virtualization.proxmox_cluster.facts import STORAGES

load_once = cache(load)
BASES = {"shipped": ROOT / "inventory", "small": CASES / "inventory" / "base"}


@dataclass(frozen=True)
class Case:
    """One case of a subject: a change, a check, a rule of the inventory, a getter."""

    subject: Path
    name: str

    def __str__(self) -> str:
        return f"{self.subject.name}/{self.name}"

    @property
    def own(self) -> Mapping[str, Any]:
        """The case's own keys."""
        return subject(self.subject)[self.name]

    @property
    def layers(self) -> tuple[Mapping[str, Any], ...]:
        """The layers of the case, the topmost last. The lowest is the named base, or the one that all subjects of a folder share."""
        base = subject(self.subject).get("base", {})
        named = CASES / base["under"] if "under" in base else self.subject.parent
        shared = subject(named).get("base", {}) if named != CASES else {}
        return (shared, base, self.own)

    def get(self, key: str, default: Any = None) -> Any:
        """The value of the topmost layer that has the key."""
        return next((layer[key] for layer in reversed(self.layers) if key in layer), default)

    @property
    def expected(self) -> dict[str, Any]:
        """The expected results."""
        return {key: self.own[key] for key in EXPECTED if key in self.own}

    @property
    def folder(self) -> Path:
        """The folder of the case's inventory."""
        return folder_of(self.get("inventory"))

    @property
    def site(self) -> Site:
        return site_of(self.get("inventory"))

    @property
    def facts(self) -> Facts:
        readings: dict[str, dict[str, Reading]] = {}
        for layer in self.layers:
            for name, answers in (layer.get("facts") or {}).items():
                for host in _endpoints(self.site, name):
                    here = readings.setdefault(host, {})
                    here |= {fact: _reading(here[fact].out if fact in here else "", what) for fact, what in answers.items()}
        silent = self.get("silent", ())
        hosts = {host: HostFacts(host, _that_apply(self.site, host, one)) for host, one in readings.items() if host not in silent}
        return with_clusters(self.site, hosts)


# By these facts an endpoint is known to know its cluster.
KNOWN_BY: Mapping[str, tuple[Fact[Any], ...]] = {CEPH: (ceph.CEPH, ceph.CEPH_CONF), PROXMOX: (STORAGES,), TRUENAS: ()}


def _endpoints(site: Site, name: str) -> tuple[str, ...]:
    """The host of that name, or the endpoints of the cluster of that kind."""
    return tuple(host for target in site.targets(name) for host in site.endpoints(target)) if name in KNOWN_BY else (name,)


def with_clusters(site: Site, facts: Mapping[str, HostFacts]) -> Facts:
    """The facts of hosts, and those of the site's clusters through them."""
    found: dict[str, HostFacts] = dict(facts)
    for kind, needs in KNOWN_BY.items():
        for target in site.targets(kind):
            answers = {host: facts[host] for host in site.endpoints(target) if host in facts}
            if answers and isinstance(answer := through(needs, answers), HostFacts):
                found[target] = answer
    return found


def _that_apply(site: Site, host: str, readings: Mapping[str, Reading]) -> Mapping[str, Reading]:
    """The readings without those of facts that the host does not have: a run does not read them."""
    none = {name for name, fact in facts_of_site().items() if name in readings and host in site.hosts and not fact.on(site, host).command}
    return {name: one for name, one in readings.items() if name not in none}


@cache
def facts_of_site() -> Mapping[str, Fact[Any]]:
    """{name: Fact} of the suite's facts whose command depends on the inventory."""
    found = (value for module in modules() for value in vars(module).values() if isinstance(value, Fact))
    return {fact.name: fact for fact in found if fact.of_site}


def _reading(below: str, what: Any) -> Reading:
    if isinstance(what, Mapping) and "failed" in what:
        return Reading(what["failed"], "", what.get("stderr", ""))
    return Reading(0, edited(below, what))


@cache
def sites() -> Mapping[str, Any]:
    """{name: the differences from a base} of the inventories that several cases share."""
    return loaded(CASES / "sites.yaml")


_FOLDERS: dict[str, Path] = {}
_ROOT = TemporaryDirectory(prefix="burrow-sites-")  # removed when the process ends


def folder_of(inventory: Any) -> Path:
    """The folder of an inventory: a name in sites.yaml, or differences from the shipped one, or empty for the shipped one itself."""
    if not inventory:
        return BASES["shipped"]
    key = repr(inventory)
    if key not in _FOLDERS:
        row = sites()[inventory] if isinstance(inventory, str) else {"files": inventory}
        _FOLDERS[key] = with_edits(BASES[row.get("base", "shipped")], row["files"], Path(_ROOT.name, str(len(_FOLDERS))))
    return _FOLDERS[key]


def site_of(inventory: Any) -> Site:
    return load_once(folder_of(inventory))


def cases_of(path: Path) -> list[Case]:
    """The cases of a subject, in order."""
    return [Case(path, name) for name in sorted(subject(path)) if name != "base"]


def case_of(path: str, name: str) -> Case:
    """One case, by its subject's path below tests/cases."""
    return Case(CASES / path, name)


def modules() -> Iterator[ModuleType]:
    """Every module of tasks."""
    for found in walk_packages(tasks.__path__, "tasks."):
        yield import_module(found.name)


def feature(change: type[Change[Any]]) -> str:
    """The name of a change's feature: uplink_bond for UplinkBond."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in change.__name__).lstrip("_")


def changes() -> Mapping[str, type[Change[Any]]]:
    """{feature: Change} of the whole suite."""
    found = [value for module in modules() for value in vars(module).values() if isinstance(value, type) and issubclass(value, Change)]
    return {feature(one): one for one in found if one is not Change}


def checks() -> Mapping[str, Check]:
    """{name: Check} of the whole suite."""
    return {value.name: value for module in modules() for value in vars(module).values() if isinstance(value, Check)}
