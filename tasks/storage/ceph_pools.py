"""Ceph's pools and Proxmox's storages: things of the whole cluster, done through any of its nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from inventory.schema import Site
from tasks.core.change import Change, Step
from tasks.core.errors import Refused
from tasks.core.facts import Facts
from tasks.core.transaction import PVE, Command
from tasks.storage.ceph_daemons import answering
from tasks.storage.ceph_facts import CEPH, CEPH_CONF
from tasks.storage.proxmox_facts import STORAGES

# Few enough for the smallest cluster; where autoscaling is on, Ceph goes on from there.
FIRST_PGS = 32
# As Ceph writes them: a pool of whole copies, and no pool.
REPLICATED, NONE = 1, -1


@dataclass(frozen=True)
class PoolState:
    """A pool's owned settings, in the words of `pveceph pool set`; empty where there is none."""

    size: str = ""
    min_size: str = ""
    application: str = ""
    pg_autoscale_mode: str = ""


def other_kind(pool: Mapping[str, Any]) -> str:
    """Why a pool of `osd dump` is no plain pool of copies; empty where it is one (osd_types.h, pg_pool_t)."""
    if pool.get("type", REPLICATED) != REPLICATED:
        profile = pool.get("erasure_code_profile", "")
        return f"erasure-coded (profile {profile})" if profile else f"of type {pool['type']}"
    if pool.get("tier_of", NONE) != NONE:
        return f"a cache tier of pool {pool['tier_of']}"
    if pool.get("tiers"):
        return "behind a cache tier"
    return "stretched over sites" if pool.get("is_stretch_pool") else ""


@dataclass(frozen=True)
class CephPool(Change[PoolState]):
    """The pool is there, with as many copies as the inventory says."""

    needs: ClassVar = (CEPH, CEPH_CONF)
    host: str
    name: str

    def intend(self, site: Site, facts: Facts) -> PoolState:
        """As the inventory says.

        Raises Refused where Ceph does not answer: making a pool that is there sets it anew. And where the pool is for something else, or
        of a kind whose size is no number of copies, or not its own.
        """
        answering(facts, self.host)
        assert site.ceph is not None
        pool = site.ceph.pools[self.name]
        found = facts[self.host][CEPH].pools.get(self.name, {})
        if kind := other_kind(found):
            raise Refused(
                f"{self.host}: pool {self.name} is {kind}, wanted {pool.size} copies of each object, which it cannot be: rename it in the"
                " inventory, or move what it holds into a pool that is made for it"
            )
        if other := sorted(set(found.get("application_metadata", ())) - {pool.application}):
            raise Refused(
                f"{self.host}: pool {self.name} is for {', '.join(other)}, wanted {pool.application}: it is somebody's; rename it in the"
                " inventory, or see `ceph osd pool application disable`"
            )
        return PoolState(str(pool.size), str(pool.min_size), pool.application, pool.autoscale)

    def observe(self, site: Site, facts: Facts) -> PoolState:
        """As the OSDs' map says."""
        del site
        found = facts[self.host][CEPH].pools.get(self.name)
        if found is None:
            return PoolState()
        applications = ",".join(found["application_metadata"])
        return PoolState(str(found["size"]), str(found["min_size"]), applications, found["pg_autoscale_mode"])

    def steps(self, site: Site, facts: Facts, want: PoolState) -> tuple[Step, ...]:
        """Make it, or set what differs; a pool that was made stays, since it may hold data by then."""
        has = self.observe(site, facts)
        if has == PoolState():
            words = [word for one in fields(want) for word in (f"--{one.name}", getattr(want, one.name))]
            made = ("pveceph", "pool", "create", self.name, *words, "--pg_num", str(FIRST_PGS))
            return (Command(made, f"pool {self.name}: {want.size} copies, writes with {want.min_size}, for {want.application}", mount=PVE),)
        changed = {one.name: getattr(want, one.name) for one in fields(want) if getattr(want, one.name) != getattr(has, one.name)}
        back = [word for key in changed for word in (f"--{key}", getattr(has, key)) if getattr(has, key)]
        words = [word for key, value in changed.items() for word in (f"--{key}", value)]
        shown = ", ".join(f"{key} {getattr(has, key) or 'none'} -> {value}" for key, value in changed.items())
        command = ("pveceph", "pool", "set", self.name)
        impact = ("its objects are copied anew between hosts",) if "size" in changed else ()
        return (Command((*command, *words), f"pool {self.name}: {shown}", (*command, *back) if back else (), impact=impact, mount=PVE),)


@dataclass(frozen=True)
class Registered:
    """(id, type, what it leads to) of Proxmox's storages."""

    storages: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class PveStorages(Change[Registered]):
    """Proxmox knows the site's RBD pools, and those of its NFS exports that are meant for it, as storages."""

    needs: ClassVar = (STORAGES,)
    host: str

    def intend(self, site: Site, facts: Facts) -> Registered:
        """A storage for each pool of application rbd, and for each export that names one."""
        del facts
        assert site.ceph is not None
        pools = [(name, "rbd", name) for name, pool in site.ceph.pools.items() if pool.application == "rbd"]
        return Registered((*pools, *_exports(site)))

    def observe(self, site: Site, facts: Facts) -> Registered:
        """Those of them that are there, as they are."""
        there = facts[self.host][STORAGES]
        names = [name for name, _, _ in self.intend(site, facts).storages]
        return Registered(tuple((name, there[name]["type"], _leads_to(there[name])) for name in names if name in there))

    def steps(self, site: Site, facts: Facts, want: Registered) -> tuple[Step, ...]:
        """`pvesm add`, and its opposite, for what is missing. Raises Refused where a name leads elsewhere: that storage is somebody's."""
        has = self.observe(site, facts).storages
        if other := [f"{name} is {kind} {target}" for name, kind, target in has if (name, kind, target) not in want.storages]:
            raise Refused(f"{self.host}: storage {', '.join(other)}: rename it in the inventory, or remove it by hand (pvesm(1))")
        return tuple(_add(*one) for one in want.storages if one[0] not in facts[self.host][STORAGES])


def _exports(site: Site) -> list[tuple[str, str, str]]:
    served = [(host, path, export) for host in site.hosts.values() if host.nfs for path, export in host.nfs.exports.items()]
    return [(export.storage, "nfs", f"{host.address.ip}:{path}") for host, path, export in served if export.storage]


def _leads_to(storage: dict[str, str] | object) -> str:
    assert isinstance(storage, dict)
    return storage.get("pool", "") if storage["type"] == "rbd" else f"{storage.get('server')}:{storage.get('export')}"


def _add(name: str, kind: str, target: str) -> Command:
    where: tuple[str, ...] = ("--pool", target, "--content", "images,rootdir")
    if kind == "nfs":
        server, _, path = target.partition(":")
        where = ("--server", server, "--export", path, "--content", "backup,iso,vztmpl", "--options", "vers=4.2")
    return Command(("pvesm", "add", kind, name, *where), f"storage {name}: {kind} {target}", ("pvesm", "remove", name), mount=PVE)
