"""`pveceph mon create` and `mon destroy`."""

import shutil
import subprocess
import sys
import tempfile
from ipaddress import IPv4Address
from pathlib import Path

from . import ceph_conf, ceph_init, ceph_install, ceph_mgrs, cluster_fs
from .options import Option, PveError, Values
from .rados_link import LONG_S, Monitors
from .system import addresses_in, node, own_address, run

OPTIONS = (Option("monid"), Option("mon-address"))
FOLDERS = Path("/var/lib/ceph/mon")


def create(values: Values) -> None:
    """Create a monitor on this node, and a manager with the first monitor."""
    ceph_install.need("ceph-mon")
    ceph_init.need_init()
    ceph_init.link()
    sections = ceph_conf.read()
    first = not sections["global"].get("mon_host") and not any(name.startswith("mon.") for name in sections)
    name = values.get("monid", node())
    try:
        monitors = None if first else Monitors(LONG_S)
    except PveError as problem:
        print(problem, file=sys.stderr)
        raise PveError("Could not connect to ceph cluster despite configured monitors") from problem
    address = _address(values, sections)
    with cluster_fs.locked("ceph.conf"):
        sections = ceph_conf.read()
        _need_room(sections, name, address)
        ceph_init.ensure_admin_keyring()
        _ensure_keyring()
        _make(name, address, monitors)
        sections["global"] |= {"ms_bind_ipv4": "true", "ms_bind_ipv6": "false"}
        sections["global"]["mon_host"] = f"{sections['global'].get('mon_host', '')} {address}".strip()
        sections[f"mon.{name}"] = {"public_addr": str(address)}
        ceph_conf.write(sections)
        run("systemctl", "start", f"ceph-mon@{name}")
        if first:
            _configure_cluster(sections)
        run("systemctl", "enable", f"ceph-mon@{name}")
    if first:
        ceph_mgrs.create({})


def _address(values: Values, sections: ceph_conf.Sections) -> IPv4Address:
    network = sections["global"].get("public_network")
    if not network:
        return IPv4Address(values.get("mon-address", own_address()))
    found = addresses_in(network)
    if wanted := values.get("mon-address"):
        if IPv4Address(wanted) not in found:
            raise PveError(f"Specified monitor IP '{wanted}' not configured or up on {node()}!")
        return IPv4Address(wanted)
    if not found:
        raise PveError(f"No active IP found for the requested ceph public network '{network}' on node '{node()}'")
    if len(found) > 1:
        listed = "\n".join(str(address) for address in found)
        raise PveError(
            f"Multiple IPs for ceph public network '{network}' detected on {node()}:\n{listed}\nuse 'mon-address' to specify one of them."
        )
    return found[0]


def _need_room(sections: ceph_conf.Sections, name: str, address: IPv4Address) -> None:
    used = sections["global"].get("mon_host", "").replace(",", " ").split()
    if str(address) in used:
        raise PveError(f"monitor address '{address}' already in use")
    if f"mon.{name}" in sections:
        raise PveError(f"monitor '{name}' already exists")
    if (FOLDERS / f"ceph-{name}").exists():
        raise PveError(f"monitor filesystem '{FOLDERS}/ceph-{name}' already exist")


def _ensure_keyring() -> None:
    path = ceph_conf.MON_KEYRING
    if path.exists():
        return
    print("creating new monitor keyring", flush=True)
    run("ceph-authtool", "--create-keyring", path, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    path.chmod(0o600)
    run("ceph-authtool", path, "--import-keyring", ceph_conf.ADMIN_KEYRING)


def _make(name: str, address: IPv4Address, monitors: Monitors | None) -> None:
    folder = FOLDERS / f"ceph-{name}"
    folder.mkdir()
    try:
        shutil.chown(folder, "ceph", "ceph")
        with tempfile.TemporaryDirectory() as scratch:
            monmap = Path(scratch) / "monmap"
            if monitors:
                monmap.write_bytes(monitors.binary("mon getmap"))
            made = () if monitors else ("--create",)
            vector = f"[v2:{address}:3300,v1:{address}:6789]"
            run("monmaptool", "--clobber", "--addv", name, vector, "--print", monmap, *made)
            run("ceph-mon", "--mkfs", "-i", name, "--monmap", monmap, "--keyring", ceph_conf.MON_KEYRING)
        run("chown", "ceph:ceph", "-R", folder)
        run("chown", "ceph:ceph", f"/var/log/ceph/ceph-mon.{name}.log")
    except PveError:
        shutil.rmtree(folder)
        raise


def _configure_cluster(sections: ceph_conf.Sections) -> None:
    """Configure a new cluster, once its first monitor answers."""
    print("created the first monitor, assume it's safe to disable insecure global ID reclaim for new setup", flush=True)
    monitors = Monitors(LONG_S)
    monitors.text("config set", who="mon", name="auth_allow_insecure_global_id_reclaim", value="false")
    print("Configuring keyring for ceph-crash.service", flush=True)
    keyring = monitors.text("auth get-or-create", entity="client.crash", caps=["mon", "profile crash", "mgr", "profile crash"])
    cluster_fs.write(ceph_init.FOLDER / "ceph.client.crash.keyring", keyring)
    sections["client.crash"] = {"keyring": "/etc/pve/ceph/$cluster.$name.keyring"}
    ceph_conf.write(sections)


def destroy(values: Values) -> None:
    """Remove a monitor of this node. The last monitor of the cluster cannot be removed."""
    ceph_init.need_init()
    name = values["monid"]
    folder = FOLDERS / f"ceph-{name}"
    with cluster_fs.locked("ceph.conf"):
        sections = ceph_conf.read()
        monitors = Monitors(LONG_S)
        members = {one["name"]: one for one in monitors.data("quorum_status")["monmap"]["mons"]}
        if name not in members and f"mon.{name}" not in sections:
            raise PveError(f"no such monitor id '{name}'")
        if not folder.is_dir():
            raise PveError(f"monitor filesystem '{folder}' does not exist on this node")
        if len(members) <= 1:
            raise PveError("can't remove last monitor")
        monitors.text("mon remove", name=name)
        sections.pop(f"mon.{name}", None)
        removed = {one["addr"].partition(":")[0] for one in members.get(name, {}).get("public_addrs", {}).get("addrvec", ())}
        addresses = [address for address in sections["global"].get("mon_host", "").split() if address not in removed]
        sections["global"]["mon_host"] = " ".join(addresses)
        ceph_conf.write(sections)
        shutil.rmtree(folder)
        subprocess.run(["systemctl", "disable", "--now", f"ceph-mon@{name}"], check=False)
