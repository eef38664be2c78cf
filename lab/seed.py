"""A machine's seed: a folder that it reads at every boot, with its ports, the state of their cables, and the files of its first boot."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from inventory.site import Site
from lab import firmware, fresh, pve, shims
from lab.blueprint import MachinePlan
from lab.folders import Folders
from lab.keys import ensure_key, host_key, root_key
from lab.ports import write_ports

LAB_UNITS = "/etc/systemd/system/"
UNIT_FOLDERS = {"lldpd.service": "/usr/lib/systemd/system/"}


def write_seed(folders: Folders, site: Site, machine: MachinePlan) -> None:
    """Write a machine's seed."""
    folder = folders.machine(machine.name) / "seed"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    host = site.hosts[machine.name]
    for name, text in {**fresh.files(site, host), **firmware.files(site, host), **shims.files(host)}.items():
        _put(folder / "files" / name, text)
    for unit in firmware.units(site, host):
        wanted = folder / "files/etc/systemd/system/multi-user.target.wants" / unit
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.symlink_to(UNIT_FOLDERS.get(unit, LAB_UNITS) + unit)
    if fresh.is_switch(host):
        (folder / "switch").touch()
    if fresh.is_node(host):
        (folder / "node").touch()
        pve.lay_out(folders.run, machine.name)
        # A node has its own key, to log in to other nodes of its cluster. Proxmox creates it at its first start.
        key = root_key(folders, machine.name)
        _put(folder / "files/root/.ssh/id_rsa.pub", ensure_key(key, f"root@{machine.name}"))
        _put(folder / "files/root/.ssh/id_rsa", key.read_text(), mode=0o600)
    key = host_key(folders, machine.name)
    _put(folder / "files/etc/ssh/ssh_host_ed25519_key", key.read_text(), mode=0o600)
    _put(folder / "files/etc/ssh/ssh_host_ed25519_key.pub", ensure_key(key, machine.name))
    _put(folder / "files/root/.ssh/authorized_keys", ensure_key(folders.identity, ""), mode=0o600)
    (folder / "files/root/.ssh").chmod(0o700)
    write_ports(folder, machine)
    write_carrier(folder, {})


def _put(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def write_carrier(seed: Path, carriers: Mapping[int, bool]) -> str:
    """Write to the seed which far ends are up at the next boot. Returns the `ip` commands for that."""
    batch = "".join(f"link set far{index} {'up' if up else 'down'}\n" for index, up in carriers.items())
    new = seed / "carrier.new"
    new.write_text(batch)
    new.replace(seed / "carrier.ip")
    return batch
