"""Files on a disk. A power cut leaves no step half done, and a step that fails leaves no file behind."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasks.core.agent.refusal import Refused, refuse_newer
from tasks.core.agent.state import FORMAT, PATHS, Access

# The access to a new file. Without `owner`, the file belongs to this process; without `attributes`, it gets those of its folder.
PRIVATE: Access = {"mode": 0o600}


def make_folders(folder: Path) -> None:
    """Create a folder and its missing parents: with mode 0700 in the agent's state, else 0755, whatever the umask is."""
    for one in [one for one in (folder, *folder.parents) if not one.exists()][::-1]:
        mode = 0o700 if {PATHS.home, PATHS.runtime} & {one, *one.parents} else 0o755
        one.mkdir(mode)
        if one.stat().st_mode & 0o777 != mode:  # pmxcfs sets its own modes
            one.chmod(mode)
        sync_folder(one.parent)


def temporary(path: Path) -> Path:
    """Where a file is written before it is renamed. It stays only if the writer is killed. No daemon reads such a name."""
    return path.with_name(f".{path.name}.burrow")


def delete(path: Path) -> None:
    """Delete a file or link if there is one. On a read-only file system, to unlink a missing file would fail."""
    if os.path.lexists(path):
        path.unlink()


def attributes_of(path: Path) -> dict[str, str]:
    """The extended attributes of a file, including ACLs, as {name: hex}; empty if its file system has none."""
    try:
        names = [name for name in os.listxattr(path) if name not in ("security.ima", "security.evm")]  # these seal the content
        return {name: os.getxattr(path, name).hex() for name in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS, errno.EPERM):
            return {}
        raise


def create(path: Path, data: bytes, access: Access = PRIVATE, length: int = 0) -> None:
    """Create a new file, whole and synced, with space reserved for `length` bytes. If that fails, no file is left."""
    delete(path)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if length:
                os.posix_fallocate(handle, 0, length)
            if access.get("owner") and access["owner"] != [os.fstat(handle).st_uid, os.fstat(handle).st_gid]:
                os.fchown(handle, *access["owner"])
            if access["mode"] is not None and os.fstat(handle).st_mode & 0o7777 != access["mode"]:
                os.fchmod(handle, access["mode"])
            if "attributes" in access:
                set_attributes(path, access["attributes"])
            os.fsync(handle)
    except BaseException as error:
        path.unlink()
        if isinstance(error, OSError) and error.filename is None:
            error.filename = str(path)
        raise


def set_attributes(path: Path, attributes: dict[str, str]) -> None:
    """Set these extended attributes on a new file, and remove an ACL that it inherited from its folder."""
    present = attributes_of(path)
    for name in present.keys() - attributes.keys():
        if name.startswith("system.posix_acl"):
            os.removexattr(path, name)
    for name, value in attributes.items():
        if present.get(name) != value:
            os.setxattr(path, name, bytes.fromhex(value))


def write(path: Path, data: bytes, access: Access = PRIVATE, final_check: Callable[[], None] | None = None) -> None:
    """Replace a file in one step, which a power cut cannot halve. `final_check` may refuse right before that step."""
    make_folders(path.parent)
    create(temporary(path), data, access)
    try:
        if final_check:
            final_check()
        rename(temporary(path), path)
    except BaseException:
        delete(temporary(path))
        raise


def rename(path: Path, target: Path) -> None:
    """Rename a file and sync the folder."""
    path.replace(target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """Sync a folder, so that what was renamed, created or deleted in it is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def content(path: Path) -> bytes | None:
    """The bytes of a file; None if there is none."""
    return path.read_bytes() if path.exists() else None


def load(path: Path, *keys: str, lossy: bool = False) -> Any:
    """The value of a JSON file; None if there is none. Raises Refused if it is not JSON or its format is newer.

    If `lossy`, the file may be lost without harm: a file that is not JSON, or lacks one of the keys, is None.
    """
    try:
        value = json.loads(path.read_text()) if path.exists() else None
    except ValueError as error:
        if lossy:
            return None
        raise Refused(f"{path} cannot be read ({error}): nothing was changed; inspect it, move it away, and run again") from error
    refuse_newer(path, value)
    return value if not lossy or (isinstance(value, dict) and value.keys() >= {*keys}) else None


def encoded(value: Any) -> bytes:
    """The content of a JSON file of the state, or a line of the record."""
    return json.dumps({**value, "format": FORMAT}).encode()


def save(path: Path, value: Any) -> None:
    """Write a JSON file of the state."""
    write(path, encoded(value))


@contextlib.contextmanager
def locked(name: str = "lock") -> Iterator[None]:
    """Hold a lock: only one process at a time works on the pending transaction or, with the lock `owed.lock`, on deferred undo."""
    make_folders(PATHS.home)
    handle = os.open(PATHS.home / name, os.O_RDONLY | os.O_CREAT, 0o600)  # read-only, because the disk may be
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
