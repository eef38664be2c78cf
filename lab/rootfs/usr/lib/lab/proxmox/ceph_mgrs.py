"""`pveceph mgr create` and `mgr destroy`."""

import shutil
from pathlib import Path

from . import ceph_init, ceph_install
from .options import Option, PveError, Values
from .rados_link import LONG_S, Monitors
from .system import node, run

OPTIONS = (Option("id"),)
FOLDERS = Path("/var/lib/ceph/mgr")
CAPS = ("mon", "allow profile mgr", "osd", "allow *", "mds", "allow *")


def create(values: Values) -> None:
    """Create a manager on this node."""
    ceph_install.need("ceph-mgr")
    ceph_init.need_init()
    ceph_init.link()
    name = values.get("id", node())
    monitors = Monitors(LONG_S)
    folder = FOLDERS / f"ceph-{name}"
    if folder.exists():
        raise PveError(f"ceph manager directory '{folder}' already exists")
    print(f"creating manager directory '{folder}'")
    folder.mkdir()
    print(f"creating keys for 'mgr.{name}'")
    keyring = folder / "keyring"
    keyring.write_text(monitors.text("auth get-or-create", entity=f"mgr.{name}", caps=list(CAPS)))
    print("setting owner for directory")
    run("chown", "ceph:ceph", "-R", folder)
    print(f"enabling service 'ceph-mgr@{name}.service'", flush=True)
    run("systemctl", "enable", f"ceph-mgr@{name}")
    print(f"starting service 'ceph-mgr@{name}.service'", flush=True)
    run("systemctl", "start", f"ceph-mgr@{name}")


def destroy(values: Values) -> None:
    """Remove a manager of this node."""
    ceph_init.need_init()
    name = values["id"]
    folder = FOLDERS / f"ceph-{name}"
    if not folder.is_dir():
        raise PveError(f"ceph manager directory '{folder}' not found")
    print(f"disabling service 'ceph-mgr@{name}.service'", flush=True)
    run("systemctl", "disable", f"ceph-mgr@{name}")
    print(f"stopping service 'ceph-mgr@{name}.service'", flush=True)
    run("systemctl", "stop", f"ceph-mgr@{name}")
    print(f"removing manager directory '{folder}'")
    shutil.rmtree(folder)
    print(f"removing authkeys for mgr.{name}", flush=True)
    Monitors(LONG_S).text("auth del", entity=f"mgr.{name}")
