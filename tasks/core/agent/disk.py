"""Files on a disk: each step is whole after a power cut, and leaves nothing behind where it fails."""

import contextlib
import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tasks.core.agent.refusal import Refused, refuse_newer
from tasks.core.agent.state import FORMAT, PATHS, Saved

# Whose a file is: without an owner it is this process's, without attributes it has those of its folder.
PRIVATE: Saved = {"mode": 0o600}


def make_folders(folder: Path) -> None:
    """A folder, and what is missing above it: 0700 where the state lies, else 0755, whatever the umask is."""
    for one in [one for one in (folder, *folder.parents) if not one.exists()][::-1]:
        mode = 0o700 if {PATHS.home, PATHS.runtime} & {one, *one.parents} else 0o755
        one.mkdir(mode)
        if one.stat().st_mode & 0o777 != mode:  # pmxcfs has modes of its own
            one.chmod(mode)
        sync_folder(one.parent)


def leftover(path: Path) -> Path:
    """Where a file is written before it is renamed; it stays there only when the writer is killed. No daemon reads such a name."""
    return path.with_name(f".{path.name}.burrow")


def sweep(path: Path) -> None:
    """What a killed writer of this path left is away."""
    if os.path.lexists(leftover(path)):
        leftover(path).unlink()


def attributes_of(path: Path) -> dict[str, str]:
    """The extended attributes of a file, ACLs among them, as {name: hex}; none where its file system has none."""
    try:
        names = [name for name in os.listxattr(path) if name not in ("security.ima", "security.evm")]  # these seal the content
        return {name: os.getxattr(path, name).hex() for name in names}
    except OSError as error:
        if error.errno in (errno.ENOTSUP, errno.ENOSYS, errno.EPERM):
            return {}
        raise


def create(path: Path, data: bytes, access: Saved = PRIVATE, length: int = 0) -> None:
    """A file of its own, whole and on disk, with the space for this length in bytes. Nothing is left of it where that fails."""
    if os.path.lexists(path):
        path.unlink()
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
    """A new file has these extended attributes, and no ACL that it got from its folder."""
    have = attributes_of(path)
    for name in have.keys() - attributes.keys():
        if name.startswith("system.posix_acl"):
            os.removexattr(path, name)
    for name, value in attributes.items():
        if have.get(name) != value:
            os.setxattr(path, name, bytes.fromhex(value))


def write(path: Path, data: bytes, access: Saved = PRIVATE, last_look: Callable[[], None] | None = None) -> None:
    """Replace a file as one step that a power cut cannot halve; `last_look` may refuse right before that step."""
    make_folders(path.parent)
    create(leftover(path), data, access)
    try:
        if last_look:
            last_look()
        rename(leftover(path), path)
    except BaseException:
        sweep(path)
        raise


def rename(path: Path, target: Path) -> None:
    """A rename that is on disk."""
    path.replace(target)
    sync_folder(target.parent)


def sync_folder(path: Path) -> None:
    """What was renamed, made or taken away in the folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def content(path: Path) -> bytes | None:
    """The bytes of a file, None where there is none."""
    return path.read_bytes() if path.exists() else None


def load(path: Path) -> Any:
    """A JSON file, None where there is none. Raises Refused where it cannot be read as JSON, or is of a newer format."""
    try:
        value = json.loads(path.read_text()) if path.exists() else None
    except ValueError as error:
        raise Refused(f"{path} cannot be read ({error}): nothing was changed; look at it, move it away, and run again") from error
    refuse_newer(path, value)
    return value


def lenient(path: Path, *keys: str) -> Any:
    """A JSON file that may be lost without harm: None where it does not hold these keys."""
    try:
        value = json.loads(path.read_text()) if path.exists() else None
    except ValueError:
        return None
    refuse_newer(path, value)
    return value if isinstance(value, dict) and value.keys() >= {*keys} else None


def encoded(value: Any) -> bytes:
    """A JSON file of the state, or a line of it."""
    return json.dumps({**value, "format": FORMAT}).encode()


def save(path: Path, value: Any) -> None:
    """Write a JSON file of the state."""
    write(path, encoded(value))


@contextlib.contextmanager
def locked(what: str = "lock") -> Iterator[None]:
    """One process at a time decides what becomes of the pending transaction; or, by a lock of its own, of deferred undo."""
    make_folders(PATHS.home)
    handle = os.open(PATHS.home / what, os.O_RDONLY | os.O_CREAT, 0o600)  # a lock needs no writing: its file may be on a read-only disk
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
