"""Names of VLANs on Linux: `vmbr0.10` is VLAN 10 of vmbr0 (ifupdown2, addons/vlan.py)."""

VIDS = range(1, 4095)


def lower_of(name: str) -> str | None:
    """The interface below the VLAN, by the VLAN's name. None if the name is not a VLAN's."""
    lower, dot, vid = name.rpartition(".")
    return lower if dot and lower and vid.isascii() and vid.isdecimal() else None


def vlan_of(name: str) -> int | None:
    """The VLAN ID, by the VLAN's name. None if the name is not a VLAN's."""
    return int(name.rpartition(".")[2]) if lower_of(name) else None
