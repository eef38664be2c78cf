"""Checks of the exports from the nodes, only in the audit: each can be mounted, written and read, and no file of the probe stays."""

from collections.abc import Iterator

from inventory.nfs_models import Access, Export, Squash
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.nfs.probe import NFS_PROBES, NfsProbe, exports_for

TAGS = ("storage", "nfs", "probe")
UNKNOWN = NfsProbe("", "no answer in time", "-", "-", "-", "-", "-")


def _tried(site: Site, facts: Facts, host: str) -> Iterator[tuple[str, Export, NfsProbe]]:
    """(target, export, result) of each export that the host may mount."""
    for server, path, export in exports_for(site, host):
        seen = facts[host][NFS_PROBES].get(f"{site.hosts[server].address.ip}:{path}", UNKNOWN)
        yield f"{host} at {server}:{path}", export, seen


def _written(site: Site, facts: Facts, host: str) -> Iterator[tuple[str, Export, NfsProbe]]:
    """Those that were mounted and allow writes."""
    return (one for one in _tried(site, facts, host) if one[2].mounted == "yes" and one[1].access is Access.READ_WRITE)


@check(
    needs=(NFS_PROBES,),
    severity=Severity.CRITICAL,
    remediation="See `exportfs -s` on the server, and the path to it (port 2049). The node needs nfs-common.",
    tags=TAGS,
)
def exports_can_be_mounted(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A node can mount each export that admits it, with NFS v4."""
    for target, _, seen in _tried(site, facts, host):
        yield Finding(target, "mounted", "mounted" if seen.mounted == "yes" else seen.mounted)


@check(
    needs=(NFS_PROBES,),
    severity=Severity.CRITICAL,
    remediation="See the owner and mode of the folder, and the free space of its array.",
    tags=TAGS,
)
def exports_keep_what_is_written(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A node reads from the server what it wrote."""
    for target, _, seen in _written(site, facts, host):
        got = "written and read" if seen.read == "yes" else "written, not read" if seen.written == "yes" else "not written"
        yield Finding(target, "written and read", got)


@check(needs=(NFS_PROBES,), severity=Severity.CRITICAL, remediation="Run the storage stage: it sets the export's squash.", tags=TAGS)
def root_is_squashed_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Root of a node is root or nobody on an export, as the inventory's squash sets it."""
    for target, export, seen in _written(site, facts, host):
        want = "root is root" if export.squash is Squash.NONE else "root is nobody"
        yield Finding(target, want, "root is root" if seen.root.startswith("0:") else "root is nobody")


@check(
    needs=(NFS_PROBES,),
    severity=Severity.MAJOR,
    remediation="Run the storage stage; see whether another file system is mounted over it.",
    tags=TAGS,
)
def clients_see_the_owner_and_mode(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A node sees the inventory's owner and mode on each export."""
    for target, export, seen in _tried(site, facts, host):
        if seen.mounted == "yes":
            owner, _, mode = seen.folder.partition(" ")
            yield Finding(target, f"{export.owner} {export.mode}", f"{owner} {mode.zfill(4)}")


@check(needs=(NFS_PROBES,), severity=Severity.MINOR, remediation="Remove the files .burrow-probe-* by hand.", tags=TAGS)
def probes_leave_nothing_behind(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No probe file stays in an export."""
    for target, _, seen in _written(site, facts, host):
        yield Finding(target, "0 files", f"{seen.left} files")


NFS_PROBE_CHECKS = (
    *(exports_can_be_mounted, exports_keep_what_is_written, root_is_squashed_as_intended),
    *(clients_see_the_owner_and_mode, probes_leave_nothing_behind),
)
