"""Ceph's monitors, managers and OSDs. pveceph(1) makes each of them, and keeps Proxmox's own files and its interface in step."""

from dataclasses import dataclass
from typing import ClassVar

from inventory import targets
from inventory.site import Site
from tasks.core.model.change import Change, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import PVE, Command, Operation
from tasks.storage.ceph.conf_file import AUTH, ceph_setting, networks
from tasks.storage.ceph.facts import CEPH, CEPH_CONF, OF_SETTINGS, OSD_DISKS, CephState, Disk, ceph_of, state_of
from tasks.storage.ceph.identity import CEPH_IDENTITY, OF_EVERY_NODE, need_every_node, need_one_ceph
from tasks.storage.ceph.osd_map import data_devices

SECOND = "with two monitors, Ceph stops if either of them fails, until the third one has joined"


@dataclass(frozen=True)
class Settings:
    """Ceph's networks, and how its daemons authenticate."""

    public_network: str
    cluster_network: str
    auth: tuple[str, str, str]


@dataclass(frozen=True)
class CephSettings(Change[Settings]):
    """Ceph uses only the site's storage network, and authenticates with cephx."""

    of: ClassVar = targets.CEPH
    needs: ClassVar = (CEPH, CEPH_CONF)
    also: ClassVar = OF_EVERY_NODE
    host: str

    def intend(self, site: Site, facts: Facts) -> Settings:
        """The site's network. Raises Refused where Ceph belongs to another cluster, or has other settings: no runbook changes those."""
        assert site.ceph is not None
        need_one_ceph(site, facts)
        need_own_answer(facts, self.host)
        want = Settings(str(site.ceph.network), str(site.ceph.network), ("cephx",) * 3)
        has = _settings(facts, self.host)
        if has != want and (has.public_network or ceph_setting(facts[self.host][CEPH_CONF], "mon_host")):
            networks = [network or "no network" for network in (has.public_network, has.cluster_network)]
            raise Refused(
                f"{facts[self.host].host}: /etc/pve/ceph.conf says {', '.join(networks)}, {'/'.join(has.auth)}; wanted"
                f" {want.public_network} for both and cephx: recreate the daemons one by one (pveceph(1)); no runbook does that"
            )
        return want

    def observe(self, site: Site, facts: Facts) -> Settings:
        """The settings in Proxmox's ceph.conf, and in Ceph's database."""
        del site
        return _settings(facts, self.host)

    def steps(self, site: Site, facts: Facts, want: Settings) -> tuple[Step, ...]:
        """`pveceph init`, which makes the cluster's id and its administrator's key, and prints neither.

        Raises Refused where a node did not answer.
        """
        need_every_node(site, facts)
        assert site.ceph is not None
        init = Command(("pveceph", "init", "--network", want.public_network), PVE)
        return (Operation(f"ceph/{site.ceph.cluster}", init, f"Ceph is set up on {want.public_network}, with cephx"),)


def _settings(facts: Facts, ceph: str) -> Settings:
    """The file's settings, then those of Ceph's own database, then Ceph's defaults: of one network it uses the public one for both."""
    public = networks(_setting(facts, ceph, "public_network"))
    cluster, service, client = (_setting(facts, ceph, key) or "cephx" for key in AUTH)
    return Settings(public, networks(_setting(facts, ceph, "cluster_network")) or public, (cluster, service, client))


def _setting(facts: Facts, ceph: str, key: str) -> str:
    stored = [row["value"] for row in facts[ceph][CEPH].listed("config dump") if (row["section"], row["name"]) == ("global", key)]
    return ceph_setting(facts[ceph][CEPH_CONF], key) or next(iter(stored), "")


