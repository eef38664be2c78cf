"""The flags of the whole cluster, which any of its nodes can set and unset."""

from dataclasses import dataclass
from typing import ClassVar

from inventory import targets
from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Command, Operation
from tasks.storage.ceph.change import answering
from tasks.storage.ceph.facts import CEPH, CEPH_CONF, CEPH_OSD
from tasks.storage.ceph.osd_map import PAUSE, TEMPORARY


@dataclass(frozen=True)
class Flags:
    """The temporary flags of the whole cluster. Flags of one host or OSD belong to its maintenance."""

    flags: tuple[str, ...]


@dataclass(frozen=True)
class CephFlags(Change[Flags]):
    """Of the temporary flags, exactly those in the inventory are set."""

    of: ClassVar = targets.CEPH
    needs: ClassVar = (CEPH, CEPH_CONF)
    host: str

    def intend(self, site: Site, facts: Facts) -> Flags:
        """The flags in the inventory. Raises Refused where Ceph does not answer."""
        answering(facts, self.host)
        assert site.ceph is not None
        return Flags(tuple(flag for flag in TEMPORARY if flag in site.ceph.flags))

    def observe(self, site: Site, facts: Facts) -> Flags:
        """The flags in the OSD map."""
        del site
        found = facts[self.host][CEPH]["osd dump"].get("flags_set", ())
        return Flags(tuple(flag for flag in TEMPORARY if flag in found))

    def steps(self, site: Site, facts: Facts, want: Flags) -> tuple[Step, ...]:
        """`ceph osd set` and `unset`, each with the other as its undo."""
        has = self.observe(site, facts).flags
        missing = [_operation("set", flag) for flag in want.flags if flag not in has]
        extra = [_operation("unset", flag) for flag in has if flag not in want.flags]
        return tuple(dict.fromkeys((*missing, *extra)))


def _operation(verb: str, flag: str) -> Operation:
    name = "pause" if flag in PAUSE else flag
    opposite = "unset" if verb == "set" else "set"
    impact = f"{'stops' if verb == 'set' else 'resumes'}: {TEMPORARY[flag]}"
    do, undo = (Command((*CEPH_OSD, word, name)) for word in (verb, opposite))
    return Operation(f"flag/{name}", do, f"flag {name} is {verb}", undo, impact=(impact,))
