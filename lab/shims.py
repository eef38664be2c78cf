"""Shims: facts that a lab machine's kernel cannot report, set by udev rules. The rules' files say that they are shims."""

import string
from collections.abc import Iterator

from inventory.site import Host
from lab.wiring import mac_of

# Before 80-net-setup-link.rules, which looks up the matching .link file.
RULES = "usr/lib/udev/rules.d/79-lab-thunderbolt.rules"
HEADER = """\
# A shim of the rehearsal lab, whose kernel has neither PCI nor the Thunderbolt driver. It sets what the builtins path_id and net_driver
# would report for a machine's Thunderbolt ports. A .link file matches these properties by Path= and Driver=.
"""

# After 60-persistent-storage.rules, which runs blkid on a disk.
DISK_RULES = "usr/lib/udev/rules.d/61-lab-disks.rules"
DISK_HEADER = """\
# A shim of the rehearsal lab, whose kernel gives its disks no serial number. It creates udev's names of them under /dev/disk/by-id.
# udev watches these disks, as it does others, and so notices a change of their content.
"""


def files(host: Host) -> dict[str, str]:
    """{path: text} of the host's shims. Empty if the host has neither a Thunderbolt port nor an extra disk."""
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
            # A bridge, bond or VLAN can have the MAC address of its port. It has a DEVTYPE, which a port does not.
            which = f'ACTION!="remove", SUBSYSTEM=="net", ENV{{DEVTYPE}}!="?*", ATTR{{address}}=="{mac_of(host.name, name)}"'
            yield f'{which}, ENV{{ID_PATH}}="{port.pci_path}", ENV{{ID_NET_DRIVER}}="thunderbolt-net"\n'
