"""What the changes and checks of Ceph read: its own JSON, Proxmox's file of it, and the disks."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.site import Site
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact
from tasks.platforms.proxmox.mounted import OF_ANY_HOST, file_of_node

# A monitor that falls silent after it has taken a client's connection is given up after 5 s; Ceph's own clients stay with it for 30 s,
# which is all that a command has (mon_client_ping_timeout).
CEPH_OSD = ("ceph", "--connect-timeout", "10", "--mon-client-ping-interval", "1", "--mon-client-ping-timeout", "5", "osd")
# All of Ceph's own JSON over one connection: starting `ceph` is most of what each of its commands costs. Keys are left on the host.
# It ends without a tear-down: librados cannot be shut down while another of its threads is at work, nor may the process end under such a
# thread; either may abort it when all is said (ceph/ceph#33825, #33950: `ceph` itself leaves this way). Monitors see a closed connection.
READ_CEPH = r"""
import errno, glob, json, os, sys
# A node without a daemon has the file of Proxmox alone.
conf = next((path for path in ("/etc/pve/ceph.conf", "/etc/ceph/ceph.conf") if os.path.exists(path)), "")
if not conf:
    # Its OSDs go on while the folder of Proxmox is not mounted.
    osds = ", ".join(sorted(path.split("/")[-2] for path in glob.glob("/var/lib/ceph/osd/*/whoami")))
    json.dump({"error": "no ceph.conf is there to ask by, though the host has " + osds} if osds else {}, sys.stdout)
    sys.exit()
import rados
def ask(cluster, prefix, **more):
    code, out, err = cluster.mon_command(json.dumps({"prefix": prefix, "format": "json", **more}), b"")
    if code == -errno.ETIMEDOUT:
        raise rados.TimedOut("no answer to " + prefix)
    return json.loads(out) if not code else {"error": err}
said = {}
try:
    # The limit of a command is here: the library does not look at its own argument. Monitors that lost one take up
    # to 15 s until they have elected.
    limits = {"client_mount_timeout": "8", "rados_mon_op_timeout": "16", "mon_client_ping_interval": "1", "mon_client_ping_timeout": "5"}
    cluster = rados.Rados(conffile=conf, conf=limits)
    cluster.connect()
    said["fsid"] = cluster.get_fsid()
    for prefix in ("status", "health", "mon dump", "mon metadata", "mgr dump", "mgr metadata", "osd dump", "osd tree", "osd metadata",
                   "versions", "config dump", "osd crush rule dump", "time-sync-status"):
        said[prefix] = ask(cluster, prefix, **({"detail": "detail"} if prefix == "health" else {}))
    # Settings of modules may be passwords: those that are not asked for stay here.
    if isinstance(said["config dump"], list):
        said["config dump"] = [row for row in said["config dump"] if row["name"].startswith("auth_")]
    for kind in ("mon metadata", "mgr metadata"):
        if isinstance(said[kind], list):
            said[kind] = [{key: one[key] for key in ("name", "hostname") if key in one} for one in said[kind]]
    for standby in said["mgr dump"].get("standbys", ()):
        standby.pop("available_modules", None)
    said["mgr dump"].pop("available_modules", None)
    # The manager answers these; the map may call one available that has just died.
    try:
        for prefix in ("osd df", "device ls", "crash ls-new") if said["mgr dump"].get("available") else ():
            said[prefix] = ask(cluster, prefix)
    except rados.TimedOut as error:
        said["mgr"] = str(error)
    if isinstance(said.get("crash ls-new"), list):
        said["crash ls-new"] = [one["crash_id"] + " " + one.get("entity_name", "") for one in said["crash ls-new"]]
except rados.Error as error:
    said = {"error": str(error)}
