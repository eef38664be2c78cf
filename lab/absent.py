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
    Absence("disk serials and /dev/disk/by-id", "the disk is /dev/ubda"),
    Absence("ZFS, and arrays of many disks", "each array is one disk of 1 GiB with ext4, mounted by /etc/fstab"),
    Absence("TrueNAS", "nothing: its link is tested against answers of its documented API"),
    Absence("more than one CPU in a machine", "one CPU each, scheduled by this machine"),
    Absence("the legacy iptables, and Proxmox VE's firewall", "nftables"),
    Absence("Proxmox VE's own packages and its patches of ifupdown2 and FRR", "Debian 13's ifupdown2 3.0 and FRR 10.3"),
    Absence("a package archive on the network", "the image's own file: archive, with what a node is to install"),
    Absence("name servers of the Internet", "the core switch answers for the site's names alone"),
    Absence("a clock of its own", "a machine takes this machine's time at boot; the core switch is a local stratum 10"),
    Absence("a disk that survives `down`", "disks live as long as the lab; `kill` and `start` keep what was synced"),
)
