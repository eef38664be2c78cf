"""Starts the keeper in its own namespaces, and stops it."""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lab import control
from lab.errors import LabError
from lab.folders import Folders

KEEPER = "lab.keeper"
# When `unshare` ends, so does the keeper, which is PID 1 inside, and with it every machine, mount and namespace of the lab.
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
STOP_S = 10.0
CHECKOUT = Path(__file__).parent.parent


def start_keeper(folders: Folders, image: Path) -> None:
    """Start the keeper of the lab in the run folder, and wait until it answers requests."""
    outer = os.open("/proc/self/ns/net", os.O_RDONLY)
    receiver, ready = os.pipe()
    with folders.keeper_log.open("ab") as log:
        subprocess.Popen(
            [*UNSHARE, sys.executable, "-m", KEEPER, str(folders.root), str(image), str(outer), str(ready)],
            pass_fds=[outer, ready],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=CHECKOUT,
        )
    os.close(ready)
    os.close(outer)
    with os.fdopen(receiver) as pipe:
        if pipe.readline() != "ready\n":  # the parent, unshare, keeps its end open, so there is no end of file
            raise LabError(f"the keeper of the lab did not start; its log:\n{folders.keeper_log.read_text()}")


def stop_keeper(folders: Folders) -> None:
    """Stop the lab, whatever its state, and remove its run folder."""
    # A keeper that does not listen may still run: find it by its command line.
    with contextlib.suppress(control.NoLabError):
        control.ask(folders, "stop")
    handles = [os.pidfd_open(pid) for pid in keepers(folders)]
    for handle in handles:
        if not _ended(handle):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not _ended(handle):
                raise LabError("the keeper of the lab does not end after SIGKILL; find the process that hangs in the kernel with `ps`")
        os.close(handle)
    if folders.run.exists():
        shutil.rmtree(folders.run)


def _ended(handle: int) -> bool:
    return bool(select.select([handle], [], [], STOP_S)[0])


def keepers(folders: Folders) -> Iterator[int]:
    """The processes of this lab's keeper: `unshare` first, then the keeper itself."""
    for path in sorted(Path("/proc").glob("[0-9]*/cmdline"), key=lambda path: int(path.parent.name)):
        try:
            arguments = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if KEEPER in arguments and str(folders.root) in arguments:
            yield int(path.parent.name)