def need_own_answer(facts: Facts, ceph: str) -> None:
    """Raises Refused where the cluster that answers is not the one in Proxmox's ceph.conf, or where that file has no fsid."""
    host = facts[ceph].host
    running, written = facts[ceph][CEPH].fsid, ceph_setting(facts[ceph][CEPH_CONF], "fsid")
    if facts[ceph][CEPH_CONF].strip() and not written:
        raise Refused(f"{host}: /etc/pve/ceph.conf exists but has no fsid: see `ceph-conf -c /etc/pve/ceph.conf --lookup fsid`, correct it")
    if running.lower() != written.lower() and running:
        found = f"says {written}" if written else "does not exist"
        raise Refused(f"{host}: its Ceph is {running}, /etc/pve/ceph.conf {found}: it belongs to another cluster")


def answering(facts: Facts, ceph: str) -> CephState:
    """Ceph's state. Raises Refused where it is another cluster, or where Ceph is set up but does not answer: its state is unknown then."""
    need_own_answer(facts, ceph)
    state, known = facts[ceph][CEPH], ceph_setting(facts[ceph][CEPH_CONF], "mon_host")
    if known and not state.fsid:
        raise Refused(f"{facts[ceph].host}: Ceph's monitors ({known}) do not answer: {state.error}; bring them back first")
    return state


@dataclass(frozen=True)
class Has:
    """Whether the host has the daemon."""

    daemon: bool


@dataclass(frozen=True)
class CephMonitor(Change[Has]):
    """The host has a monitor, on its loopback."""

    also: ClassVar = (*OF_SETTINGS, *OF_EVERY_NODE)
    host: str

    def intend(self, site: Site, facts: Facts) -> Has:
        """It has one. Raises Refused where Ceph does not answer, or a monitor is not in quorum: one more could end the majority."""
        need_one_ceph(site, facts)
        state = answering(facts, ceph_of(site))
        if not state.monitors_of(self.host) and (missing := [name for name in state.monitors if name not in state.quorum]):
            raise Refused(f"{self.host}: no monitor is added while {', '.join(missing)} is not in quorum: bring it back first")
        return Has(True)

    def observe(self, site: Site, facts: Facts) -> Has:
        """Whether the monitor map has it."""
        return Has(bool(state_of(site, facts).monitors_of(self.host)))

    def steps(self, site: Site, facts: Facts, want: Has) -> tuple[Step, ...]:
        """`pveceph mon create`, without an undo: an operator decides on removing a monitor, because the quorum may depend on it."""
        del want
        loopback = site.hosts[self.host].loopback
        assert loopback is not None
        assert site.ceph is not None
        create = Command(("pveceph", "mon", "create", "--mon-address", str(loopback.ip)), PVE)
        first = self.host == site.ceph.monitors[0]
        at_risk = "" if first or len(state_of(site, facts).monitors) > 1 else SECOND
        return (Operation(f"monitor/{self.host}", create, f"monitor {self.host} at {loopback.ip}", at_risk=at_risk),)


@dataclass(frozen=True)
class CephManager(Change[Has]):
    """The host has a manager, active or standby."""

    needs: ClassVar = (CEPH_IDENTITY,)
    also: ClassVar = (*OF_SETTINGS, *OF_EVERY_NODE)
    host: str

    def intend(self, site: Site, facts: Facts) -> Has:
        """It has one. Raises Refused where Ceph does not answer."""
        need_one_ceph(site, facts)
        answering(facts, ceph_of(site))
        return Has(True)

    def observe(self, site: Site, facts: Facts) -> Has:
        """Whether the manager map has it."""
        return Has(bool(state_of(site, facts).managers_of(self.host)))

    def steps(self, site: Site, facts: Facts, want: Has) -> tuple[Step, ...]:
        """`pveceph mgr create`, or the start of a manager that exists and does not run; each with its undo.

        `pveceph` makes no manager where its folder exists (pve-manager, PVE::Ceph::Services::create_mgr).
        """
        del site, want
        if f"/var/lib/ceph/mgr/ceph-{self.host}" in facts[self.host][CEPH_IDENTITY].daemons:
            unit = f"ceph-mgr@{self.host}.service"
            start, stop = (Command(("systemctl", verb, unit)) for verb in ("start", "stop"))
            return (Operation(f"manager/{self.host}", start, f"manager {self.host} is started", stop),)
        create, destroy = Command(("pveceph", "mgr", "create"), PVE), Command(("pveceph", "mgr", "destroy", self.host), PVE)
        return (Operation(f"manager/{self.host}", create, f"manager {self.host}", destroy),)


