"""The keys of a host's row for its arrays and NFS exports."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from inventory.strict import Strict
from inventory.value_types import AbsolutePath, Clients, FolderMode, Fsid, OwnerIds, Percent, StorageName, Threads, Truth


class Purpose(StrEnum):
    """The purpose of an export. It decides whether root of a client must be root on the export."""

    FILES = "files"
    PROVISIONER = "provisioner"
    DATABASE = "database"


class Squash(StrEnum):
    """The users that the server maps to nobody, in the terms of exports(5)."""

    ROOT = "root_squash"
    NONE = "no_root_squash"
    ALL = "all_squash"


class Access(StrEnum):
    """Whether clients may write."""

    READ_WRITE = "rw"
    READ_ONLY = "ro"


class Array(Strict):
    """An existing file system on a host's disks. Burrow verifies it and never creates it."""

    least_free_percent: Percent = 10
    """The free space in percent that the array needs before Burrow adds an export on it."""


class Export(Strict):
    """A folder that the server exports to clients."""

    clients: tuple[Clients, ...]
    """The IPv4 networks and addresses that may mount it."""
    purpose: Purpose = Purpose.FILES
    """A provisioner creates folders as root and changes their owner. A database takes its folder over as root, and must lose no write."""
    squash: Squash = Squash.ROOT
    """The users that the server maps to nobody: root of a client (root_squash), no user (no_root_squash), or all users (all_squash)."""
    access: Access = Access.READ_WRITE
    """Whether clients may write."""
    sync: Truth = True
    """Whether the server replies only after it has written to disk. If false, a crash loses acknowledged writes."""
    options: tuple[Literal["insecure", "no_wdelay", "crossmnt", "no_acl"], ...] = ()
    """Further options of exports(5)."""
    owner: OwnerIds = "0:0"
    """UID:GID of the folder itself. Burrow does not change the files in it."""
    mode: FolderMode = "0755"
    """The mode of the folder itself, four octal digits."""
    storage: StorageName | None = None
    """The name of the Proxmox storage on this export, for data of the nodes themselves."""
    fsid: Fsid | None = None
    """The export's number, unique on the host, for a file system without a UUID (exports(5))."""


class Nfs(Strict):
    """A host's NFS server."""

    versions: tuple[Literal[3, 4], ...] = (4,)
    """The NFS versions that the server offers."""
    threads: Threads = 16
    """The number of kernel NFS server threads."""
    arrays: Mapping[AbsolutePath, Array] = {}
    """Where the host's arrays are mounted."""
    exports: Mapping[AbsolutePath, Export] = {}
    """The exports, by path of their folder."""

    def array_of(self, path: str) -> str | None:
        """The innermost array that contains the folder, None if none does."""
        containing = (array for array in self.arrays if path == array or path.startswith(f"{array}/"))
        return max(containing, key=len, default=None)
