"""The facts that the changes and checks of Ceph need: Ceph's own JSON, Proxmox's ceph.conf, and the disks."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from inventory import targets
from inventory.site import Site
from inventory.targets import Target
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, Facts
from tasks.core.model.shape import REMEDY, misfit
from tasks.platforms.proxmox.mounted import OF_ANY_HOST, file_of_node
from tasks.storage.ceph.answers import Whole, odd
from tasks.storage.ceph.conf_file import checked

# The client leaves a monitor that has not answered its pings for 5 s. Ceph's default is 30 s (mon_client_ping_timeout), which is all the
# time that a command has.
CEPH_OSD = ("ceph", "--connect-timeout", "10", "--mon-client-ping-interval", "1", "--mon-client-ping-timeout", "5", "osd")
# One connection reads all of Ceph's JSON, because most of the time of a `ceph` command is its start. Keys stay on the host.
# The script ends without closing librados: closing it, or ending the process, while one of its threads works may abort the process after
# all output is written (ceph/ceph#33825, #33950: `ceph` itself ends this way). Monitors see a closed connection.
READ_CEPH = r"""
import errno, glob, json, os, sys
# A node without a daemon has only the file of Proxmox.
conf = next((path for path in ("/etc/pve/ceph.conf", "/etc/ceph/ceph.conf") if os.path.exists(path)), "")
if not conf:
    # OSDs keep running while the folder of Proxmox is not mounted.
    osds = ", ".join(sorted(path.split("/")[-2] for path in glob.glob("/var/lib/ceph/osd/*/whoami")))
    json.dump({"error": "there is no ceph.conf, but the host has " + osds} if osds else {}, sys.stdout)
    sys.exit()
import rados
def ask(cluster, prefix, **more):
    code, out, err = cluster.mon_command(json.dumps({"prefix": prefix, "format": "json", **more}), b"")
    if code == -errno.ETIMEDOUT:
        raise rados.TimedOut("no answer to " + prefix)
    return json.loads(out) if not code else {"error": err}
answers = {}
try:
    # These options limit a command: the library ignores its own timeout argument. When a monitor fails, the others take
    # up to 15 s to elect.
    limits = {"client_mount_timeout": "8", "rados_mon_op_timeout": "16", "mon_client_ping_interval": "1", "mon_client_ping_timeout": "5"}
    cluster = rados.Rados(conffile=conf, conf=limits)
    cluster.connect()
    answers["fsid"] = cluster.get_fsid()
    for prefix in ("status", "health", "mon dump", "mon metadata", "mgr dump", "mgr metadata", "osd dump", "osd tree", "osd metadata",
                   "versions", "config dump", "osd crush rule dump", "time-sync-status"):
        answers[prefix] = ask(cluster, prefix, **({"detail": "detail"} if prefix == "health" else {}))
    # Settings of modules may be passwords: only those that checks need leave the host.
    if isinstance(answers["config dump"], list):
        answers["config dump"] = [row for row in answers["config dump"] if row["name"].startswith("auth_")]
    for kind in ("mon metadata", "mgr metadata"):
        if isinstance(answers[kind], list):
            answers[kind] = [{key: one[key] for key in ("name", "hostname") if key in one} for one in answers[kind]]
    for standby in answers["mgr dump"].get("standbys", ()):
        standby.pop("available_modules", None)
    answers["mgr dump"].pop("available_modules", None)
    # The manager answers these. The map may list one as available that has just died.
    try:
        for prefix in ("osd df", "device ls", "crash ls-new") if answers["mgr dump"].get("available") else ():
            answers[prefix] = ask(cluster, prefix)
    except rados.TimedOut as error:
        answers["mgr"] = str(error)
    if isinstance(answers.get("crash ls-new"), list):
        answers["crash ls-new"] = [one["crash_id"] + " " + one.get("entity_name", "") for one in answers["crash ls-new"]]
except rados.Error as error:
    answers = {"error": str(error)}
