"""Facts of Ceph from the node itself: the peers of its OSDs, the units that start at boot, the owners and modes of its keys."""

from dataclasses import dataclass

from inventory.site import Site
from tasks.core.model.fact import Fact
from tasks.platforms.proxmox.mounted import OF_A_NODE
from tasks.virtualization.proxmox_cluster.facts import members


@dataclass(frozen=True)
class Connection:
    """A TCP connection of an OSD: its own address and its peer's."""

    local: str
    peer: str


@dataclass(frozen=True)
class KeyFile:
    """A key file: its owner, its group, and its mode as a number, without the rights of others where a folder keeps them out."""

    path: str
    owner: str
    group: str
    mode: int


def _connections(output: str) -> tuple[Connection, ...]:
    pairs = [[word.rpartition(":")[0].strip("[]") for word in line.split()] for line in output.splitlines() if line.strip()]
    return tuple(dict.fromkeys(Connection(*pair) for pair in pairs))


def _keys(output: str) -> tuple[KeyFile, ...]:
    rows = sorted(line.split("\t") for line in output.splitlines() if line.strip())
    closed = [f"{path}/" for kind, path, _, _, mode in rows if kind == "d" and not int(mode, 8) & 0o001]
    return tuple(
        KeyFile(path, owner, group, int(mode, 8) & ~(0o007 if path.startswith(tuple(closed)) else 0))
        for kind, path, owner, group, mode in rows
        if kind == "f"
    )


OSD_TRAFFIC = Fact("osd_traffic", "ss -Htnp 2>/dev/null | awk '/\"ceph-osd\"/ {print $4, $5}' || true", _connections)
# A unit that a target wants starts with it. A unit of ceph-volume starts each OSD, and its name has the OSD's number (ceph-volume(8)).
AT_BOOT = Fact(
    "cluster_at_boot",
    "find /etc/systemd/system -path '*.wants/*' \\( -name 'ceph*' -o -name corosync.service -o -name pve-cluster.service \\)"
    " -printf '%f\\n' | sort -u",
    lambda output: tuple(output.split()),
)
CEPH_KEYS = Fact(
    "ceph_keys",
    f"{OF_A_NODE}for folder in /etc/ceph /etc/pve/ceph /etc/pve/priv /var/lib/ceph; do [ ! -d $folder ] ||"
    " find $folder -maxdepth 3 \\( -type d -o -type f -name '*keyring*' \\) -printf '%y\\t%p\\t%u\\t%g\\t%m\\n'; done",
    _keys,
)
PROGRAMS = ("/usr/bin/ceph-mon", "/usr/bin/ceph-mgr", "/usr/bin/ceph-osd", "/usr/sbin/ceph-volume")
# There from the beginning of an installation until its end (PVE::Ceph::Tools, ceph_install_flag_file).
UNFINISHED = "/run/pve-ceph-install-flag"
CEPH_PROGRAMS = Fact(
    "ceph_programs",
    f"[ -e {UNFINISHED} ] || for program in {' '.join(PROGRAMS)}; do [ ! -x $program ] || echo $program; done; [ -d /usr/bin ]",
    lambda output: frozenset(output.split()),
)


def nodes_with_daemons(site: Site) -> tuple[str, ...]:
    """The nodes with a monitor, a manager or an OSD."""
    return tuple(name for name in members(site) if site.ceph and (name in site.ceph.monitors or site.osds(name)))
