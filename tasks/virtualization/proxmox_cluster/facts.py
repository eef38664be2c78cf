"""The facts of the Proxmox cluster: corosync's file and its running state, storages, and the keys of its nodes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from inventory.site import Site
from inventory.targets import PROXMOX
from tasks.core.model.fact import Fact, text
from tasks.platforms.proxmox.mounted import OF_A_NODE, file_of_node
from tasks.virtualization.proxmox_cluster.corosync_file import COROSYNC_CONF, parse
from tasks.virtualization.proxmox_cluster.storage_file import STORAGE_CFG, storages


@dataclass(frozen=True)
class Quorum:
    """corosync's quorum, its expected votes, and the ids of the nodes that it sees."""

    quorate: bool
    expected: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A running link of corosync: the node's own address, and the ids of the nodes that it reaches."""

    address: str
    connected: tuple[str, ...]


def _quorum(output: str) -> Quorum:
    fields = dict(re.findall(r"^([\w ]+): +(\S+)", output, re.MULTILINE))
    members = re.findall(r"^ +(\d+) +\d+ ", output.partition("Membership information")[2], re.MULTILINE)
    return Quorum(fields.get("Quorate") == "Yes", int(fields.get("Expected votes", 0)), tuple(members))


def _links(output: str) -> tuple[Link, ...]:
    """From `corosync-cfgtool -s`, in the order of the links."""
    found = []
    for block in output.split("LINK ID ")[1:]:
        address = re.search(r"addr\s*= *(\S+)", block)
        found.append(Link(address[1] if address else "", tuple(re.findall(r"nodeid: +(\d+):\s+connected", block))))
    return tuple(found)


def _status(output: str) -> Mapping[str, str]:
    """{storage: active, inactive or disabled}."""
    return {words[0]: words[2] for words in (line.split() for line in output.splitlines()[1:]) if len(words) > 2}


def _guests(output: str) -> tuple[str, ...]:
    """`VMID (NODE)` of each guest whose configuration exists, as Proxmox finds them (pve-cluster: memdb.c, path_is_vm_config)."""
    found = re.findall(r"^/etc/pve/nodes/([^/]+)/(?:qemu-server|lxc)/([1-9]\d{2,})\.conf$", output, re.MULTILINE)
    return tuple(f"{number} ({node})" for node, number in sorted(found))


def _path(output: str) -> str:
    """An absolute path. Raises ValueError without one."""
    if not output.startswith("/"):
        raise ValueError(f"wanted a path, found {output.strip() or 'nothing'}")
    return output.strip()


# Proxmox creates no cluster where the file exists, even an empty one.
READ_COROSYNC = f"""{file_of_node(COROSYNC_CONF)}
[ ! -e {COROSYNC_CONF} ] || [ -s {COROSYNC_CONF} ] || {{
  echo "{COROSYNC_CONF} is empty: restore its text (/etc/corosync/corosync.conf has it too), then run again" >&2; exit 1
}}"""
COROSYNC = Fact("corosync", READ_COROSYNC, parse)
GUESTS = Fact("guests", f"{OF_A_NODE}[ ! -d /etc/pve/nodes ] || find /etc/pve/nodes -name '*.conf'", _guests)
# What `pvecm` looks for before it changes the file (PVE::Cluster::Setup::setup_sshd_config).
ROOT_LOGIN = Fact(
    "root_login",
    "grep -Ec '^PermitRootLogin[[:space:]]+yes[[:space:]]*$' /etc/ssh/sshd_config || [ $? = 1 ]",
    lambda output: int(output) > 0,
)
QUORUM = Fact("corosync_quorum", "corosync-quorumtool -s 2>/dev/null || true", _quorum)
COROSYNC_LINKS = Fact("corosync_links", "corosync-cfgtool -s 2>/dev/null || true", _links)
STORAGES = Fact("storages", file_of_node(STORAGE_CFG), storages, answers=bool)
# It mounts storages that are not mounted yet, as Proxmox itself does every few seconds. It asks one server after the other, 2 to 12 s each.
STORAGE_STATUS = Fact("storage_status", f"{OF_A_NODE}pvesm status 2>/dev/null || true", _status, within_s=8)
ROOT_KEY = text("root_key", "/root/.ssh/id_rsa.pub")
HOST_KEY = text("host_key", "/etc/ssh/ssh_host_ed25519_key.pub")
AUTHORIZED_KEYS = text("authorized_keys", "/root/.ssh/authorized_keys")
# The real path: Proxmox links the file to the cluster's.
KEYS_PATH = Fact("authorized_keys_path", f"{OF_A_NODE}readlink -m /root/.ssh/authorized_keys", _path)
KNOWN_HOSTS = text("known_hosts", "/root/.ssh/known_hosts")


def members(site: Site) -> tuple[str, ...]:
    """The hosts of the Proxmox cluster. The first monitor is first, and creates the cluster."""
    return tuple(host for cluster in site.targets(PROXMOX) for host in site.endpoints(cluster))


def links(site: Site, host: str) -> tuple[str, ...]:
    """A node's addresses for corosync, by link: its management address, then its loopback."""
    row = site.hosts[host]
    return (str(row.address.ip), *([str(row.loopback.ip)] if row.loopback else []))
