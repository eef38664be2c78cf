"""Ceph's pools, which any node of the cluster can change."""

from dataclasses import dataclass, fields
from typing import ClassVar

from inventory import targets
from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command, Operation
from tasks.storage.ceph.change import answering
from tasks.storage.ceph.facts import CEPH, CEPH_CONF
from tasks.storage.ceph.osd_map import other_kind

# Few enough for the smallest cluster; with autoscaling, Ceph changes it later.
FIRST_PGS = 32


@dataclass(frozen=True)
class PoolState:
    """A pool's owned settings, as options of `pveceph pool set`; empty where there is no pool."""

    size: str = ""
    min_size: str = ""
    application: str = ""
    pg_autoscale_mode: str = ""


@dataclass(frozen=True)
class CephPool(Change[PoolState]):
    """The pool exists, with the inventory's number of copies."""

    of: ClassVar = targets.CEPH
    needs: ClassVar = (CEPH, CEPH_CONF)
    host: str
    name: str

    def intend(self, site: Site, facts: Facts) -> PoolState:
        """The inventory's settings.

        Raises Refused where Ceph does not answer, because creating a pool that exists resets its settings. Also where the pool has another
        application, or is of a kind whose size is not a number of copies, or not its own.
        """
        answering(facts, self.host)
        assert site.ceph is not None
        pool = site.ceph.pools[self.name]
        found = facts[self.host][CEPH].pools.get(self.name, {})
        if kind := other_kind(found):
            raise Refused(
                f"{self.host}: pool {self.name} is {kind}, wanted {pool.size} copies of each object, which it cannot have: rename it in the"
                " inventory, or move its data into a replicated pool"
            )
        if other := sorted(set(found.get("application_metadata", ())) - {pool.application}):
            raise Refused(
                f"{self.host}: pool {self.name} is for {', '.join(other)}, wanted {pool.application}: another application uses it; rename"
                " it in the inventory, or see `ceph osd pool application disable`"
            )
        return PoolState(str(pool.size), str(pool.min_size), pool.application, pool.autoscale)

    def observe(self, site: Site, facts: Facts) -> PoolState:
        """The pool in the OSD map."""
        del site
        found = facts[self.host][CEPH].pools.get(self.name)
        if found is None:
            return PoolState()
        applications = ",".join(found["application_metadata"])
        return PoolState(str(found["size"]), str(found["min_size"]), applications, found["pg_autoscale_mode"])

    def steps(self, site: Site, facts: Facts, want: PoolState) -> tuple[Step, ...]:
        """Create the pool, or set what differs. Creation has no undo, because the pool may hold data by then."""
        has = self.observe(site, facts)
        if has == PoolState():
            words = [word for one in fields(want) for word in (f"--{one.name}", getattr(want, one.name))]
            create = Command(("pveceph", "pool", "create", self.name, *words, "--pg_num", str(FIRST_PGS)), PVE)
            shown = f"pool {self.name}: {want.size} copies, writes with {want.min_size}, for {want.application}"
            return (Operation(f"pool/{self.name}", create, shown),)
        changed = {one.name: getattr(want, one.name) for one in fields(want) if getattr(want, one.name) != getattr(has, one.name)}
        undo = [word for key in changed for word in (f"--{key}", getattr(has, key)) if getattr(has, key)]
        words = [word for key, value in changed.items() for word in (f"--{key}", value)]
        shown = ", ".join(f"{key} {getattr(has, key) or 'none'} -> {value}" for key, value in changed.items())
        command = ("pveceph", "pool", "set", self.name)
        impact = ("Ceph adds or removes copies of its objects",) if "size" in changed else ()
        do, back = Command((*command, *words), PVE), Command((*command, *undo), PVE) if undo else None
        return (Operation(f"pool/{self.name}", do, f"pool {self.name}: {shown}", back, impact=impact),)
