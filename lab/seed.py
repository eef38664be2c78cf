"""A machine's seed: the folder it reads at every boot, with its ports, their cables' state, and what the first boot puts on its disk."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from inventory.schema import Site
from lab import firmware, fresh
from lab.blueprint import MachinePlan
from lab.folders import Folders
from lab.keys import ensure_key, host_key

LAB_UNITS = "/etc/systemd/system/"
UNIT_FOLDERS = {"lldpd.service": "/usr/lib/systemd/system/"}


def write_seed(folders: Folders, site: Site, machine: MachinePlan) -> None:
    """Write the seed of one machine."""
    folder = folders.machine(machine.name) / "seed"
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "files").mkdir(parents=True)
    host = site.hosts[machine.name]
    for name, text in {**fresh.files(site, host), **firmware.files(site, host)}.items():
        _put(folder / "files" / name, text)
    for unit in firmware.units(site, host):
        wanted = folder / "files/etc/systemd/system/multi-user.target.wants" / unit
        wanted.parent.mkdir(parents=True, exist_ok=True)
        wanted.symlink_to(UNIT_FOLDERS.get(unit, LAB_UNITS) + unit)
    if fresh.is_switch(host):
        (folder / "switch").touch()
    key = host_key(folders, machine.name)
    _put(folder / "files/etc/ssh/ssh_host_ed25519_key", key.read_text(), mode=0o600)
    _put(folder / "files/etc/ssh/ssh_host_ed25519_key.pub", ensure_key(key, machine.name))
    _put(folder / "files/root/.ssh/authorized_keys", ensure_key(folders.identity, ""), mode=0o600)
    (folder / "files/root/.ssh").chmod(0o700)
    (folder / "ports.ip").write_text(ports_batch(machine))
    (folder / "cables.ip").write_text(cables_batch(machine))
    (folder / "cables.tc").write_text(shaping_batch(machine))
    write_carrier(folder, {})


def _put(path: Path, text: str, *, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def write_carrier(seed: Path, carriers: Mapping[int, bool]) -> str:
    """Say in the seed which far ends are up at the next boot; gives the `ip` commands that make it so."""
    batch = "".join(f"link set far{index} {'up' if up else 'down'}\n" for index, up in carriers.items())
    new = seed / "carrier.new"
    new.write_text(batch)
    new.replace(seed / "carrier.ip")
    return batch


def vectors(machine: MachinePlan) -> Iterable[tuple[int, str]]:
    """Index and cable of every port that has one; the port's far end and vector device carry the index."""
    return ((index, port.cable) for index, port in enumerate(machine.ports) if port.cable)


def ports_batch(machine: MachinePlan) -> str:
    """`ip` commands that make the ports, their far ends beyond the machine's sight."""
    lines = [f"link set vec{index} netns cables" for index, _ in vectors(machine)]
    for index, port in enumerate(machine.ports):
        mtu = port.mtu_bytes
        lines.append(f"link add {port.name} address {port.mac} mtu {mtu} type veth peer name far{index} mtu {mtu} netns cables")
    return "\n".join(lines) + "\n"


def cables_batch(machine: MachinePlan) -> str:
    """`ip` commands that make the vector devices ready."""
    return "".join(
        f"link set vec{index} mtu {machine.ports[index].mtu_bytes} promisc on up\nlink set far{index} promisc on\n"
        for index, _ in vectors(machine)
    )


def shaping_batch(machine: MachinePlan) -> str:
    """`tc` commands that carry every frame between a port's far end and its vector device."""
    lines = []
    for index, _ in vectors(machine):
        for here, there in ((f"far{index}", f"vec{index}"), (f"vec{index}", f"far{index}")):
            lines.append(f"qdisc add dev {here} ingress")
            lines.append(f"filter add dev {here} ingress matchall action mirred egress redirect dev {there}")
    return "\n".join(lines) + "\n"
