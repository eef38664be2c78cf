"""What a machine of the lab has not, and what stands in for it: the one place that says so."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Absence:
    """Something that a real machine has and one of the lab has not."""

    what: str
    instead: str


ABSENT: Final = (
    Absence(
        "PCI and the Thunderbolt driver (thunderbolt-net)",
        "a udev rule gives Thunderbolt ports (veth, MTU 65520) the ID_PATH and ID_NET_DRIVER that .link files match; ethtool says veth",
    ),
    Absence("the modules thunderbolt and thunderbolt_net", "the kernel says that they are built in, so loading them works"),
    Absence("the real speed of a NIC", "every port says 10 Gb/s full duplex, which LACP is content with"),
    Absence("ring sizes, pause frames, EEE and wake-on-LAN in ethtool", "nothing: setting them fails as on a NIC that has none"),
    Absence("ZFS, and arrays of many disks", "each array is one disk of 1 GiB with ext4, mounted by /etc/fstab"),
    Absence("serial numbers of disks", "a udev rule gives the inventory's disks (/dev/ubdb and on) their names under /dev/disk/by-id"),
    Absence("S.M.A.R.T. of disks", "nothing: smartctl fails, smartd is off"),
    Absence("TrueNAS", "nothing: its link is tested against answers of its documented API"),
    Absence("more than one CPU in a machine", "one CPU each, scheduled by this machine"),
    Absence("the legacy iptables, and Proxmox VE's firewall", "nftables"),
    Absence(
        "Proxmox's cluster file system (pmxcfs)",
        "/etc/pve is a folder of this machine: each node's own, from pvecm on the cluster's; it stays writable without quorum",
    ),
    Absence(
        "Proxmox's commands pvecm, pveceph and pvesm",
        "stand-ins over the real corosync and Ceph, with what a suite uses of them; pvecm add goes by --use_ssh alone",
    ),
    Absence("Proxmox's daemons (pveproxy, pvestatd, pvedaemon) and its API", "an NFS storage is mounted by pvesm add and pvesm status"),
    Absence(
        "keys and known hosts that a Proxmox cluster shares",
        "each node has a key of its own (`id_rsa` of root), which no other knows; `authorized_keys` is no link to /etc/pve",
    ),
    Absence("bcrypt in Ceph's manager", "a module that refuses, because Debian's cannot be loaded there; the dashboard is not installed"),
    Absence("Ceph 19.2, which Proxmox VE 9 has", "Debian 13's Ceph 18.2, without the manager's modules that are off by default"),
    Absence("Proxmox VE's own packages and its patches of ifupdown2 and FRR", "Debian 13's ifupdown2 3.0 and FRR 10.3"),
    Absence("a package archive on the network", "the image's own file: archive, with what a node is to install"),
    Absence("name servers of the Internet", "the core switch answers for the site's names alone"),
    Absence("a clock of its own", "a machine takes this machine's time at boot; the core switch is a local stratum 10"),
    Absence("a disk that survives `down`", "disks live as long as the lab; `kill` and `start` keep what was synced"),
)
