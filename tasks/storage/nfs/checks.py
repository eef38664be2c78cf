"""The checks of an NFS server against the inventory: its exports, their options and their arrays."""

from collections.abc import Iterable, Iterator

from inventory.nfs_models import Nfs
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.arrays.checks import ARRAY_CHECKS
from tasks.storage.arrays.facts import around, shadowed
from tasks.storage.nfs.exports_file import options
from tasks.storage.nfs.facts import CLIENTS, EXPORT_TABLE, FILE_SYSTEMS, FOLDERS, SERVER, SERVER_UNIT, client
from tasks.storage.nfs.served import owned
from tasks.storage.nfs.v4_root import hidden

TAGS = ("storage", "nfs")
RUN = "Run the storage stage."


def _nfs(site: Site, host: str) -> Nfs:
    """The NFS server of the host in the inventory; empty where it is none."""
    return site.hosts[host].nfs or Nfs()


@check(needs=(EXPORT_TABLE,), severity=Severity.CRITICAL, remediation=RUN, tags=TAGS)
def exports_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server serves every export of the inventory, to its clients, with its options."""
    nfs = _nfs(site, host)
    for path, export in nfs.exports.items():
        want = ",".join(sorted(options(nfs, path, export)))
        table = {row.client: row for row in facts[host][EXPORT_TABLE] if row.path == path}
        for network in export.clients:
            row = table.get(client(network))
            yield Finding(f"{host}:{path} to {client(network)}", want, owned(row) if row else "not served", path)


@check(
    needs=(EXPORT_TABLE,),
    severity=Severity.MAJOR,
    remediation="Name its clients in the file that exports it; look for a space before '(' (exports(5)).",
    tags=TAGS,
)
def no_export_is_everybodys(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No export is open to every address."""
    if site.hosts[host].nfs:
        paths = sorted({row.path for row in facts[host][EXPORT_TABLE] if row.everybody})
        yield Finding(f"{host}:exports", "none to everybody", " ".join(paths) or "none to everybody")


@check(
    needs=(EXPORT_TABLE,), severity=Severity.NOTE, remediation="None: the inventory does not manage it, and it stays as it is.", tags=TAGS
)
def exports_of_others_are_listed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Lists the exports that are not in the inventory. They stay as they are."""
    nfs = site.hosts[host].nfs
    for row in facts[host][EXPORT_TABLE] if nfs else ():
        if nfs and row.path not in nfs.exports:
            yield Finding(f"{host}:{row.path}", "left alone", f"to {row.client or 'everybody'}", row.path, passed=True)


@check(needs=(FOLDERS,), severity=Severity.MAJOR, remediation=RUN, tags=TAGS)
def export_folders_have_their_owner_and_mode(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The folder of each export exists, with its owner and mode."""
    for path, export in _nfs(site, host).exports.items():
        found = facts[host][FOLDERS].get(path)
        got = f"{found.owner} {found.mode}" if found and found.kind == "directory" else found.kind if found else "not there"
        yield Finding(f"{host}:{path}", f"{export.owner} {export.mode}", got, path)


@check(
    needs=(FILE_SYSTEMS,),
    severity=Severity.MAJOR,
    remediation="Give the export its own fsid: without one, a client's file handles may refer to another file system after a reboot.",
    tags=TAGS,
)
def exports_can_be_told_apart(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each export has an fsid, or a file system with a UUID."""
    for path, export in _nfs(site, host).exports.items():
        mounted = around(facts[host], path)
        identified = export.fsid is not None or (mounted is not None and bool(mounted.uuid))
        yield Finding(f"{host}:{path}", "an fsid or a UUID", "an fsid or a UUID" if identified else "neither", path)


@check(
    needs=(FILE_SYSTEMS, EXPORT_TABLE),
    severity=Severity.MAJOR,
    remediation="Give both exports the same options, or move one to its own file system; remove `fsid=0` from unmanaged exports.",
    tags=TAGS,
)
def no_export_is_shadowed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """V4 clients reach each export, and its own options apply, not those of an export around it."""
    nfs = _nfs(site, host)
    unmanaged = [("the server", row) for row in (facts[host][EXPORT_TABLE] if nfs.exports else ()) if row.path not in nfs.exports]
    for path in nfs.exports:
        found = [*shadowed(facts[host], nfs, [path]), *hidden(facts[host], nfs, [path], unmanaged)]
        yield Finding(f"{host}:{path}", "its own options apply", "; ".join(found) or "its own options apply", path)


@check(needs=(SERVER,), severity=Severity.MAJOR, remediation=f"{RUN} It restarts the server.", tags=TAGS)
def nfs_versions_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server speaks exactly the inventory's versions of NFS."""
    if nfs := site.hosts[host].nfs:
        want, got = sorted(nfs.versions), facts[host][SERVER].versions
        yield Finding(f"{host}:nfsd", _versions(want), _versions(sorted(got)) if got else "it does not run")


def _versions(numbers: Iterable[int]) -> str:
    return " and ".join(f"v{number}" for number in numbers)


@check(needs=(SERVER,), severity=Severity.MINOR, remediation=f"{RUN} It restarts the server.", tags=TAGS)
def nfs_threads_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server has the inventory's number of threads."""
    if nfs := site.hosts[host].nfs:
        yield Finding(f"{host}:nfsd", f"{nfs.threads} threads", f"{facts[host][SERVER].threads} threads")


@check(
    needs=(SERVER_UNIT,),
    severity=Severity.CRITICAL,
    remediation="Run the storage stage; `systemctl status nfs-server` shows why.",
    tags=TAGS,
)
def nfs_server_starts_at_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server runs, and starts at boot."""
    if site.hosts[host].nfs:
        active, enabled = facts[host][SERVER_UNIT]
        yield Finding(f"{host}:nfs-server", "active, enabled", f"{active}, {enabled}")


@check(needs=(CLIENTS,), severity=Severity.NOTE, remediation="None: these clients may have an export mounted.", tags=TAGS)
def nfs_clients_are_listed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Lists the clients that hold state on the server."""
    names = {str(one.address.ip): one.name for one in site.hosts.values()}
    for address in facts[host][CLIENTS] if site.hosts[host].nfs else ():
        yield Finding(f"{host}:client {address}", "listed", names.get(address, "no host of the inventory"), passed=True)


# The checks that the change of a server fulfills by itself.
SERVER_CHECKS = (
    *(exports_are_as_intended, export_folders_have_their_owner_and_mode),
    *(nfs_versions_are_as_intended, nfs_threads_are_as_intended, nfs_server_starts_at_boot),
)
NFS_CHECKS = (
    *SERVER_CHECKS,
    *(no_export_is_everybodys, exports_of_others_are_listed, exports_can_be_told_apart, no_export_is_shadowed, nfs_clients_are_listed),
    *ARRAY_CHECKS,
)
