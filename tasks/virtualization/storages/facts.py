"""The storages that the inventory wants, and those of them that Proxmox has."""

from collections.abc import Mapping

from inventory.site import Site

# The id, the type, and the pool or export.
Storage = tuple[str, str, str]


def wanted(site: Site) -> tuple[Storage, ...]:
    """A storage for each pool of application rbd, and for each export that names one."""
    assert site.ceph is not None
    pools = [(name, "rbd", name) for name, pool in site.ceph.pools.items() if pool.application == "rbd"]
    served = [(host, path, export) for host in site.hosts.values() if host.nfs for path, export in host.nfs.exports.items()]
    return (*pools, *((export.storage, "nfs", f"{host.address.ip}:{path}") for host, path, export in served if export.storage))


def registered(site: Site, storages: Mapping[str, Mapping[str, str]]) -> tuple[Storage, ...]:
    """The storages with the wanted names, from storage.cfg."""
    names = (name for name, _, _ in wanted(site) if name in storages)
    return tuple((name, storages[name]["type"], _target(storages[name])) for name in names)


def other_names(one: Storage, storages: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """The storages of other names that have the same pool or export."""
    return tuple(name for name, row in storages.items() if name != one[0] and (row["type"], _target(row)) == one[1:])


def _target(storage: Mapping[str, str]) -> str:
    """The pool of the cluster's own Ceph, or where else the storage leads: a namespace, or the monitors of another Ceph."""
    if storage["type"] != "rbd":
        return f"{storage.get('server')}:{storage.get('export')}"
    namespace, monitors = storage.get("namespace"), storage.get("monhost")
    return "".join((storage.get("pool", "rbd"), f"/{namespace}" if namespace else "", f" at {monitors}" if monitors else ""))
