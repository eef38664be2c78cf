"""The single list of what a lab machine does not have, and of what replaces it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Absence:
    """Something that a real machine has and a lab machine does not have."""

    what: str
    instead: str


ABSENT: Final = (
    Absence(
        "PCI and the Thunderbolt driver (thunderbolt-net)",
        "a udev rule sets ID_PATH and ID_NET_DRIVER of Thunderbolt ports (veth, MTU 65520) for .link files; ethtool reports veth",
    ),
    Absence("the modules thunderbolt and thunderbolt_net", "the kernel lists them as built in, so loading them succeeds"),
    Absence("the real speed of a NIC", "every port reports 10 Gb/s full duplex, which LACP accepts"),
    Absence("ring sizes, pause frames, EEE and wake-on-LAN in ethtool", "nothing: setting them fails, as on a NIC without them"),
    Absence("ZFS, and arrays of many disks", "each array is one 1 GiB disk with ext4, mounted by /etc/fstab"),
    Absence("serial numbers of disks", "a udev rule names the inventory's disks (/dev/ubdb and later) under /dev/disk/by-id"),
    Absence("S.M.A.R.T. data of disks", "nothing: smartctl fails, smartd is off"),
    Absence("TrueNAS", "nothing: the tests use responses of its documented API"),
    Absence("more than one CPU in a machine", "each machine has one CPU, which this machine's scheduler runs"),
    Absence("the legacy iptables, and Proxmox VE's firewall", "nftables"),
    Absence(
        "Proxmox's cluster file system (pmxcfs)",
        "/etc/pve is a folder of this machine, one for each node without a cluster and for each cluster; it stays writable without quorum",
    ),
    Absence(
        "Proxmox's commands pvecm, pveceph and pvesm",
        "replacements that use the real corosync and Ceph, with the options that Burrow uses; pvecm add works only with --use_ssh",
    ),
    Absence("Proxmox's daemons (pveproxy, pvestatd, pvedaemon) and its API", "pvesm add and pvesm status mount an NFS storage"),
    Absence(
        "the SSH keys and known hosts that a Proxmox cluster shares",
        "each node has its own key (`id_rsa` of root), unknown to the other nodes; `authorized_keys` is not a link to /etc/pve",
    ),
    Absence("Ceph's tools for repairs by hand (ceph-objectstore-tool and others)", "nothing: the archive's packages are without them"),
    Absence("bcrypt in Ceph's manager", "a module whose functions fail, because Debian's does not load; the dashboard is not installed"),
    Absence(
        "Ceph 20.2 of Proxmox VE 9", "Debian 13's Ceph 18.2 from the image's archive, without the manager modules that are off by default"
    ),
    Absence("Proxmox VE's own packages and its patches of ifupdown2 and FRR", "Debian 13's ifupdown2 3.0 and FRR 10.3"),
    Absence("a package archive on the network", "the image's own `file:` archive, with the packages that nodes install"),
    Absence("name servers of the Internet", "the core switch resolves only the site's names"),
    Absence("its own clock", "a machine takes this machine's time at boot; the core switch serves it as local stratum 10"),
    Absence("a disk that survives `down`", "disks last until `down`; `kill` and `start` keep synced data"),
)
