"""Rules of NFS servers: exports are inside arrays, squash fits the purpose, nothing is listed twice."""

from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Place, Problem
from inventory.models import HostRow, LinkKind, Platform
from inventory.nfs_models import Access, Export, Nfs, Purpose, Squash
from inventory.rules.host import LINUX

# Clients with these purposes create folders and change their owner, which needs root on the server.
WORKS_AS_ROOT = (Purpose.PROVISIONER, Purpose.DATABASE)
WRITES_OF_OTHERS = 0o002
# The server maps a squashed user to this UID (exports(5), anonuid).
NOBODY = "65534"
TRUENAS_THREADS = 256


def servers_can_serve(draft: Draft) -> Iterator[Problem]:
    """An NFS server is a Linux host over SSH or a TrueNAS."""
    for host, row in draft.hosts.items():
        if row.nfs is not None and row.platform is not None and row.link is not None and not _can_serve(row):
            wanted, found = "a Linux host on link ssh, or a TrueNAS", f"platform {row.platform} on link {row.link}"
            yield Problem(draft.at(host, "nfs"), f"{host} nfs", wanted, found, "move it, or correct the host")


def _can_serve(row: HostRow) -> bool:
    return row.platform is Platform.TRUENAS or (row.platform in LINUX and row.link is LinkKind.SSH)


def truenas_exports_have_no_other_options(draft: Draft) -> Iterator[Problem]:
    """A TrueNAS has only the options of exports(5) that its API has (25.10), and at most 256 threads."""
    for host, nfs, path, export in _exports(draft):
        if draft.hosts[host].platform is not Platform.TRUENAS:
            continue
        for key, is_set in (("sync", not export.sync), ("options", bool(export.options)), ("fsid", export.fsid is not None)):
            if is_set:
                what = f"{host} nfs.exports.{path}.{key}"
                yield Problem(_at(draft, host, path, key), what, f"no '{key}' on a TrueNAS", "it", "remove it: TrueNAS decides it")
        if export.mode[0] != "0":
            what, wanted = f"{host} nfs.exports.{path}.mode", 'a mode without special bits on a TrueNAS, such as "0770"'
            yield Problem(_at(draft, host, path, "mode"), what, wanted, export.mode, "correct it: its API sets no others")
        if nfs.threads > TRUENAS_THREADS and path == next(iter(nfs.exports)):
            place = draft.at(host, "nfs", "threads")
            yield Problem(place, f"{host} nfs.threads", f"at most {TRUENAS_THREADS} on a TrueNAS", str(nfs.threads), "correct the value")


def exports_are_in_an_array(draft: Draft) -> Iterator[Problem]:
    """An export is an array or a folder in one. Any other folder would fill the host's own disk."""
    outside: dict[str, list[str]] = {}
    for host, nfs, path, _ in _exports(draft):
        if nfs.array_of(path) is None:
            outside.setdefault(host, []).append(path)
    for host, paths in outside.items():
        arrays = ", ".join((draft.hosts[host].nfs or Nfs()).arrays) or "none"
        wanted, found = f"a folder in an array ({arrays})", ", ".join(paths)
        place, remedy = draft.at(host, "nfs", "exports", paths[0]), "correct the path, or add the array"
        yield Problem(place, f"{host} nfs.exports", wanted, found, remedy)


def exports_have_clients(draft: Draft) -> Iterator[Problem]:
    """An export lists its clients. Without a list, any host could mount it."""
    for host, _, path, export in _exports(draft):
        if not export.clients:
            what = f"{host} nfs.exports.{path}.clients"
            yield Problem(
                _at(draft, host, path, "clients"), what, "at least one network or address", "none", "add it, or remove the export"
            )


def clients_do_not_overlap(draft: Draft) -> Iterator[Problem]:
    """The networks of an export do not overlap, and none contains every address."""
    for host, _, path, export in _exports(draft):
        for index, clients in enumerate(export.clients):
            place, what = _at(draft, host, path, "clients", index), f"{host} nfs.exports.{path}.clients"
            if clients.prefixlen == 0:
                yield Problem(place, what, "a network of the site", f"{clients}, which is any host", "list the networks that need it")
                continue
            for other in export.clients[:index]:
                if clients.overlaps(other):
                    yield Problem(place, what, "networks that do not overlap", f"{clients} and {other}", "keep one of them")


def squash_fits_the_purpose(draft: Draft) -> Iterator[Problem]:
    """Only a database and a provisioner are root on their export."""
    for host, _, path, export in _exports(draft):
        place, what = _at(draft, host, path, "squash"), f"{host} nfs.exports.{path}.squash"
        if export.purpose in WORKS_AS_ROOT and export.squash is not Squash.NONE:
            wanted = f"{Squash.NONE} for a {export.purpose}, which changes the owner of its folders as root"
            yield Problem(place, what, wanted, str(export.squash), "correct the squash or the purpose")
        elif export.purpose not in WORKS_AS_ROOT and export.squash is Squash.NONE:
            wanted = f"{Squash.ROOT} or {Squash.ALL}, because only a provisioner or a database needs root"
            yield Problem(place, what, wanted, str(export.squash), "correct the squash or the purpose")


