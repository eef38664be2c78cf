"""Proxmox's storages on the site's pools and exports, which any node of the cluster can register."""

from dataclasses import dataclass
from typing import ClassVar

from inventory import targets
from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command, Operation
from tasks.virtualization.proxmox_cluster.facts import STORAGES
from tasks.virtualization.storages.facts import other_names, registered, wanted


@dataclass(frozen=True)
class Registered:
    """(id, type, pool or export) of Proxmox's storages."""

    storages: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class PveStorages(Change[Registered]):
    """Proxmox has a storage for each of the site's RBD pools, and for each NFS export that names a storage."""

    of: ClassVar = targets.PROXMOX
    needs: ClassVar = (STORAGES,)
    host: str

    def intend(self, site: Site, facts: Facts) -> Registered:
        """A storage for each pool of application rbd, and for each export that names one."""
        del facts
        return Registered(wanted(site))

    def observe(self, site: Site, facts: Facts) -> Registered:
        """The registered storages with the wanted names."""
        return Registered(registered(site, facts[self.host][STORAGES]))

    def steps(self, site: Site, facts: Facts, want: Registered) -> tuple[Step, ...]:
        """`pvesm add`, with its undo, for each missing storage. Raises Refused where a storage of that name has another pool or export."""
        has = self.observe(site, facts).storages
        if other := [f"{name} is {kind} {target}" for name, kind, target in has if (name, kind, target) not in want.storages]:
            raise Refused(f"{self.host}: storage {', '.join(other)}: rename it in the inventory, or remove it by hand (pvesm(1))")
        storages = facts[self.host][STORAGES]
        return tuple(_add(*one, other_names(one, storages)) for one in want.storages if one[0] not in storages)


def _add(name: str, kind: str, target: str, others: tuple[str, ...]) -> Operation:
    options: tuple[str, ...] = ("--pool", target, "--content", "images,rootdir")
    if kind == "nfs":
        server, _, path = target.partition(":")
        options = ("--server", server, "--export", path, "--content", "backup,iso,vztmpl", "--options", "vers=4.2")
    add, remove = Command(("pvesm", "add", kind, name, *options), PVE), Command(("pvesm", "remove", name), PVE)
    # pve-storage, Plugin.pm, activate_storage: a folder for each kind of content.
    impact = [f"Proxmox makes the folders dump and template in {target}"] if kind == "nfs" else []
    impact += [f"Proxmox lists each volume of {target} twice: it is also storage {', '.join(others)}"] if others else []
    return Operation(f"storage/{name}", add, f"storage {name}: {kind} {target}", remove, impact=tuple(impact))
