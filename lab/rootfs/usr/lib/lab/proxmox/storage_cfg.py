"""Reads /etc/pve/storage.cfg, and writes it in Proxmox's format."""

import errno
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from . import ceph_conf, cluster_fs
from .options import Option, PveError

PATH = cluster_fs.PVE / "storage.cfg"
NFS_PORT = 2049
CONNECT_S = 2
SHOW_S = 10
KEYRINGS = cluster_fs.PRIVATE / "ceph"
# A storage's name (pve-common, PVE::JSONSchema::parse_id).
ID = Option("storage", pattern=r"(?i)[a-z][a-z0-9\-_.]*[a-z0-9]", unlike="storage ID 'VALUE' contains illegal characters")
# Where the content of a kind is in a storage (pve-storage, PVE::Storage::Plugin, $vtype_subdirs).
FOLDERS = {
    "images": "images",
    "rootdir": "private",
    "iso": "template/iso",
    "vztmpl": "template/cache",
    "backup": "dump",
    "snippets": "snippets",
    "import": "import",
}
# The required fields, in the order of the file. Other fields follow, sorted by name.
REQUIRED = {"dir": ("path",), "nfs": ("export", "path", "server"), "rbd": ()}


@dataclass(frozen=True)
class Storage:
    """A section of the file."""

    kind: str
    name: str
    fields: Mapping[str, str]

    @property
    def text(self) -> str:
        """The section's text."""
        first = REQUIRED.get(self.kind, ())
        keys = (*first, *sorted(key for key in self.fields if key not in first))
        lines = [f"\t{key} {self.fields[key]}\n" if self.fields[key] else f"\t{key}\n" for key in keys]
        return f"{self.kind}: {self.name}\n{''.join(lines)}\n"


def read() -> dict[str, Storage]:
    """The storages by name."""
    found: dict[str, Storage] = {}
    for block in PATH.read_text().split("\n\n") if PATH.exists() else ():
        head, *lines = block.strip("\n").splitlines() or [""]
        if head:
            kind, _, name = head.partition(":")
            fields = dict(line.strip().partition(" ")[::2] for line in lines)
            found[name.strip()] = Storage(kind, name.strip(), fields)
    return found


def _write(storages: Mapping[str, Storage]) -> None:
    cluster_fs.write(PATH, "".join(storage.text for storage in storages.values()))


def add(kind: str, name: str, fields: Mapping[str, str]) -> None:
    """Add a storage, and activate it on this node, so that errors appear now.

    Raises:
        PveError: The name is in use, or the storage cannot be activated.
    """
    with cluster_fs.locked("storage.cfg"):
        storages = read()
        if name in storages:
            raise PveError(f"create storage failed: storage ID '{name}' already defined")
        new = Storage(kind, name, fields)
        if kind == "rbd" and "monhost" not in fields:
            _keep_keyring(name)
        activate(new)
        _write({**storages, name: new})


def _keep_keyring(name: str) -> None:
    keyring = KEYRINGS / f"{name}.keyring"
    if keyring.exists():
        raise PveError(f"create storage failed: ceph authx keyring file for storage '{name}' already exists!")
    if ceph_conf.ADMIN_KEYRING.exists():
        KEYRINGS.mkdir(mode=0o700, exist_ok=True)
        cluster_fs.write(keyring, ceph_conf.ADMIN_KEYRING.read_text(), private=True)


def remove(name: str) -> None:
    """Remove a storage from the configuration. Its content stays.

    Raises:
        PveError: There is no storage of that name.
    """
    with cluster_fs.locked("storage.cfg"):
        storages = read()
        if name not in storages:
            raise PveError(f"delete storage failed: storage '{name}' does not exist")
        if storages.pop(name).kind == "rbd":
            (KEYRINGS / f"{name}.keyring").unlink(missing_ok=True)
        _write(storages)


def activate(storage: Storage) -> None:
    """Mount a storage of kind nfs on this node, and make the folders of its content there.

    Raises:
        PveError: The server does not answer, refuses the mount, or lets root make no folder. The mount stays then.
    """
    if storage.kind != "nfs" or "disable" in storage.fields:
        return
    point = Path(storage.fields["path"])
    point.mkdir(parents=True, exist_ok=True)
    if not point.is_mount():
        _mount(storage, point)
    for kind in sorted(storage.fields["content"].split(",")):
        folder = point / FOLDERS[kind]
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            wrong = f"failed to create content directory '{folder}' for content '{kind}' - {problem.strerror}"
            denied = isinstance(problem, PermissionError) or problem.errno == errno.EROFS
            hint = " - ensure that you have read and write access to your storage!" if denied else ""
            raise PveError(f"create storage failed: {wrong}{hint}") from None


def _mount(storage: Storage, point: Path) -> None:
    if not _answers(storage):
        raise PveError(f"create storage failed: storage '{storage.name}' is not online")
    extra = ("-o", storage.fields["options"]) if "options" in storage.fields else ()
    source = f"{storage.fields['server']}:{storage.fields['export']}"
    done = subprocess.run(["mount", "-t", "nfs", source, point, *extra], check=False, capture_output=True, text=True)
    if done.returncode:
        raise PveError(f"create storage failed: mount error: {done.stderr.strip()}")


def _answers(storage: Storage) -> bool:
    """Whether the server answers: on its port for an NFSv4 mount, else with its list of exports."""
    server = storage.fields["server"]
    if "vers=4" in storage.fields.get("options", ""):
        try:
            with socket.create_connection((server, NFS_PORT), timeout=CONNECT_S):
                return True
        except OSError:
            return False
    command = ["showmount", "--no-headers", "--exports", server]
    try:
        return subprocess.run(command, check=False, capture_output=True, timeout=SHOW_S).returncode == 0
    except subprocess.TimeoutExpired:
        return False
