"""`pveceph init`: ceph.conf, the administrator's keyring, and every node's link to ceph.conf."""

import shutil
import subprocess
import uuid
from pathlib import Path

from . import ceph_conf, cluster_fs
from .options import Option, PveError, Values
from .system import run

FOLDER = cluster_fs.PVE / "ceph"
OPTIONS = (
    Option("network"),
    Option("cluster-network"),
    Option("size", "integer", 1, 7),
    Option("min_size", "integer", 1, 7),
    Option("disable_cephx", "boolean"),
)


def init(values: Values) -> None:
    """Write ceph.conf. Existing settings stay, except for the networks."""
    if "cluster-network" in values and "network" not in values:
        raise PveError("400 Parameter verification failed.\ncluster-network: missing property - 'network' required by this property")
    FOLDER.mkdir(exist_ok=True)
    cephx = values.get("disable_cephx", "0") == "0"
    with cluster_fs.locked("ceph.conf"):
        sections = ceph_conf.read()
        if "global" not in sections:
            sections["global"] = _global(values, "cephx" if cephx else "none")
        if cephx:
            sections.setdefault("client", {})["keyring"] = "/etc/pve/priv/$cluster.$name.keyring"
        if network := values.get("network"):
            sections["global"] |= {"public_network": network, "cluster_network": values.get("cluster-network", network)}
        ceph_conf.write(sections)
        if cephx:
            ensure_admin_keyring()
        link()


def _global(values: Values, auth: str) -> dict[str, str]:
    return {
        "fsid": str(uuid.uuid4()),
        **{f"auth_{who}_required": auth for who in ("cluster", "service", "client")},
        "osd_pool_default_size": values.get("size", "3"),
        "osd_pool_default_min_size": values.get("min_size", "2"),
        "mon_allow_pool_delete": "true",
    }


def link() -> None:
    """Make /etc/ceph/ceph.conf a link to the cluster's ceph.conf.

    Raises:
        PveError: A regular file is there.
    """
    if ceph_conf.LINK.exists() and not ceph_conf.LINK.is_symlink():
        raise PveError(f"file '{ceph_conf.LINK}' already exists and is not a symlink to {ceph_conf.PATH}")
    if not ceph_conf.LINK.is_symlink():
        ceph_conf.LINK.symlink_to(ceph_conf.PATH)
    shutil.chown(ceph_conf.LINK.parent, "ceph", "ceph")


def ensure_admin_keyring() -> None:
    """Create the cluster's administrator keyring if it does not exist, with a copy in /etc/ceph of this node."""
    path = ceph_conf.ADMIN_KEYRING
    if path.exists():
        return
    caps = [word for daemon in ("mon", "osd", "mds", "mgr") for word in ("--cap", daemon, "allow *")]
    run("ceph-authtool", "--create-keyring", path, "--gen-key", "-n", "client.admin", *caps)
    path.chmod(0o600)
    copy = Path("/etc/ceph/ceph.client.admin.keyring")
    if not copy.exists():
        shutil.copy(path, copy)
        copy.chmod(0o600)
        shutil.chown(copy, "ceph", "ceph")


def need_init() -> None:
    """Raise PveError if `pveceph init` was not run."""
    wrong = [f"missing '{path}'" for path in (ceph_conf.PATH, FOLDER) if not path.exists()]
    if wrong:
        raise PveError(f"pveceph configuration not initialized - {', '.join(wrong)}")


def status(_: Values) -> int:
    """Run `ceph -s`, with a timeout of 15 seconds."""
    need_init()
    try:
        return subprocess.run(["ceph", "-s"], check=False, timeout=15).returncode
    except subprocess.TimeoutExpired:
        raise PveError("command 'ceph -s' failed: got timeout") from None
