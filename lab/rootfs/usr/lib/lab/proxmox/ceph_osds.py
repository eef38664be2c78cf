"""`pveceph osd create` and `osd destroy`."""

import json
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

from . import ceph_conf, ceph_init, ceph_install
from .options import Option, PveError, Values
from .rados_link import LONG_S, Monitors
from .system import addresses_in, node, output, run

CREATE = (Option("crush-device-class"), Option("encrypted", "boolean"))
DESTROY = (Option("cleanup", "boolean"),)
BOOTSTRAP = Path("/var/lib/ceph/bootstrap-osd/ceph.keyring")
WIPED_MIB = 200


def create(values: Values) -> None:
    """Create an OSD on an empty disk of this node."""
    ceph_install.need("ceph-osd")
    ceph_init.need_init()
    ceph_init.link()
    _need_address()
    disk = _disk(values["dev"])
    _need_empty(disk)
    _ensure_bootstrap_key(Monitors())
    _need_empty(disk)
    print(f"create OSD on {disk} (bluestore)", flush=True)
    _wipe(disk)
    device_class = values.get("crush-device-class")
    chosen = ("--crush-device-class", device_class) if device_class else ()
    crypt = ("--dmcrypt",) if values.get("encrypted") == "1" else ()
    run("ceph-volume", "lvm", "create", *chosen, "--data", disk, *crypt)


def _need_address() -> None:
    settings = ceph_conf.read()["global"]
    network = settings.get("cluster_network") or settings.get("public_network")
    if network and not addresses_in(network):
        raise PveError(f"No address from ceph cluster network ({network}) found on node '{node()}'. Check your network config.")


def _disk(name: str) -> Path:
    path = Path(name).resolve()
    if path.parts[:2] != ("/", "dev"):
        raise PveError(f"got unusual device path '{path}'")
    if not path.exists() or not stat.S_ISBLK(path.stat().st_mode):
        raise PveError("not a valid block device")
    return path


def _need_empty(disk: Path) -> None:
    """Raise PveError if the disk is not empty: it has partitions, a file system, LVM, ZFS or an OSD, or it is in use."""
    tree: dict[str, Any] = json.loads(output("lsblk", "--json", "-o", "NAME,FSTYPE,PTTYPE,MOUNTPOINTS", disk))["blockdevices"][0]
    signatures = json.loads(output("wipefs", "--json", "--no-act", disk) or "{}").get("signatures")
    mounted = any(tree["mountpoints"] or ())
    if tree["fstype"] or tree["pttype"] or mounted or tree.get("children") or signatures:
        raise PveError(f"device '{disk}' is already in use")


def _ensure_bootstrap_key(monitors: Monitors) -> None:
    if not BOOTSTRAP.exists():
        keyring = monitors.text("auth get-or-create", entity="client.bootstrap-osd", caps=["mon", "allow profile bootstrap-osd"])
        BOOTSTRAP.write_text(keyring)


def _wipe(disk: Path) -> None:
    print(f"wiping block device {disk}", flush=True)
    run("wipefs", "--all", disk)
    size_mib = int(Path(f"/sys/class/block/{disk.name}/size").read_text()) * 512 >> 20
    run("dd", "if=/dev/zero", f"of={disk}", "bs=1M", "conv=fdatasync", f"count={min(size_mib, WIPED_MIB)}")


def destroy(values: Values) -> None:
    """Remove an OSD of this node that is down and out."""
    ceph_init.need_init()
    number = values["osdid"]
    if not number.isdigit():
        raise PveError(f"400 Parameter verification failed.\nosdid: type check ('integer') failed - got '{number}'")
    name, monitors = f"osd.{number}", Monitors(LONG_S)
    _need_ours(monitors, int(number))
    state = next((one for one in monitors.data("osd dump")["osds"] if one["osd"] == int(number)), None)
    if not state:
        raise PveError(f"no such OSD '{number}'")
    if state["in"]:
        raise PveError("osd is in use (in == 1)")
    if state["up"]:
        raise PveError("osd is still running (up == 1)")
    print(f"destroy OSD {name}", flush=True)
    subprocess.run(["systemctl", "disable", "--now", f"ceph-osd@{number}"], check=False)
    print(f"Remove {name} from the CRUSH map")
    monitors.text("osd crush remove", name=name)
    print(f"Remove the {name} authentication key.")
    monitors.text("auth del", entity=name)
    print(f"Remove OSD {name}", flush=True)
    monitors.text("osd rm", ids=[name])
    cleanup = ("--destroy",) if values.get("cleanup") == "1" else ()
    run("ceph-volume", "lvm", "zap", "--osd-id", number, *cleanup)
    shutil.rmtree(f"/var/lib/ceph/osd/ceph-{number}", ignore_errors=True)


def _need_ours(monitors: Monitors, number: int) -> None:
    hosts = [one for one in monitors.data("osd tree")["nodes"] if one["type"] == "host" and number in one["children"]]
    if [host["name"] for host in hosts] != [node()]:
        raise PveError(f"OSD osd.{number} does not belong to node {node()}!")
