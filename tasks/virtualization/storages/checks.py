"""The checks of Proxmox's storages: registered and active."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.virtualization.proxmox_cluster.facts import STORAGE_STATUS, STORAGES, members
from tasks.virtualization.storages.facts import registered, wanted

TAGS = ("storage", "proxmox")


@check(
    of=targets.PROXMOX,
    needs=(STORAGES,),
    severity=Severity.MAJOR,
    remediation="Run the storage stage; see `pvesm status`.",
    tags=TAGS,
)
def storages_are_registered(site: Site, facts: Facts, cluster: str) -> Iterator[Finding]:
    """Proxmox has a storage for each of the intended pools and exports."""
    found = registered(site, facts[cluster][STORAGES])
    for one in wanted(site):
        yield Finding(f"storage {one[0]}", f"{one[1]} {one[2]}", f"{one[1]} {one[2]}" if one in found else "not registered", one[0])


@check(
    needs=(STORAGE_STATUS,),
    severity=Severity.MAJOR,
    remediation="`pvesm status` on the node shows why; then check the pool or the NFS server.",
    tags=TAGS,
)
def storages_are_active(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each node can use each of the intended storages."""
    if host in members(site):
        status = facts[host][STORAGE_STATUS]
        for name, _, _ in wanted(site):
            yield Finding(f"{host}:{name}", "active", status.get(name, "missing"), name)


STORAGE_CHECKS = (storages_are_registered,)
STORAGE_PROBE_CHECKS = (storages_are_active,)
