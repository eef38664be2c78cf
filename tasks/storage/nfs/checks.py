"""An NFS server against the inventory: what it serves, how, from which arrays."""

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
    """What the host is to serve: nothing where it is no server."""
    return site.hosts[host].nfs or Nfs()


@check(needs=(EXPORT_TABLE,), severity=Severity.CRITICAL, remediation=RUN, tags=TAGS)
def exports_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every export of the inventory is served, to its clients, with its options."""
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
    """No export is open to whoever can send packets here."""
    if site.hosts[host].nfs:
        paths = sorted({row.path for row in facts[host][EXPORT_TABLE] if row.everybody})
        yield Finding(f"{host}:exports", "none to everybody", " ".join(paths) or "none to everybody")


@check(needs=(EXPORT_TABLE,), severity=Severity.NOTE, remediation="Nothing: it is somebody else's and stays as it is.", tags=TAGS)
def exports_of_others_are_listed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Exports that the inventory does not know are seen, and left alone."""
    nfs = site.hosts[host].nfs
    for row in facts[host][EXPORT_TABLE] if nfs else ():
        if nfs and row.path not in nfs.exports:
            yield Finding(f"{host}:{row.path}", "left alone", f"to {row.client or 'everybody'}", row.path, passed=True)


@check(needs=(FOLDERS,), severity=Severity.MAJOR, remediation=RUN, tags=TAGS)
def export_folders_have_their_owner_and_mode(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The folder of each export is there, with its owner and mode."""
    for path, export in _nfs(site, host).exports.items():
        found = facts[host][FOLDERS].get(path)
        got = f"{found.owner} {found.mode}" if found and found.kind == "directory" else found.kind if found else "not there"
        yield Finding(f"{host}:{path}", f"{export.owner} {export.mode}", got, path)


@check(
    needs=(FILE_SYSTEMS,),
    severity=Severity.MAJOR,
    remediation="Give the export an fsid of its own: without it clients' handles may name another file system after a reboot.",
    tags=TAGS,
)
def exports_can_be_told_apart(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each export has an fsid, or a file system with a UUID."""
    for path, export in _nfs(site, host).exports.items():
        mounted = around(facts[host], path)
        told = export.fsid is not None or (mounted is not None and bool(mounted.uuid))
        yield Finding(f"{host}:{path}", "an fsid or a UUID", "an fsid or a UUID" if told else "neither", path)


@check(
    needs=(FILE_SYSTEMS, EXPORT_TABLE),
    severity=Severity.MAJOR,
    remediation="Say the same of both exports, or move one of them to a file system of its own; take `fsid=0` out of others' exports.",
    tags=TAGS,
)
def no_export_is_shadowed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """V4 clients get to each export, and its own options count there: not those of one that it lies in, ours or others'."""
    nfs = _nfs(site, host)
    others = [("somebody", row) for row in (facts[host][EXPORT_TABLE] if nfs.exports else ()) if row.path not in nfs.exports]
    for path in nfs.exports:
        found = [*shadowed(facts[host], nfs, [path]), *hidden(facts[host], nfs, [path], others)]
        yield Finding(f"{host}:{path}", "its own options count", "; ".join(found) or "its own options count", path)


@check(needs=(SERVER,), severity=Severity.MAJOR, remediation=f"{RUN} It restarts the server.", tags=TAGS)
def nfs_versions_are_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server speaks the inventory's versions of NFS and no other."""
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
    remediation="Run the storage stage; `systemctl status nfs-server` says why.",
    tags=TAGS,
)
def nfs_server_starts_at_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The server runs, and starts by itself after a boot."""
    if site.hosts[host].nfs:
        active, enabled = facts[host][SERVER_UNIT]
        yield Finding(f"{host}:nfs-server", "active, enabled", f"{active}, {enabled}")


@check(needs=(CLIENTS,), severity=Severity.NOTE, remediation="Nothing: this is who may have something mounted.", tags=TAGS)
def nfs_clients_are_listed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Who holds state on the server is seen."""
    names = {str(one.address.ip): one.name for one in site.hosts.values()}
    for address in facts[host][CLIENTS] if site.hosts[host].nfs else ():
        yield Finding(f"{host}:client {address}", "listed", names.get(address, "no host of the inventory"), passed=True)


# What the change of a server makes true by itself.
SERVER_CHECKS = (
    *(exports_are_as_intended, export_folders_have_their_owner_and_mode),
    *(nfs_versions_are_as_intended, nfs_threads_are_as_intended, nfs_server_starts_at_boot),
)
NFS_CHECKS = (
    *SERVER_CHECKS,
    *(no_export_is_everybodys, exports_of_others_are_listed, exports_can_be_told_apart, no_export_is_shadowed, nfs_clients_are_listed),
    *ARRAY_CHECKS,
)