json.dump(said, sys.stdout)
sys.stdout.flush()
os._exit(0)
"""
# A line a disk: id, device, who holds it, then of each look its exit code and what it said, until one fails. A disk that does not answer
# must not look empty: `wipefs` ends with 0 also where what it reads is an error, so its first MiB is read before.
READ_DISKS = r"""
look() {
  said=$(timeout -k 1 4 "$@" 2>/dev/null); code=$?
  printf '\t%s\t%s' $code "$(printf %s "$said" | tr '\n\t' '  ')"; return $code
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
    """{daemon: its host}, as far as it has said one; Proxmox and the inventory leave the domain out."""
    return {one[key]: one["hostname"].partition(".")[0] for one in metadata if one.get("hostname")}


@dataclass(frozen=True)
class CephState:
    """What Ceph says of itself, by the command that says it; empty where it is not set up here, an error where nobody answers."""

    said: Mapping[str, Any]

    @property
    def error(self) -> str:
        """Why nothing was said."""
        return str(self.said.get("error", ""))

    @property
    def fsid(self) -> str:
        """The cluster's id, empty where there is no answer."""
        return str(self.said.get("fsid", ""))

    def __getitem__(self, command: str) -> Any:
        """What a command said. An empty answer where there is no cluster. Raises BurrowError where Ceph refused to say it."""
        answer = self.said.get(command, {})
        if isinstance(answer, dict) and "error" in answer:
            raise BurrowError(f"Ceph does not answer `ceph {command}`: {answer['error'] or 'it gives no reason'}; see `ceph -s`")
        return answer

    def listed(self, command: str) -> tuple[Any, ...]:
        """The list that its manager says, empty where that has no such command."""
        answer = self.said.get(command)
        return tuple(answer) if isinstance(answer, list) else ()

    @property
    def quorum(self) -> frozenset[str]:
        """The names of the monitors in quorum."""
        return frozenset(self["status"].get("quorum_names", ()))

    @property
    def monitors(self) -> Mapping[str, str]:
        """{monitor of the map: the host that it says it runs on}; one that has not said it is taken to be called by its host."""
        names, said = [one["name"] for one in self["mon dump"].get("mons", ())], _hosts(self.listed("mon metadata"), "name")
        return {name: said.get(name, name) for name in names}

    def monitors_of(self, host: str) -> frozenset[str]:
        """The names of a host's monitors."""
        return frozenset(name for name, runs_on in self.monitors.items() if runs_on == host)

    @property
    def managers(self) -> Mapping[str, str]:
        """{manager: its host} as of monitors: the active one, then those that stand by."""
        active, said = self["mgr dump"].get("active_name", ""), _hosts(self.listed("mgr metadata"), "name")
        names = (active, *(one["name"] for one in self["mgr dump"].get("standbys", ())))
        return {name: said.get(name, name) for name in names if name}

    def managers_of(self, host: str) -> tuple[str, ...]:
        """The names of a host's managers."""
        return tuple(name for name, runs_on in self.managers.items() if runs_on == host)

    @property
    def pools(self) -> Mapping[str, Mapping[str, Any]]:
        """{name: pool} as `osd dump` has them."""
        return {one["pool_name"]: one for one in self["osd dump"].get("pools", ())}

    def osds_of(self, host: str) -> Mapping[int, Mapping[str, Any]]:
        """{number: metadata} of the OSDs of a host."""
        known = {one["id"]: one for one in self["osd metadata"] or ()}
        return {number: known.get(number, {}) for number in self.hosts.get(host, ())}

    @property
    def hosts(self) -> Mapping[str, tuple[int, ...]]:
        """{host: its OSDs}: where each says it runs, because buckets of CRUSH may be called otherwise (`alvin-ssd`).

        One that has not said it yet, since it never ran, is of the host that its bucket is called by; without a bucket it is of none.
        """
        where = {number: name for name, numbers in self.buckets.items() for number in numbers}
        where |= _hosts(self["osd metadata"] or (), "id")
        found: dict[str, list[int]] = {}
        for number in sorted(self.osds.keys() & where.keys()):
            found.setdefault(where[number], []).append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    @property
    def buckets(self) -> Mapping[str, tuple[int, ...]]:
        """{CRUSH bucket of type host: its OSDs}, without those of which only the entry in CRUSH is left."""
        rows = (one for one in self["osd tree"].get("nodes", ()) if one["type"] == "host")
        return {one["name"]: tuple(number for number in sorted(one["children"]) if number in self.osds) for one in rows}

    @property
    def left_in_crush(self) -> tuple[int, ...]:
        """The OSDs of which only the entry in CRUSH is left: `ceph osd rm` alone leaves it, and copies are still meant to be there."""
        return tuple(sorted(one["id"] for one in self["osd tree"].get("nodes", ()) if one["type"] == "osd" and one["id"] not in self.osds))

    @property
    def rows(self) -> Mapping[int, Mapping[str, Any]]:
        """{OSD: its row of `osd df`}; empty where no manager answers."""
        answer = self.said.get("osd df", {})
        return {one["id"]: one for one in answer.get("nodes", ())}

    @property
    def complaints(self) -> Mapping[str, str]:
        """{code of a health check: what it says}, with its details."""
        checks = self["health"].get("checks", {})
        return {code: "; ".join(one["message"] for one in (row["summary"], *row.get("detail", ()))) for code, row in checks.items()}

    @property
    def osds(self) -> Mapping[int, Mapping[str, Any]]:
        """{number: OSD} as `osd dump` has them."""
        return {one["osd"]: one for one in self["osd dump"].get("osds", ())}


@dataclass(frozen=True)
class Disk:
    """A disk by its kernel's name, and what is on it: empty where nothing is. Where it could not be looked at, why."""

    device: str
    holds: tuple[str, ...]
    unseen: str = ""


def _disks(output: str) -> Mapping[str, Disk]:
    """{id: disk} of the inventory's disks that are there."""
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
    return READ_DISKS.replace("{ids}", " ".join(site.osds(host)))


CEPH = Fact("ceph", f"{OF_ANY_HOST}python3 -c '{READ_CEPH}'", lambda output: CephState(json.loads(output)), within_s=18)
CEPH_CONF = Fact("ceph_conf", file_of_node("/etc/pve/ceph.conf"), str)
OSD_DISKS = Fact("osd_disks", "true", _disks, _of_host, within_s=8)