def databases_keep_what_they_write(draft: Draft) -> Iterator[Problem]:
    """A database may write, and the server replies only after it has written to disk."""
    for host, _, path, export in _exports(draft):
        if export.purpose is not Purpose.DATABASE:
            continue
        what = f"{host} nfs.exports.{path}"
        if not export.sync:
            remedy = "remove it: with it, a crash of the server loses acknowledged writes"
            yield Problem(_at(draft, host, path, "sync"), f"{what}.sync", "true for a database", "false", remedy)
        if export.access is Access.READ_ONLY:
            yield Problem(_at(draft, host, path, "access"), f"{what}.access", f"{Access.READ_WRITE} for a database", "ro", "correct it")


def a_client_can_write(draft: Draft) -> Iterator[Problem]:
    """In a writable export, the folder's owner and mode let a client's user write."""
    for host, _, path, export in _exports(draft):
        if export.access is Access.READ_ONLY or export.purpose in WORKS_AS_ROOT or _has_a_writer(export):
            continue
        found = f"owner {export.owner} and mode {export.mode} with {export.squash}"
        remedy = "set the owner that writes, or set 'access: ro'"
        yield Problem(_at(draft, host, path), f"{host} nfs.exports.{path}", "a folder that a client can write to", found, remedy)


def _has_a_writer(export: Export) -> bool:
    owner = export.owner.partition(":")[0]
    by_others = bool(int(export.mode, 8) & WRITES_OF_OTHERS)
    return by_others or export.squash is Squash.NONE or (owner == NOBODY if export.squash is Squash.ALL else owner != "0")


def fsids_are_unique(draft: Draft) -> Iterator[Problem]:
    """An fsid is unique on its host. If two exports share one, clients get the files of one export as those of the other."""
    first: dict[tuple[str, int], str] = {}
    for host, _, path, export in _exports(draft):
        if export.fsid is None:
            continue
        if (host, export.fsid) in first:
            found = f"{export.fsid}, which is {first[host, export.fsid]}'s"
            what = f"{host} nfs.exports.{path}.fsid"
            yield Problem(_at(draft, host, path, "fsid"), what, "a unique number", found, "choose an unused one")
        first.setdefault((host, export.fsid), path)


def a_version_is_served(draft: Draft) -> Iterator[Problem]:
    """The list of NFS versions has at least one, and each once."""
    for host, row in draft.hosts.items():
        if row.nfs is not None and (not row.nfs.versions or len(set(row.nfs.versions)) < len(row.nfs.versions)):
            place, found = draft.at(host, "nfs", "versions"), ", ".join(str(one) for one in row.nfs.versions) or "none"
            yield Problem(place, f"{host} nfs.versions", "at least one version, each once", found, "set [4], or [3, 4]")


def the_nodes_own_version_is_served(draft: Draft) -> Iterator[Problem]:
    """A server with exports serves NFSv4: Proxmox's storages and the audit's test mounts use it."""
    for host, row in draft.hosts.items():
        if row.nfs is not None and row.nfs.exports and row.nfs.versions and 4 not in row.nfs.versions:
            place, found = draft.at(host, "nfs", "versions"), ", ".join(str(one) for one in row.nfs.versions)
            yield Problem(place, f"{host} nfs.versions", "4 among the versions: the nodes mount with it", found, "set [4], or [3, 4]")


def storages_can_be_made(draft: Draft) -> Iterator[Problem]:
    """Proxmox makes folders in a storage's export as root (pve-storage, activate_storage)."""
    for host, _, path, export in _exports(draft):
        # The squash of a purpose that needs root is already reported.
        is_root = export.squash is Squash.NONE or export.purpose in WORKS_AS_ROOT
        if export.storage is None or (export.access is Access.READ_WRITE and is_root):
            continue
        wanted, found = "rw and no_root_squash for a Proxmox storage, which makes its folders as root", f"{export.access}, {export.squash}"
        yield Problem(_at(draft, host, path, "storage"), f"{host} nfs.exports.{path}", wanted, found, "correct them, or remove 'storage'")


def storage_names_are_unique(draft: Draft) -> Iterator[Problem]:
    """A pool and the exports with a storage have different names, because Proxmox has one list of storages."""
    ceph = draft.defaults.ceph if draft.defaults else None
    used = {name: f"the pool {name}" for name, pool in (ceph.pools.items() if ceph else ()) if pool.application == "rbd"}
    for host, _, path, export in _exports(draft):
        if export.storage in used:
            what, found = f"{host} nfs.exports.{path}.storage", f"{export.storage}, which is {used[export.storage]}"
            yield Problem(_at(draft, host, path, "storage"), what, "a unique name", found, "choose an unused one")
        elif export.storage is not None:
            used[export.storage] = f"{host}:{path}"


def _exports(draft: Draft) -> Iterator[tuple[str, Nfs, str, Export]]:
    return ((host, row.nfs, path, one) for host, row in draft.hosts.items() if row.nfs for path, one in row.nfs.exports.items())


def _at(draft: Draft, host: str, path: str, *more: str | int) -> Place:
    """The line of an export's key, or of the export if it does not set the key."""
    return draft.files["hosts"].place(host, "nfs", "exports", path, *more)
