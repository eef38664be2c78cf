"""The change of an NFS server: its settings, its exports, and their folders."""

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
FROM_FILES = "the server serves its exports again as the files define them"


@dataclass(frozen=True)
class NfsState:
    """The package, the two files that the suite owns, the wanted exports that the server serves, their folders, and the server's unit."""

    installed: bool
    settings: str
    exports: str
    served: tuple[Served, ...]
    folders: tuple[folders.FolderState, ...]
    server: tuple[str, str]


@dataclass(frozen=True)
class NfsExports(Change[NfsState]):
    """The host serves the inventory's exports, each from its array, with its owner, mode and squash. Unmanaged exports stay as they are."""

    needs: ClassVar = (
        *(PACKAGES, SETTINGS_FILE, EXPORTS_FILE, OTHER_EXPORTS, EXPORT_TABLE),
        *(FOLDERS, FILE_SYSTEMS, POOLS, SERVER_UNIT, CLIENTS),
    )
    host: str

    def intend(self, site: Site, facts: Facts) -> NfsState:  # noqa: ARG002
        """The wanted state. Raises Refused where the exports file would be wrong: exportfs would report that too late."""
        nfs, platform = _nfs(site, self.host), site.hosts[self.host].platform
        lines = [(path, [client(one) for one in export.clients], options(nfs, path, export)) for path, export in nfs.exports.items()]
        settings = render("nfs_exports", f"{platform}.conf", self.host, threads=nfs.threads, versions=nfs.versions)
        exports = render("nfs_exports", f"{platform}.exports", self.host, exports=lines)
        if wrong := faults(exports):
            raise Refused(f"{self.host}: {EXPORTS} would be wrong: {'; '.join(wrong)}")
        return NfsState(True, settings, exports, served(exports, rows(exports)), folders.wanted(nfs), RUNNING)

    def observe(self, site: Site, facts: Facts) -> NfsState:
        """The state as found. Of the exports that the server serves, only the wanted ones, with only the options that the suite sets."""
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
        """Folders, files, then the export table of a running server. The server restarts only for its own settings."""
        have = self.observe(site, facts)
        if reasons := tuple(dict.fromkeys(self._reasons(site, facts, have, want))):
            raise Refused(f"{self.host}: {'; '.join(reasons)}")
        running = have.server[0] == "active"
        restarts = running and have.settings != want.settings
        only_served = have.exports == want.exports and have.served != want.served
        impact = exports_impact(site, have.exports, want.exports, facts[self.host][CLIENTS])
        return (
            *(() if have.installed else (Package(PACKAGE),)),
            *folders.steps(have.folders, want.folders),
            FilePart(SETTINGS, SETTINGS_FILE, lambda _: want.settings, impact=(RESTART,) if restarts else ()),
            FilePart(EXPORTS, EXPORTS_FILE, lambda _: want.exports, impact=impact),
            *((serve(want.exports, shown=FROM_FILES if only_served else ""),) if running and _table(have) != _table(want) else ()),
            *((Unit(UNIT, restart=restarts or not have.installed),) if restarts or have.server != RUNNING else ()),
        )

    def _reasons(self, site: Site, facts: Facts, have: NfsState, want: NfsState) -> Iterator[str]:
        """Why the differences cannot be applied. Exports without a difference are left to the checks."""
        nfs, host = _nfs(site, self.host), facts[self.host]
        exported = {row.path for row in rows(have.exports)}
        differ = {path for path, _, _ in set(want.served) - set(have.served)} | {one.path for one in set(want.folders) - set(have.folders)}
        for path in sorted(differ):
            yield from array_faults(host, nfs, path, more=path not in exported)
            yield from folder_faults(host, nfs, path)
        yield from shadowed(host, nfs, sorted(differ))
        yield from conflicts(host, nfs)


def _table(state: NfsState) -> tuple[object, ...]:
    """What the server's export table depends on. A folder that is created again is a new folder to the server."""
    return state.exports, state.served, tuple(bool(folder.owner) for folder in state.folders)


def _nfs(site: Site, host: str) -> Nfs:
    nfs = site.hosts[host].nfs
    assert nfs is not None
    return nfs
