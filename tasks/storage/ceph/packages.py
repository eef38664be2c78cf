"""Ceph's programs on the nodes that have one of its daemons: a stock Proxmox node has only Ceph's client (pve-manager, debian/control)."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Command, Operation
from tasks.storage.ceph.facts import OF_CEPH, ceph_of, known
from tasks.storage.ceph.host_facts import CEPH_PROGRAMS, PROGRAMS

# apt asks whether to go on, and `pveceph install` leaves that to its standard input.
INSTALL = 'yes | pveceph install --repository "$@"'
SOURCES = "/etc/apt/sources.list.d/ceph.sources"
DEADLINE_S = 900.0


@dataclass(frozen=True)
class Installed:
    """The programs of Ceph's daemons that the node has."""

    programs: tuple[str, ...]


@dataclass(frozen=True)
class CephPackages(Change[Installed]):
    """The node has the programs of Ceph's daemons, from a repository of Proxmox, in the release that the cluster runs."""

    needs: ClassVar = (CEPH_PROGRAMS,)
    also: ClassVar = OF_CEPH
    host: str

    def intend(self, site: Site, facts: Facts) -> Installed:  # noqa: ARG002
        """All programs."""
        return Installed(PROGRAMS)

    def observe(self, site: Site, facts: Facts) -> Installed:
        """The programs that exist."""
        del site
        return Installed(tuple(one for one in PROGRAMS if one in facts[self.host][CEPH_PROGRAMS]))

    def steps(self, site: Site, facts: Facts, want: Installed) -> tuple[Step, ...]:  # noqa: ARG002
        """`pveceph install`. Raises Refused where the daemons that run have several releases."""
        assert site.ceph is not None
        repository = site.ceph.repository
        release = _release(site, facts, self.host)
        words = (repository, *(("--version", release) if release else ()))
        shown = f"Ceph{f' {release}' if release else ''} is installed on {self.host}"
        impact = (
            f"apt installs packages on {self.host} from Proxmox's Ceph repository `{repository}`",
            *(() if repository == "manual" else (f"{SOURCES} of {self.host} is written",)),
        )
        install = Command(("/bin/sh", "-c", INSTALL, "pveceph install", *words))
        return (Operation(f"ceph-packages/{self.host}", install, shown, deadline_s=DEADLINE_S, impact=impact),)


def _release(site: Site, facts: Facts, host: str) -> str:
    """The name of the release that the cluster's daemons run, empty where none runs: Proxmox has a default then."""
    state = known(facts, ceph_of(site)) if ceph_of(site) in facts else None
    # `ceph version 19.2.3 (HASH) squid (stable)`
    found = sorted({version.split()[4] for version in (state["versions"].get("overall", {}) if state else {}) if len(version.split()) > 4})
    if len(found) > 1:
        raise Refused(
            f"{host}: Ceph's daemons run the releases {' and '.join(found)}: finish the upgrade first (`ceph versions`), then run again"
        )
    return found[0] if found else ""
