"""`pveceph install`: the packages of Ceph's daemons, from the image's own archive."""

import os
from pathlib import Path

from .options import Option, PveError, Values
from .system import run

# Debian 13's Ceph.
RELEASE = "reef"
OPTIONS = (
    Option("version", choices=(RELEASE, "squid", "tentacle")),
    Option("repository", choices=("enterprise", "no-subscription", "test", "manual")),
    Option("allow-experimental", "boolean"),
)
UNFINISHED = Path("/run/pve-ceph-install-flag")
PACKAGES = ("ceph-mon", "ceph-mgr", "ceph-osd", "ceph-volume")


def install(values: Values) -> None:
    """Install the packages. As with Proxmox, apt asks whether to go on, on standard input."""
    if values.get("version", RELEASE) != RELEASE:
        raise PveError(f"the rehearsal lab has only Ceph {RELEASE}")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    print("update available package list", flush=True)
    run("apt-get", "-q", "update")
    print("start installation", flush=True)
    UNFINISHED.touch()
    run("apt-get", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confnew", "install", "--", *PACKAGES)
    UNFINISHED.unlink()
    print(f"\ninstalled Ceph {RELEASE} successfully!", flush=True)


def need(program: str) -> None:
    """Raise PveError if a program of Ceph is not installed, or not completely."""
    path = Path("/usr/bin", program)
    if UNFINISHED.exists() or not os.access(path, os.X_OK):
        raise PveError(f"binary not installed: {path}")
