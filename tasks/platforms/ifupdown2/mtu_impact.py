"""What another MTU does to traffic: the ports that get it too, and whose packets are lost.

The kernel gives a bond's members the bond's MTU, ifupdown2 a VLAN that of the port below (adjust_logical_dev_mtu). Of the drivers of common
NICs igb, igc, e1000e and ixgbe start the port anew for it (*_change_mtu), so its link is down until it has negotiated again. A bridge drops
what is larger than the port that it goes out by (is_skb_forwardable) and tells nobody: there is no router to say that it is too large.
"""

from collections.abc import Iterator

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

# What ifupdown2 sets where nothing is said (addons/address.py).
DEFAULT = "1500"


def mtu_of(file: InterfacesFile, iface: str) -> str:
    """The MTU that the file gives to an interface; of stanzas that differ each is named."""
    return " ".join(dict.fromkeys(file.get(iface, "mtu"))) or DEFAULT


def mtu_impact(iface: str, old: InterfacesFile, new: InterfacesFile) -> Iterator[str]:
    """What it does that an interface of both files has another MTU in the new one; nothing where it has not."""
    have, want = mtu_of(old, iface), mtu_of(new, iface)
    if have == want or _follows_its_bond(iface, old, new):
        return
    yield f"{iface} changes its MTU while it stays up"
    members, bridged = (" ".join(new.get(iface, attribute)).split() for attribute in ("bond-slaves", "bridge-ports"))
    if members:
        yield f"{' and '.join(members)} take it from {iface}: many NICs lose their link for some seconds when their MTU changes"
    for vlan in new.ifaces():
        if (vlan.startswith(f"{iface}.") or iface in new.get(vlan, "vlan-raw-device")) and not new.get(vlan, "mtu"):
            yield f"{vlan} takes it from {iface} too"
    if not (members or bridged) or not (have.isdecimal() and want.isdecimal()):
        return
    if int(want) < int(have):
        yield f"packets of more than {want} bytes to {iface} are lost until who sends them has the smaller MTU too"
    elif bridged:
        yield f"{iface} sends packets of up to {want} bytes: what is no TCP is lost on its way to who takes less"


def _follows_its_bond(iface: str, old: InterfacesFile, new: InterfacesFile) -> bool:
    """Whether it is a member of a bond of which the same is said, or that it only joins now."""
    for bond in new.ifaces():
        if iface in " ".join(new.get(bond, "bond-slaves")).split():
            return mtu_of(new, bond) != mtu_of(old, bond) or iface not in " ".join(old.get(bond, "bond-slaves")).split()
    return False
