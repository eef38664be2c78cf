"""What an NFS server serves: its settings, its exports, and their folders."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from inventory.nfs_models import Nfs
from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Package, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Unit
from tasks.host.base.facts import PACKAGES
from tasks.platforms.templates import render
from tasks.storage.arrays.facts import array_faults, folder_faults, shadowed
from tasks.storage.nfs import folders
from tasks.storage.nfs.exports_file import EXPORTS, faults, options, rows
from tasks.storage.nfs.facts import (
    CLIENTS,
    EXPORT_TABLE,
    EXPORTS_FILE,
    FILE_SYSTEMS,
    FOLDERS,
    OTHER_EXPORTS,
    POOLS,
    SERVER_UNIT,
    SETTINGS,
    SETTINGS_FILE,
    UNIT,
    client,
)
from tasks.storage.nfs.impact import RESTART, exports_impact
from tasks.storage.nfs.others import conflicts
from tasks.storage.nfs.served import Served, serve, served

PACKAGE = "nfs-kernel-server"
RUNNING = ("active", "enabled")
FROM_FILES = "exports are served again as the files say"


@dataclass(frozen=True)
class NfsState:
    """The package, the two files that are owned whole, what is served of the wanted exports, their folders, and the server's unit."""

    installed: bool
    settings: str
    exports: str
    served: tuple[Served, ...]
    folders: tuple[folders.FolderState, ...]
    server: tuple[str, str]


@dataclass(frozen=True)
class NfsExports(Change[NfsState]):
    """The host serves the inventory's exports, each from its array, with its owner, mode and squash; others' stay as they are."""

    needs: ClassVar = (
        *(PACKAGES, SETTINGS_FILE, EXPORTS_FILE, OTHER_EXPORTS, EXPORT_TABLE),
        *(FOLDERS, FILE_SYSTEMS, POOLS, SERVER_UNIT, CLIENTS),
    )
    host: str

    def intend(self, site: Site, facts: Facts) -> NfsState:  # noqa: ARG002
        """All of it. Raises Refused where the file would not be sound: exportfs would find it out too late."""
        nfs, platform = _nfs(site, self.host), site.hosts[self.host].platform
        lines = [(path, [client(one) for one in export.clients], options(nfs, path, export)) for path, export in nfs.exports.items()]
        settings = render("nfs_exports", f"{platform}.conf", self.host, threads=nfs.threads, versions=nfs.versions)
        exports = render("nfs_exports", f"{platform}.exports", self.host, exports=lines)
        if wrong := faults(exports):
            raise Refused(f"{self.host}: {EXPORTS} would not be sound: {'; '.join(wrong)}")
        return NfsState(True, settings, exports, served(exports, rows(exports)), folders.wanted(nfs), RUNNING)

    def observe(self, site: Site, facts: Facts) -> NfsState:
        """As found; of what is served, the wanted exports and the options of the suite."""
        have, want = facts[self.host], self.intend(site, facts)
        return NfsState(
            PACKAGE in have[PACKAGES],
            have[SETTINGS_FILE],
            have[EXPORTS_FILE],
            served(want.exports, have[EXPORT_TABLE]),
            folders.found(_nfs(site, self.host), have),
            have[SERVER_UNIT],
        )

    def steps(self, site: Site, facts: Facts, want: NfsState) -> tuple[Step, ...]:
        """Folders, files, then the table of a server that runs; the server itself restarts for its own settings alone."""
        have = self.observe(site, facts)
        if reasons := tuple(dict.fromkeys(self._reasons(site, facts, have, want))):
            raise Refused(f"{self.host}: {'; '.join(reasons)}")
        running = have.server[0] == "active"
        restarts = running and have.settings != want.settings
        moved = have.exports == want.exports and have.served != want.served
        impact = exports_impact(site, have.exports, want.exports, facts[self.host][CLIENTS])
        return (
            *(() if have.installed else (Package(PACKAGE),)),
            *folders.steps(have.folders, want.folders),
            FilePart(SETTINGS, SETTINGS_FILE, lambda _: want.settings, impact=(RESTART,) if restarts else ()),
            FilePart(EXPORTS, EXPORTS_FILE, lambda _: want.exports, impact=impact),
            *((serve(want.exports, shown=FROM_FILES if moved else ""),) if running and _table(have) != _table(want) else ()),
            *((Unit(UNIT, restart=restarts or not have.installed),) if restarts or have.server != RUNNING else ()),
        )

    def _reasons(self, site: Site, facts: Facts, have: NfsState, want: NfsState) -> Iterator[str]:
        """Why what differs cannot be made so; exports that are as wanted are not judged here, but by the checks."""
        nfs, host = _nfs(site, self.host), facts[self.host]
        there = {row.path for row in rows(have.exports)}
        differ = {path for path, _, _ in set(want.served) - set(have.served)} | {one.path for one in set(want.folders) - set(have.folders)}
        for path in sorted(differ):
            yield from array_faults(host, nfs, path, more=path not in there)
            yield from folder_faults(host, nfs, path)
        yield from shadowed(host, nfs, sorted(differ))
        yield from conflicts(host, nfs)


def _table(state: NfsState) -> tuple[object, ...]:
    """What the server's table of exports is made of: a folder that is made anew is another one to it."""
    return state.exports, state.served, tuple(bool(folder.owner) for folder in state.folders)


def _nfs(site: Site, host: str) -> Nfs:
    nfs = site.hosts[host].nfs
    assert nfs is not None
    return nfs