@dataclass(frozen=True)
class Osds:
    """The ids of the disks that are OSDs."""

    disks: tuple[str, ...]


@dataclass(frozen=True)
class CephOsds(Change[Osds]):
    """Every disk that the inventory gives to Ceph is an OSD. A disk that is not empty is left alone, and the refusal names it."""

    needs: ClassVar = (OSD_DISKS,)
    also: ClassVar = (*OF_SETTINGS, *OF_EVERY_NODE)
    host: str

    def intend(self, site: Site, facts: Facts) -> Osds:
        """The inventory's disks. Raises Refused where one is missing, or Ceph does not answer."""
        need_one_ceph(site, facts)
        answering(facts, ceph_of(site))
        wanted, there = site.osds(self.host), facts[self.host][OSD_DISKS]
        if missing := [name for name in wanted if name not in there]:
            raise Refused(f"{self.host}: no disk {', '.join(missing)} in /dev/disk/by-id: correct hosts.yaml, or plug it in")
        return Osds(wanted)

    def observe(self, site: Site, facts: Facts) -> Osds:
        """The disks that this host's OSDs report, and those made for OSDs that have not reported yet."""
        state, there = state_of(site, facts), facts[self.host][OSD_DISKS]
        used = {f"/dev/{name}" for osd in state.osds_of(self.host).values() for name in data_devices(osd)}
        disks = [name for name in site.osds(self.host) if name in there]
        return Osds(tuple(name for name in disks if there[name].device in used or _is_known(there[name], state)))

    def steps(self, site: Site, facts: Facts, want: Osds) -> tuple[Step, ...]:
        """`pveceph osd create` for each empty disk.

        Raises Refused where a disk is not empty or could not be read, and while a daemon on another host is down.
        """
        there, has = facts[self.host][OSD_DISKS], self.observe(site, facts).disks
        missing = [name for name in want.disks if name not in has]
        if unseen := [f"disk {name} ({there[name].device}): {there[name].unseen}" for name in missing if there[name].unseen]:
            raise Refused(
                f"{self.host}: {'; '.join(unseen)}: whether it is empty is not known; see `dmesg`, repair or replace it, then run again"
            )
        if full := [_holds(name, there[name]) for name in missing if there[name].holds]:
            raise Refused(f"{self.host}: {'; '.join(full)}: no runbook wipes a disk; move its data, wipe it by hand, then run again")
        if down := _down_elsewhere(state_of(site, facts), self.host):
            raise Refused(f"{self.host}: no OSD is added while {down} is down: bring it back, or mark it out, then run again")
        return tuple(
            Operation(
                f"osd/{name}",
                Command(("pveceph", "osd", "create", f"/dev/disk/by-id/{name}"), PVE),
                f"OSD on {name} ({there[name].device})",
                impact=(f"{name} becomes Ceph's, all of it",),
            )
            for name in missing
        )


def _down_elsewhere(state: CephState, host: str) -> str:
    """The monitors that are not in quorum, and the OSDs of other hosts that are in and down. An OSD that never started is not in."""
    own = state.osds_of(host)
    down = [f"osd.{number}" for number, osd in state.osds.items() if osd["in"] and not osd["up"] and number not in own]
    return ", ".join([*(f"monitor {name}" for name in state.monitors if name not in state.quorum), *down])


def _is_known(disk: Disk, state: CephState) -> bool:
    """Whether it holds the volume of an OSD of this cluster: `osd-block-UUID` (ceph-volume(8)), with each dash doubled by LVM."""
    volumes = [f"osd--block--{osd['uuid'].replace('-', '--')}" for osd in state.osds.values()]
    return any(held.endswith(volume) for held in disk.holds for volume in volumes)


def _holds(name: str, disk: Disk) -> str:
    return f"disk {name} ({disk.device}) is not empty: {', '.join(disk.holds)}"
