"""The replacement for pveceph(1)."""

from . import ceph_init, ceph_install, ceph_mgrs, ceph_mons, ceph_osds, ceph_pools, options
from .options import Command

COMMANDS = {
    "install": Command(ceph_install.install, options=ceph_install.OPTIONS),
    "init": Command(ceph_init.init, options=ceph_init.OPTIONS),
    "status": Command(ceph_init.status),
    "mon create": Command(ceph_mons.create, options=ceph_mons.OPTIONS),
    "mon destroy": Command(ceph_mons.destroy, ("monid",)),
    "mgr create": Command(ceph_mgrs.create, options=ceph_mgrs.OPTIONS),
    "mgr destroy": Command(ceph_mgrs.destroy, ("id",)),
    "osd create": Command(ceph_osds.create, ("dev",), ceph_osds.CREATE),
    "osd destroy": Command(ceph_osds.destroy, ("osdid",), ceph_osds.DESTROY),
    "pool create": Command(ceph_pools.create, ("name",), ceph_pools.CREATE),
    "pool set": Command(ceph_pools.change, ("name",), ceph_pools.SHARED),
    "pool ls": Command(ceph_pools.show, options=ceph_pools.LIST),
}
SHORT = {
    f"{verb}{kind}": f"{kind} {verb}"
    for kind in ("mon", "mgr", "osd", "pool")
    for verb in ("create", "destroy")
    if f"{kind} {verb}" in COMMANDS
}


def main(argv: list[str]) -> int:
    """Run the command, and return its exit code."""
    shorts = {short: COMMANDS[name] for short, name in {**SHORT, "lspools": "pool ls"}.items()}
    return options.main("pveceph", {**COMMANDS, **shorts}, argv)
