"""/etc/pve as Proxmox's commands use it: atomic writes, locks across the cluster, and no writes without quorum."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .options import PveError

PVE = Path("/etc/pve")
PRIVATE = PVE / "priv"
LOCKS = PRIVATE / "lock"
COROSYNC = PVE / "corosync.conf"
LOCK_S = 10.0
# Proxmox's cluster file system releases a lock that was not renewed for this long.
STALE_S = 120.0
POLL_S = 0.1


def write(path: Path, text: str, *, private: bool = False) -> None:
    """Write a file of /etc/pve atomically. Only root can read it, and group www-data unless it is private."""
    new = path.with_name(f"{path.name}.tmp.{os.getpid()}")
    new.touch(mode=0o600)
    new.write_text(text)
    if not private:
        shutil.chown(new, "root", "www-data")
        new.chmod(0o640)
    new.replace(path)


def guests() -> list[str]:
    """The VMIDs of all guests whose configuration is in /etc/pve, of any node."""
    return sorted(path.stem for kind in ("qemu-server", "lxc") for path in PVE.glob(f"nodes/*/{kind}/[1-9]*.conf") if path.stem.isdigit())


def has_quorum() -> bool:
    """Whether the cluster has quorum. True on a node without a cluster."""
    if not COROSYNC.exists():
        return True
    output = subprocess.run(["corosync-quorumtool", "-s"], check=False, capture_output=True, text=True).stdout
    return any(line.split() == ["Quorate:", "Yes"] for line in output.splitlines())


def need_quorum() -> None:
    """Raise PveError if the cluster has no quorum."""
    if not has_quorum():
        raise PveError("cluster not ready - no quorum?")


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the cluster's lock of a file.

    Raises:
        PveError: Another process holds the lock for LOCK_S, or the cluster has no quorum.
    """
    lock, started = f"file-{name.replace('.', '_')}", time.monotonic()
    LOCKS.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not has_quorum():
        raise PveError(f"cfs-lock '{lock}' error: no quorum!")
    while not _taken(LOCKS / lock):
        if time.monotonic() - started > LOCK_S:
            raise PveError(f"cfs-lock '{lock}' error: got lock request timeout")
        print(f"trying to acquire cfs lock '{lock}' ...", file=sys.stderr)
        time.sleep(POLL_S)
    try:
        yield
    finally:
        (LOCKS / lock).rmdir()


def _taken(lock: Path) -> bool:
    try:
        lock.mkdir()
    except FileExistsError:
        pass
    else:
        return True
    try:
        if time.time() - lock.stat().st_mtime > STALE_S:
            lock.rmdir()
    except FileNotFoundError:
        pass  # its holder released it meanwhile
    return False
