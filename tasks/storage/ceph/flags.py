"""The cluster's flags: things of the whole cluster, set and taken away through any of its nodes."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Command
from tasks.storage.ceph.change import answering
from tasks.storage.ceph.facts import CEPH, CEPH_CONF, CEPH_OSD
from tasks.storage.ceph.osd_map import PAUSE, TEMPORARY


@dataclass(frozen=True)
class Flags:
    """The flags of the whole cluster that are meant for a piece of work; those of one host or OSD are its maintenance's."""

    flags: tuple[str, ...]


@dataclass(frozen=True)
class CephFlags(Change[Flags]):
    """Of the flags that keep Ceph from its work, those of the inventory are set and no others."""

    needs: ClassVar = (CEPH, CEPH_CONF)
    host: str

    def intend(self, site: Site, facts: Facts) -> Flags:
        """As the inventory says. Raises Refused where Ceph does not answer."""
        answering(facts, self.host)
        assert site.ceph is not None
        return Flags(tuple(flag for flag in TEMPORARY if flag in site.ceph.flags))

    def observe(self, site: Site, facts: Facts) -> Flags:
        """As the OSDs' map says."""
        del site
        found = facts[self.host][CEPH]["osd dump"].get("flags_set", ())
        return Flags(tuple(flag for flag in TEMPORARY if flag in found))

    def steps(self, site: Site, facts: Facts, want: Flags) -> tuple[Step, ...]:
        """`ceph osd set` and `unset`, each the other's opposite."""
        has = self.observe(site, facts).flags
        come = [_command("set", flag) for flag in want.flags if flag not in has]
        go = [_command("unset", flag) for flag in has if flag not in want.flags]
        return tuple(dict.fromkeys((*come, *go)))


def _command(verb: str, flag: str) -> Command:
    name, kept = "pause" if flag in PAUSE else flag, TEMPORARY[flag]
    opposite = "unset" if verb == "set" else "set"
    impact = f"no longer: {kept}" if verb == "set" else f"again: {kept}"
    return Command((*CEPH_OSD, verb, name), f"flag {name} is {verb}", (*CEPH_OSD, opposite, name), impact=(impact,))
