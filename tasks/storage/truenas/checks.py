"""The checks of a TrueNAS against the inventory, through its API."""

from collections.abc import Iterator

from inventory import targets
from inventory.nfs_models import Access
from inventory.site import Site
from inventory.targets import name_of
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.truenas.facts import FOLDERS, POOLS, SERVICE, SHARES

TAGS = ("storage", "nfs", "truenas")
RUN = "Run the storage stage."


@check(of=targets.TRUENAS, needs=(SHARES,), severity=Severity.CRITICAL, remediation=RUN, tags=TAGS)
def truenas_shares_are_as_intended(site: Site, facts: Facts, nas: str) -> Iterator[Finding]:
    """The TrueNAS shares every export of the inventory, with its clients, access and squash."""
    nfs = site.hosts[name_of(nas)].nfs
    for path, export in nfs.exports.items() if nfs else ():
        shares = [share for share in facts[nas][SHARES] if share.path == path and share.enabled]
        access = "ro" if export.access is Access.READ_ONLY else "rw"
        want = f"{' '.join(sorted(map(str, export.clients)))} {access} {export.squash}"
        got = "; ".join(f"{' '.join(one.clients)} {'ro' if one.read_only else 'rw'} {one.squash}" for one in shares)
        yield Finding(f"{name_of(nas)}:{path}", want, got or "not shared", path)


# A host `*` is everybody (middleware, plugins/nfs.py).
EVERYBODY = {"*", "0.0.0.0/0", "::/0"}


@check(
    of=targets.TRUENAS,
    needs=(SHARES,),
    severity=Severity.MAJOR,
    remediation="Set the networks of the share: one without any is open to everybody.",
    tags=TAGS,
)
def no_truenas_share_is_everybodys(site: Site, facts: Facts, nas: str) -> Iterator[Finding]:
    """No share is open to every address."""
    if site.hosts[name_of(nas)].nfs:
        paths = [share.path for share in facts[nas][SHARES] if share.enabled and (not share.clients or EVERYBODY & {*share.clients})]
        yield Finding(f"{name_of(nas)}:shares", "none to everybody", " ".join(paths) or "none to everybody")


@check(of=targets.TRUENAS, needs=(FOLDERS,), severity=Severity.MAJOR, remediation=RUN, tags=TAGS)
def truenas_folders_have_their_owner_and_mode(site: Site, facts: Facts, nas: str) -> Iterator[Finding]:
    """The folder of each export exists, with its owner and mode."""
    nfs = site.hosts[name_of(nas)].nfs
    for path, export in nfs.exports.items() if nfs else ():
        found = facts[nas][FOLDERS].get(path)
        got = f"{found.owner} {found.mode}" if found and found.kind == "directory" else found.kind if found else "not there"
        yield Finding(f"{name_of(nas)}:{path}", f"{export.owner} {export.mode}", got, path)


@check(of=targets.TRUENAS, needs=(SERVICE,), severity=Severity.MAJOR, remediation=f"{RUN} It restarts the service.", tags=TAGS)
def truenas_serves_the_intended_versions(site: Site, facts: Facts, nas: str) -> Iterator[Finding]:
    """NFS is set to the inventory's versions and threads, runs, and starts at boot."""
    nfs = site.hosts[name_of(nas)].nfs
    if nfs:
        found = facts[nas][SERVICE]
        want, got = (" ".join(f"v{one}" for one in sorted(versions)) for versions in (nfs.versions, found.versions))
        yield Finding(f"{name_of(nas)}:nfs", want, got)
        yield Finding(f"{name_of(nas)}:nfs", f"{nfs.threads} threads", f"{found.threads} threads")
        state = f"{'running' if found.running else 'stopped'}, {'enabled' if found.enabled else 'disabled'}"
        yield Finding(f"{name_of(nas)}:nfs", "running, enabled", state)


@check(
    of=targets.TRUENAS,
    needs=(POOLS,),
    severity=Severity.CRITICAL,
    remediation="Its web interface names the disk and the remedy.",
    tags=TAGS,
)
def truenas_pools_are_healthy(site: Site, facts: Facts, nas: str) -> Iterator[Finding]:
    """The pool of every array is mounted and healthy, and has its least free space."""
    nfs = site.hosts[name_of(nas)].nfs
    for path, array in nfs.arrays.items() if nfs else ():
        pool = facts[nas][POOLS].get(path)
        well = pool is not None and pool.healthy and pool.status == "ONLINE"
        yield Finding(f"{name_of(nas)}:{path}", "healthy", "healthy" if well else pool.status if pool else "not mounted", path)
        if pool:
            free, least = pool.free_percent, array.least_free_percent
            yield Finding(f"{name_of(nas)}:{path}", f"{least} % free", f"{free} % free", path, free >= least)


SHARE_CHECKS = (truenas_shares_are_as_intended, truenas_folders_have_their_owner_and_mode, truenas_serves_the_intended_versions)
TRUENAS_CHECKS = (*SHARE_CHECKS, no_truenas_share_is_everybodys, truenas_pools_are_healthy)