json.dump(answers, sys.stdout)
sys.stdout.flush()
os._exit(0)
"""
# One line a disk: id, device, holders, then the exit code and the output of each command, up to the first that fails. A disk that does
# not answer must not look empty: `wipefs` exits with 0 even after a read error, so the script reads the first MiB before.
READ_DISKS = r"""
look() {
  output=$(timeout -k 1 4 "$@" 2>/dev/null); code=$?
  printf '\t%s\t%s' $code "$(printf %s "$output" | tr '\n\t' '  ')"; return $code
}
for id in {ids}; do
  device=$(readlink -f "/dev/disk/by-id/$id")
  [ -b "$device" ] || continue
  printf '%s\t%s\t%s' "$id" "$device" "$(ls "/sys/class/block/${device##*/}/holders" | tr '\n' ' ')"
  look lsblk -J -o NAME,TYPE,FSTYPE,PTTYPE,MOUNTPOINTS "$device" &&
    look sh -c 'head -c 1048576 "$1" >/dev/null' look "$device" && look wipefs --json --no-act "$device"
  echo
done
"""
LOOKS = ("lsblk", "reading its first MiB", "wipefs")
# Exit codes of timeout(1).
TIMED_OUT = ("124", "137")


def _hosts(metadata: Iterable[Mapping[str, Any]], key: str) -> dict[Any, str]:
    """{daemon: its host}, without daemons that report no host. The domain is cut off, as in Proxmox and the inventory."""
    return {one[key]: one["hostname"].partition(".")[0] for one in metadata if one.get("hostname")}


@dataclass(frozen=True)
class CephState:
    """Ceph's answers by command: empty where Ceph is not set up on the host, `error` alone where no monitor answers.

    `odd` is {command: what its answer has in another shape}. Reading that answer raises BurrowError, which names the host that gave it.
    """

    answers: Mapping[str, Any]
    odd: Mapping[str, str] = field(default_factory=dict)
    host: str = ""

    def of(self, host: str) -> Self:
        """The same state, as this host gave it."""
        return replace(self, host=host)

    @property
    def error(self) -> str:
        """Why Ceph did not answer."""
        return str(self.answers.get("error", ""))

    @property
    def fsid(self) -> str:
        """The cluster's id, empty without an answer."""
        return str(self.answers.get("fsid", ""))

    def __getitem__(self, command: str) -> Any:
        """The answer to a command, empty where there is no cluster. Raises BurrowError where Ceph refused the command."""
        answer = self._read(command, {})
        if isinstance(answer, dict) and "error" in answer:
            raise BurrowError(f"Ceph does not answer `ceph {command}`: {answer['error'] or 'it gives no reason'}; see `ceph -s`")
        return answer

    def _read(self, command: str, default: Any = None) -> Any:
        if command in self.odd:
            raise BurrowError(f"{self.host}: `ceph {command}` answered what cannot be read as ceph: {self.odd[command]}; {REMEDY}")
        return self.answers.get(command, default)

    def listed(self, command: str) -> tuple[Any, ...]:
        """The list that a command returned; empty where it returned none, as from a manager without that command."""
        answer = self._read(command)
        return tuple(answer) if isinstance(answer, list) else ()

    @property
    def quorum(self) -> frozenset[str]:
        """The names of the monitors in quorum."""
        return frozenset(self["status"].get("quorum_names", ()))

    @property
    def monitors(self) -> Mapping[str, str]:
        """{monitor of the map: the host that it reports}; for one that reports none, the monitor's name is the host's name."""
        hosts = _hosts(self.listed("mon metadata"), "name")
        return {one["name"]: hosts.get(one["name"], one["name"]) for one in self["mon dump"].get("mons", ())}

    def monitors_of(self, host: str) -> frozenset[str]:
        """The names of a host's monitors."""
        return frozenset(name for name, runs_on in self.monitors.items() if runs_on == host)

    @property
    def managers(self) -> Mapping[str, str]:
        """{manager: its host}, as for monitors: the active manager, then the standbys."""
        active, hosts = self["mgr dump"].get("active_name", ""), _hosts(self.listed("mgr metadata"), "name")
        names = (active, *(one["name"] for one in self["mgr dump"].get("standbys", ())))
        return {name: hosts.get(name, name) for name in names if name}

    def managers_of(self, host: str) -> tuple[str, ...]:
        """The names of a host's managers."""
        return tuple(name for name, runs_on in self.managers.items() if runs_on == host)

    @property
    def pools(self) -> Mapping[str, Mapping[str, Any]]:
        """{name: pool} from `osd dump`."""
        return {one["pool_name"]: one for one in self["osd dump"].get("pools", ())}

    def osds_of(self, host: str) -> Mapping[int, Mapping[str, Any]]:
        """{number: metadata} of the OSDs of a host."""
        known = {one["id"]: one for one in self["osd metadata"] or ()}
        return {number: known.get(number, {}) for number in self.hosts.get(host, ())}

    @property
    def hosts(self) -> Mapping[str, tuple[int, ...]]:
        """{host: its OSDs}, by the host that each OSD reports, because a CRUSH bucket may have another name (`alvin-ssd`).

        An OSD that never ran reports none: it counts for the host that its bucket is named after, and without a bucket for no host.
        """
        where = {number: name for name, numbers in self.buckets.items() for number in numbers}
        where |= _hosts(self["osd metadata"] or (), "id")
        found: dict[str, list[int]] = {}
        for number in sorted(self.osds.keys() & where.keys()):
            found.setdefault(where[number], []).append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    @property
    def buckets(self) -> Mapping[str, tuple[int, ...]]:
        """{CRUSH bucket of type host: its OSDs}, without those that only CRUSH still lists."""
        rows = (one for one in self["osd tree"].get("nodes", ()) if one["type"] == "host")
        return {one["name"]: tuple(number for number in sorted(one.get("children", ())) if number in self.osds) for one in rows}

    @property
    def left_in_crush(self) -> tuple[int, ...]:
        """The OSDs that only CRUSH still lists: `ceph osd rm` leaves the entry, and Ceph still means to place copies there."""
        return tuple(sorted(one["id"] for one in self["osd tree"].get("nodes", ()) if one["type"] == "osd" and one["id"] not in self.osds))

    @property
    def rows(self) -> Mapping[int, Mapping[str, Any]]:
        """{OSD: its row of `osd df`}; empty where no manager answers."""
        return {one["id"]: one for one in self._read("osd df", {}).get("nodes", ())}

    @property
    def alerts(self) -> Mapping[str, str]:
        """{code of a health alert: its message and details}."""
        checks = self["health"].get("checks", {})
        return {code: "; ".join(one["message"] for one in (row["summary"], *row.get("detail", ()))) for code, row in checks.items()}

    @property
    def osds(self) -> Mapping[int, Mapping[str, Any]]:
        """{number: OSD} from `osd dump`."""
        return {one["osd"]: one for one in self["osd dump"].get("osds", ())}


@dataclass(frozen=True)
class Disk:
    """A disk by its kernel name, with its content: empty where there is none. `unseen` tells why it could not be read."""

    device: str
    holds: tuple[str, ...]
    unseen: str = ""


def _disks(output: str) -> Mapping[str, Disk]:
    """{id: disk} of the inventory's disks that the host has."""
    found = {}
    for line in output.splitlines():
        name, device, holders, *looks = line.split("\t")
        if (code := looks[-2]) != "0":
            what = LOOKS[len(looks) // 2 - 1]
            found[name] = Disk(device, (), f"{what} did not end" if code in TIMED_OUT else f"{what} ended with {code}")
            continue
        tree, _, signatures = looks[1::2]
        (row,) = json.loads(tree)["blockdevices"]
        marks = [one["type"] for one in (json.loads(signatures)["signatures"] if signatures.strip() else ())]
        held = [] if row.get("children") else [f"held by {holder}" for holder in holders.split()]
        found[name] = Disk(device, tuple(dict.fromkeys([*_holds(row), *held, *marks])))
    return found


def _holds(row: Mapping[str, Any]) -> list[str]:
    children = [f"{child['type']} {child['name']}" for child in row.get("children", ())]
    mounts = [f"mounted at {path}" for path in row.get("mountpoints") or () if path]
    return [*(str(row[key]) for key in ("fstype", "pttype") if row.get(key)), *mounts, *children]


def _of_host(site: Site, host: str) -> str:
    return READ_DISKS.replace("{ids}", " ".join(site.osds(host))) if site.osds(host) else ""


def _state(output: str) -> CephState:
    answers = json.loads(output)
    if wrong := misfit(answers, Whole):
        raise ValueError(wrong)
    return CephState(answers, odd(answers))


def _is_there(state: CephState) -> bool:
    return bool(state.fsid)


CEPH = Fact("ceph", f"{OF_ANY_HOST}python3 -c '{READ_CEPH}'", _state, within_s=18, answers=_is_there)
CEPH_CONF = Fact("ceph_conf", file_of_node("/etc/pve/ceph.conf"), checked, answers=bool)
OSD_DISKS = Fact("osd_disks", "looks at each disk for Ceph", _disks, _of_host, within_s=8)
# What a check or a change of a host needs of the whole cluster.
OF_CEPH = ((targets.CEPH, (CEPH,)),)
OF_SETTINGS = ((targets.CEPH, (CEPH, CEPH_CONF)),)


def ceph_of(site: Site) -> Target:
    """The site's Ceph cluster. Raises ValueError where the inventory has none."""
    (target,) = site.targets(targets.CEPH)
    return target


def state_of(site: Site, facts: Facts) -> CephState:
    """The state of the site's Ceph cluster."""
    return facts[ceph_of(site)][CEPH]


def known(facts: Facts, ceph: str) -> CephState | None:
    """The state of a Ceph cluster; None where no monitor answers, which `ceph_is_healthy` reports."""
    return facts[ceph][CEPH] if facts[ceph][CEPH].fsid else None
