"""The storages that Proxmox is to know, and those of them that it knows."""

from collections.abc import Mapping

from inventory.site import Site

# (id, type, what it leads to)
Storage = tuple[str, str, str]


def wanted(site: Site) -> tuple[Storage, ...]:
    """One for each pool of application rbd, and one for each export that names a storage."""
    assert site.ceph is not None
    pools = [(name, "rbd", name) for name, pool in site.ceph.pools.items() if pool.application == "rbd"]
    served = [(host, path, export) for host in site.hosts.values() if host.nfs for path, export in host.nfs.exports.items()]
    return (*pools, *((export.storage, "nfs", f"{host.address.ip}:{path}") for host, path, export in served if export.storage))


def registered(site: Site, storages: Mapping[str, Mapping[str, str]]) -> tuple[Storage, ...]:
    """Those of the wanted names that are there, as storage.cfg has them."""
    names = (name for name, _, _ in wanted(site) if name in storages)
    return tuple((name, storages[name]["type"], _leads_to(storages[name])) for name in names)


def _leads_to(storage: Mapping[str, str]) -> str:
    return storage.get("pool", "") if storage["type"] == "rbd" else f"{storage.get('server')}:{storage.get('export')}"
