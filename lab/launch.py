"""Starts the keeper in namespaces of its own, and ends it."""

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
# Whatever ends `unshare` ends the keeper, PID 1 inside, and with it every machine, mount and namespace of the lab.
UNSHARE = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
STOP_S = 10.0
CHECKOUT = Path(__file__).parent.parent


def start_keeper(folders: Folders, image: Path) -> None:
    """Start the keeper of the lab that is laid out in the run folder, and wait until it takes orders."""
    outer = os.open("/proc/self/ns/net", os.O_RDONLY)
    hear, ready = os.pipe()
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
    with os.fdopen(hear) as pipe:
        if pipe.readline() != "ready\n":  # unshare, the parent, keeps its end open: there is no end of file
            raise LabError(f"the keeper of the lab did not start; it said:\n{folders.keeper_log.read_text()}")


def stop_keeper(folders: Folders) -> None:
    """End the lab, whatever state it is in, and remove what it left."""
    # Where it is deaf it may still be there: it is found by its command line.
    with contextlib.suppress(control.NoLabError):
        control.ask(folders, "stop")
    handles = [os.pidfd_open(pid) for pid in keepers(folders)]
    for handle in handles:
        if not _gone(handle):
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            if not _gone(handle):
                raise LabError("the keeper of the lab does not end, even by force; see `ps` for a process that hangs in the kernel")
        os.close(handle)
    if folders.run.exists():
        shutil.rmtree(folders.run)


def _gone(handle: int) -> bool:
    return bool(select.select([handle], [], [], STOP_S)[0])


def keepers(folders: Folders) -> Iterator[int]:
    """The processes that keep this lab: `unshare` first, then the keeper itself."""
    for path in sorted(Path("/proc").glob("[0-9]*/cmdline"), key=lambda path: int(path.parent.name)):
        try:
            words = path.read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
        if KEEPER in words and str(folders.root) in words:
            yield int(path.parent.name)
