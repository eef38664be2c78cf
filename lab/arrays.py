"""The arrays of a server. Each is a disk with a file system that exists before the machine is configured."""

import uuid
from pathlib import Path

from inventory.site import Host
from lab.blueprint import MachinePlan
from lab.settings import ARRAY_SIZE, MAKE_DISK
from lab.tools import run

# /dev/ubda is the system disk. The machine's other disks follow, then its arrays.
LETTERS = "bcdefghijklmnop"


def fstab(host: Host) -> str:
    """The fstab lines that mount the host's arrays, as an installer writes them."""
    paths = host.nfs.arrays if host.nfs else ()
    return "".join(f"/dev/ubd{letter} {path} ext4 defaults 0 0\n" for letter, path in zip(LETTERS[len(host.disks) :], paths, strict=False))


def make(folder: Path, machine: MachinePlan) -> None:
    """Create the empty disks of a machine's arrays. A machine's writes go to a copy-on-write file, as with its system disk."""
    for index, path in enumerate(machine.arrays):
        number = uuid.uuid5(uuid.NAMESPACE_URL, f"burrow-lab:{machine.name}{path}")
        run(*MAKE_DISK, "-U", str(number), folder / f"array{index}.ext4", ARRAY_SIZE)


def kernel_parameters(machine: MachinePlan, inside: str) -> list[str]:
    """The kernel parameters for the disks of the machine's arrays. `inside` is the folder of these disks in the jail."""
    letters = LETTERS[len(machine.disks) :]
    return [f"ubd{letters[index]}={inside}/array{index}.cow,{inside}/array{index}.ext4" for index in range(len(machine.arrays))]
