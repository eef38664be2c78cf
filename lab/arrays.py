"""The arrays of a server: a disk each, with a file system that is there before anybody configures the machine."""

import uuid
from pathlib import Path

from inventory.site import Host
from lab.blueprint import MachinePlan
from lab.settings import ARRAY_SIZE, MAKE_DISK
from lab.tools import run

# /dev/ubda is the machine's own; then come its other disks, then its arrays.
LETTERS = "bcdefghijklmnop"


def fstab(host: Host) -> str:
    """Where the host's arrays are mounted, as its owner's installer left it."""
    paths = host.nfs.arrays if host.nfs else ()
    return "".join(f"/dev/ubd{letter} {path} ext4 defaults 0 0\n" for letter, path in zip(LETTERS[len(host.disks) :], paths, strict=False))


def make(folder: Path, machine: MachinePlan) -> None:
    """Make the disks of a machine's arrays, empty; what is written over them goes into a file of its own, as with the machine's disk."""
    for index, path in enumerate(machine.arrays):
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"burrow-lab:{machine.name}{path}")
        run(*MAKE_DISK, "-U", str(number), folder / f"array{index}.ext4", ARRAY_SIZE)


def words(machine: MachinePlan, inside: str) -> list[str]:
    """What the machine's kernel is told of its arrays' disks, which it sees in `inside`."""
    letters = LETTERS[len(machine.disks) :]
    return [f"ubd{letters[index]}={inside}/array{index}.cow,{inside}/array{index}.ext4" for index in range(len(machine.arrays))]
