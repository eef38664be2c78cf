"""Shims: what a machine of the lab is told because its kernel cannot know it. They say so in the files that they put there."""

from collections.abc import Iterator

from inventory.schema import Host
from lab.wiring import mac_of

# Before 80-net-setup-link.rules, which looks for the .link file that matches.
RULES = "usr/lib/udev/rules.d/79-lab-thunderbolt.rules"
HEADER = """\
# A shim of the rehearsal lab, whose kernel has neither PCI nor the Thunderbolt driver: what the builtins path_id and net_driver
# would say of a machine's Thunderbolt ports. A .link file matches these properties by Path= and Driver=.
"""


def files(host: Host) -> dict[str, str]:
    """Path -> text of the shims that a host needs; empty for what has no Thunderbolt port."""
    rules = "".join(_rules(host))
    return {RULES: HEADER + rules} if rules else {}


def _rules(host: Host) -> Iterator[str]:
    for name, port in host.ports.items():
        if port.pci_path:
            # A bridge, bond or VLAN (which says its DEVTYPE) may have the MAC of its port.
            which = f'ACTION!="remove", SUBSYSTEM=="net", ENV{{DEVTYPE}}!="?*", ATTR{{address}}=="{mac_of(host.name, name)}"'
            yield f'{which}, ENV{{ID_PATH}}="{port.pci_path}", ENV{{ID_NET_DRIVER}}="thunderbolt-net"\n'
