"""Shims: what a machine of the lab is told because its kernel cannot know it. They say so in the files that they put there."""

import string
from collections.abc import Iterator

from inventory.site import Host
from lab.wiring import mac_of

# Before 80-net-setup-link.rules, which looks for the .link file that matches.
RULES = "usr/lib/udev/rules.d/79-lab-thunderbolt.rules"
HEADER = """\
# A shim of the rehearsal lab, whose kernel has neither PCI nor the Thunderbolt driver: what the builtins path_id and net_driver
# would say of a machine's Thunderbolt ports. A .link file matches these properties by Path= and Driver=.
"""

# After 60-persistent-storage.rules, which asks blkid what is on a disk.
DISK_RULES = "usr/lib/udev/rules.d/61-lab-disks.rules"
DISK_HEADER = """\
# A shim of the rehearsal lab, whose kernel gives its disks no serial number: the names under /dev/disk/by-id that udev would make of it.
# They are watched, as disks are, so that a change of what is on them is seen.
"""


def files(host: Host) -> dict[str, str]:
    """Path -> text of the shims that a host needs; empty for what has neither a Thunderbolt port nor an extra disk."""
    texts = {RULES: (HEADER, "".join(_rules(host))), DISK_RULES: (DISK_HEADER, "".join(_disk_rules(host)))}
    return {path: header + rules for path, (header, rules) in texts.items() if rules}


def _disk_rules(host: Host) -> Iterator[str]:
    for name, letter in zip(host.disks, string.ascii_lowercase[1:], strict=False):
        which = f'ACTION!="remove", SUBSYSTEM=="block", KERNEL=="ubd{letter}'
        yield f'{which}", ENV{{ID_SERIAL}}="{name.partition("-")[2]}", SYMLINK+="disk/by-id/{name}", OPTIONS+="watch"\n'
        yield f'{which}[0-9]*", SYMLINK+="disk/by-id/{name}-part%n"\n'


def _rules(host: Host) -> Iterator[str]:
    for name, port in host.ports.items():
        if port.pci_path:
            # A bridge, bond or VLAN (which says its DEVTYPE) may have the MAC of its port.
            which = f'ACTION!="remove", SUBSYSTEM=="net", ENV{{DEVTYPE}}!="?*", ATTR{{address}}=="{mac_of(host.name, name)}"'
            yield f'{which}, ENV{{ID_PATH}}="{port.pci_path}", ENV{{ID_NET_DRIVER}}="thunderbolt-net"\n'
