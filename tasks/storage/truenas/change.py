"""The exports of a TrueNAS, through its API: it owns /etc/exports, and removes files of other programs from /etc/exports.d."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from inventory import targets
from inventory.nfs_models import Access, Nfs
from inventory.site import Site
from inventory.targets import name_of
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Call, Operation
from tasks.storage.nfs import folders
from tasks.storage.nfs.impact import RESTART
from tasks.storage.truenas.facts import CLIENTS, FOLDERS, POOLS, SERVICE, SHARES, Service
from tasks.storage.truenas.faults import faults
from tasks.storage.truenas.shares import ShareState, call, operation, share_operations, state_of


@dataclass(frozen=True)
class TruenasState:
    """The suite's shares, the folders of the wanted shares, and the service."""

    shares: tuple[ShareState, ...]
    folders: tuple[folders.FolderState, ...]
    service: Service


@dataclass(frozen=True)
class TruenasExports(Change[TruenasState]):
    """The TrueNAS shares the inventory's exports by NFS, each with its pool, owner, mode and squash. Unmanaged shares stay as they are."""

    of: ClassVar = targets.TRUENAS
    needs: ClassVar = (SHARES, SERVICE, POOLS, FOLDERS, CLIENTS)
    host: str

    def _nfs(self, site: Site) -> Nfs:
        nfs = site.hosts[name_of(self.host)].nfs
        assert nfs is not None
        return nfs

    def intend(self, site: Site, facts: Facts) -> TruenasState:  # noqa: ARG002
        """The inventory's exports, sorted by path."""
        nfs = self._nfs(site)
        shares = (
            ShareState(path, tuple(sorted(map(str, one.clients))), one.access is Access.READ_ONLY, one.squash.value)
            for path, one in sorted(nfs.exports.items())
        )
        return TruenasState(
            tuple(shares), folders.wanted(nfs), Service(tuple(sorted(nfs.versions)), nfs.threads, running=True, enabled=True)
        )

    def observe(self, site: Site, facts: Facts) -> TruenasState:
        """The state as found. Of the shares, only those with the suite's comment."""
        have = facts[self.host]
        ours = tuple(sorted((state_of(one) for one in have[SHARES] if one.ours), key=lambda share: share.path))
        return TruenasState(ours, folders.states(self._nfs(site), have[FOLDERS]), have[SERVICE])

    def steps(self, site: Site, facts: Facts, want: TruenasState) -> tuple[Step, ...]:
        """Folders, the service's settings, shares, and the service itself; each operation with its undo where there is one."""
        have = self.observe(site, facts)
        differ = {one.path for one in set(want.shares) - set(have.shares)} | {one.path for one in set(want.folders) - set(have.folders)}
        if reasons := tuple(dict.fromkeys(faults(facts[self.host], self._nfs(site), differ))):
            raise Refused(f"{name_of(self.host)}: {'; '.join(reasons)}")
        return (
            *_folders(have.folders, want.folders),
            *_settings(have.service, want.service),
            *share_operations(site, facts[self.host][SHARES], want.shares, facts[self.host][CLIENTS]),
            *_service(have.service),
        )


def _folders(have: tuple[folders.FolderState, ...], want: tuple[folders.FolderState, ...]) -> Iterator[Operation]:
    for old, new in zip(have, want, strict=True):
        if not old.owner:
            shown = f"{new.path} is created: owner {new.owner}, mode {new.mode}; an undo leaves it, because the API cannot remove a folder"
            yield operation("folder", new.path, call("filesystem.mkdir", {"path": new.path, "options": {"mode": new.mode[1:]}}), shown)
            yield operation("permission", new.path, _permission(new))
        elif old != new:
            shown = f"{new.path}: owner {old.owner} mode {old.mode} becomes owner {new.owner} mode {new.mode}; its content is not touched"
            yield operation("permission", new.path, _permission(new), shown, _permission(old))


def _permission(folder: folders.FolderState) -> Call:
    uid, gid = folder.owner.split(":")
    options = {"recursive": False, "stripacl": False, "traverse": False}
    parameters = {"path": folder.path, "uid": int(uid), "gid": int(gid), "mode": folder.mode.removeprefix("0"), "options": options}
    return call("filesystem.setperm", parameters, job=True)


def _settings(have: Service, want: Service) -> Iterator[Operation]:
    if (have.versions, have.threads) != (want.versions, want.threads):
        shown = f"NFS {_text(have)} becomes {_text(want)}"
        undo, impact = call("nfs.update", _config(have)), (RESTART,) if have.running else ()
        yield operation("nfs", "settings", call("nfs.update", _config(want)), shown, undo, *impact)


def _config(service: Service) -> dict[str, Any]:
    return {"protocols": [f"NFSV{version}" for version in service.versions], "servers": service.threads or None}


def _text(service: Service) -> str:
    return f"v{' and v'.join(map(str, service.versions))} with {service.threads or 'its own number of'} threads"


def _service(have: Service) -> Iterator[Operation]:
    if not have.enabled:
        at_boot, not_at_boot = (call("service.update", "nfs", {"enable": enable}) for enable in (True, False))
        yield operation("nfs", "at-boot", at_boot, "NFS starts at boot", not_at_boot)
    if not have.running:
        start, stop = (call("service.control", verb, "nfs", {}, job=True) for verb in ("START", "STOP"))
        yield operation("nfs", "start", start, "NFS starts", stop)
