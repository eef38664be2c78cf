"""The lab's requirements on this machine, and how to meet those that are missing."""

import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.archive import KEYRING, Mirror
from lab.errors import LabError
from lab.folders import Folders
from lab.image import Image, key_of
from lab.kernel import cached
from lab.launch import UNSHARE
from lab.settings import DISK_BYTES, MEMORY_BYTES, TOOLS
from lab.tools import run

# Wait this long for another apt on this machine.
LOCK_S = 120
Report = Callable[[str], None]


@dataclass(frozen=True)
class Need:
    """One requirement of the lab: what was found, and how to meet the requirement if it is not met."""

    name: str
    found: str
    good: bool
    remedy: str = ""


def install_missing(report: Report) -> None:
    """Install the packages of missing tools."""
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    missing += [] if KEYRING.exists() else ["debian-archive-keyring"]
    if not missing:
        return
    report(f"installing {', '.join(missing)} on this machine")
    install = ("apt-get", "install", "-y", "-qq", "-o", f"DPkg::Lock::Timeout={LOCK_S}", "--no-install-recommends", *missing)
    try:
        run(*install)
    except LabError:
        report("updating apt's package lists")
        run("apt-get", "update", "-qq")
        run(*install)


def examine(folders: Folders) -> Iterator[Need]:
    """Check every requirement of the lab."""
    machine = f"{platform.system()} {platform.machine()}"
    yield Need("an x86-64 Linux", machine, machine == "Linux x86_64", "run the lab on another machine: the kernel is built only for x86-64")
    yield _root()
    yield from _tools()
    yield _mirror()
    yield Need("Debian's archive keys", str(KEYRING), KEYRING.exists(), "apt-get install debian-archive-keyring")
    tun = Path("/dev/net/tun")
    yield Need("a tap for the operator's port", str(tun), tun.is_char_device(), "modprobe tun")
    yield _namespaces()
    yield _memory()
    yield _disk(folders.root)
    yield _kernel(folders)
    yield _image(folders)


def _root() -> Need:
    root = os.geteuid() == 0
    return Need(
        "root",
        "root" if root else "a user with sudo" if shutil.which("sudo") else "a user",
        root or bool(shutil.which("sudo")),
        "install sudo, or run as root",
    )


def _tools() -> Iterator[Need]:
    for tool, package in TOOLS.items():
        path = shutil.which(tool) or shutil.which(tool, path="/usr/sbin:/sbin")
        # A missing tool is no failure: `up` installs it.
        yield Need(
            f"{tool} ({package})",
            path or f"missing; `up` installs it: apt-get install {package}",
            path is not None or tool != "apt-get",
            "run the lab on Debian",
        )


def _mirror() -> Need:
    try:
        return Need("a mirror of Debian's archive", Mirror.of_machine().url, good=True)
    except LabError as problem:
        return Need("a mirror of Debian's archive", "none", good=False, remedy=str(problem))


def _namespaces() -> Need:
    if os.geteuid() != 0:
        return Need("namespaces", "not checked: this needs root", good=True)
    done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True, check=False)
    return Need(
        "namespaces",
        done.stderr.strip() or "mount, network and process",
        done.returncode == 0,
        "allow them: in a container, give it CAP_SYS_ADMIN",
    )


def _memory() -> Need:
    words = Path("/proc/meminfo").read_text().split()
    available = int(words[words.index("MemAvailable:") + 1]) * 1024
    return Need("memory", f"{available / 2**30:.1f} GiB available", available >= MEMORY_BYTES, f"free {MEMORY_BYTES / 2**30:.1f} GiB")


def _disk(folder: Path) -> Need:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    return Need(
        "disk",
        f"{free / 2**30:.1f} GiB free at {there}",
        free >= DISK_BYTES,
        f"free {DISK_BYTES / 2**30:.1f} GiB, or set BURROW_LAB to another folder",
    )


def _kernel(folders: Folders) -> Need:
    kernel = next((kernel for kernel in cached(folders) if not kernel.refusal.exists()), None)
    return Need("a kernel", f"{kernel.release} of {kernel.suite}" if kernel else "none yet; `up` downloads it", good=True)


def _image(folders: Folders) -> Need:
    built = any(Image(folders.images / key_of(kernel)).disk.exists() for kernel in cached(folders))
    return Need("a base image", "in the cache" if built else "none yet; `up` builds it in about a minute", good=True)
