"""What a host's row may say of its arrays and NFS exports."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from inventory.strict import Strict
from inventory.value_types import AbsolutePath, Clients, FolderMode, Fsid, HostName, OwnerIds, Percent, Threads, Truth


class Purpose(StrEnum):
    """What an export is for, which decides what its clients' root has to be there."""

    FILES = "files"
    PROVISIONER = "provisioner"
    DATABASE = "database"


class Squash(StrEnum):
    """Who the server takes for nobody, in the words of exports(5)."""

    ROOT = "root_squash"
    NONE = "no_root_squash"
    ALL = "all_squash"


class Access(StrEnum):
    """Whether clients may write."""

    READ_WRITE = "rw"
    READ_ONLY = "ro"


class Array(Strict):
    """A file system on a host's disks that is there before the suite comes: it is verified, never made."""

    least_free_percent: Percent = 10
    """How much of it has to be free, in percent, before anything new is exported of it."""


class Export(Strict):
    """A folder that is served to clients."""

    clients: tuple[Clients, ...]
    """The IPv4 networks and addresses that may mount it."""
    purpose: Purpose = Purpose.FILES
    """A provisioner makes folders as root and gives them away, a database takes its folder over as root and must lose nothing."""
    squash: Squash = Squash.ROOT
    """Who becomes nobody: root of a client, nobody at all, or everyone."""
    access: Access = Access.READ_WRITE
    """Whether clients may write."""
    sync: Truth = True
    """Whether the server answers only when it has written; without it a crash loses what clients believe is on disk."""
    options: tuple[Literal["insecure", "no_wdelay", "crossmnt", "no_acl"], ...] = ()
    """Further options of exports(5)."""
    owner: OwnerIds = "0:0"
    """UID:GID of the folder itself; nothing in it is touched."""
    mode: FolderMode = "0755"
    """The folder's own mode, four octal digits."""
    storage: HostName | None = None
    """The name under which Proxmox has it as a storage, for what its nodes keep there themselves."""
    fsid: Fsid | None = None
    """The export's number, where its file system has no UUID (exports(5)); one of its own on this host."""


class Nfs(Strict):
    """A host's NFS server."""

    versions: tuple[Literal[3, 4], ...] = (4,)
    """The NFS versions that are served."""
    threads: Threads = 16
    """How many of the kernel's threads serve."""
    arrays: Mapping[AbsolutePath, Array] = {}
    """Where the host's arrays are mounted."""
    exports: Mapping[AbsolutePath, Export] = {}
    """What is served, by the folder's path."""

    def array_of(self, path: str) -> str | None:
        """The array that a folder is in, the innermost where one is mounted in another."""
        around = (array for array in self.arrays if path == array or path.startswith(f"{array}/"))
        return max(around, key=len, default=None)
