"""MTUs of ports, bonds and bridges: those in the interfaces file, and those that it should have.

The kernel gives a bond's members the bond's MTU when they join, and whenever the bond's own changes (bond_change_mtu). ifupdown2 sets a
member's MTU to the `mtu` line in the member's own stanza at every reload, and does not correct a member without one (addons/address.py).
So the stanzas of the bond and its members set the same MTU. A bridge without an `mtu` line goes back to 1500, whatever its ports have. A
bridge drops packets that are larger than the MTU of the outgoing port.
"""

from collections.abc import Mapping

from inventory.site import Bond, Site
from tasks.core.model.errors import Refused
from tasks.platforms.ifupdown2.files import INTERFACES as INTERFACES_PATH
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.ifupdown2.mtu_impact import DEFAULT

Mtus = tuple[tuple[str, str], ...]


def mtu_in_file(file: InterfacesFile, iface: str) -> str:
    """The MTU in the interface's stanzas, empty if none sets it. If stanzas differ, all their values, joined by `and`."""
    return " and ".join(dict.fromkeys(file.get(iface, "mtu")))


def as_written(file: InterfacesFile, mtus: Mapping[str, str]) -> Mtus:
    """(interface, MTU in the file) of each interface in `mtus`."""
    return tuple((iface, mtu_in_file(file, iface) or DEFAULT) for iface in mtus)


def bond_mtus(site: Site, bond: Bond, bridge: str, file: InterfacesFile, live: Mapping[str, int]) -> dict[str, str]:
    """{interface: MTU} of a bond, its members and the bridge above, for those that the inventory, the file or a live port sets.

    The inventory's value comes first. Without one, the bond takes over its ports' MTU. Raises Refused if the ports differ.
    """
    if bond.mtu_bytes is not None:
        wanted = dict.fromkeys((bond.name, *bond.members), str(bond.mtu_bytes))
        return {**wanted, **bridge_mtu(site, bond.host, bridge, file)}
    if all(port in " ".join(file.get(bond.name, "bond-slaves")).split() for port in bond.members) and _agree(file, bond):
        return {}
    taken = _taken_over(site, bond, bridge, file, live)
    return dict.fromkeys((bond.name, *bond.members), taken) if taken != DEFAULT else {}


def _agree(file: InterfacesFile, bond: Bond) -> bool:
    """Whether no member's stanza sets another MTU than its bond's."""
    return {mtu_in_file(file, port) for port in bond.members} <= {"", mtu_in_file(file, bond.name) or DEFAULT}


def _taken_over(site: Site, bond: Bond, bridge: str, file: InterfacesFile, live: Mapping[str, int]) -> str:
    found = {iface: mtu for iface in (bond.name, *bond.members) if (mtu := mtu_in_file(file, iface))}
    # A port that joins the bond may have a live MTU from `ip link`, a .link file or a `post-up` line.
    slaves = " ".join(file.get(bond.name, "bond-slaves")).split()
    free = [port for port in bond.members if port not in (*found, *slaves)]
    found |= {port: str(live[port]) for port in free if str(live.get(port, DEFAULT)) != DEFAULT}
    if len(set(found.values())) > 1 or not all(mtu.isdecimal() for mtu in found.values()):
        words = " and ".join(f"{iface} has MTU {mtu}" for iface, mtu in found.items())
        raise Refused(_undecided(bond, f"{words}, but a bond and its members share one MTU"))
    mtu = next(iter(found.values()), DEFAULT)
    above = mtu_in_file(file, bridge)
    if "switch" in site.hosts[bond.host].groups or not above or above == mtu:
        return mtu
    if not found and above.isdecimal():
        return max(above, DEFAULT, key=int)
    if not above.isdecimal() or int(above) > int(mtu):
        raise Refused(_undecided(bond, f"{bridge} has MTU {above} and the ports under it {mtu}: larger packets would be lost"))
    return mtu


def _undecided(bond: Bond, found: str) -> str:
    ports = " and ".join(bond.members)
    return (
        f"{bond.host}: {found} ({INTERFACES_PATH}); set mtu_bytes of {ports} in the inventory, and of {' and '.join(bond.peer_members)}"
        f" of {bond.peer_host}, then run again"
    )


def bridge_mtu(site: Site, host: str, bridge: str, file: InterfacesFile) -> dict[str, str]:
    """{bridge: MTU} of the bridge with the host's own address: that of its largest port. Empty if the inventory sets no port's MTU.

    The bridge's MTU is not lowered below that of a port whose MTU the inventory does not set: a bond of the inventory may not exist yet,
    while its ports are in the bridge themselves.
    """
    ports = site.bridged(host)
    decided_members = {port for bond in site.hosts[host].bonds if ports.get(bond.name) is not None for port in bond.members}
    present = [port for port in " ".join(file.get(bridge, "bridge-ports")).split() if port not in {*ports, *decided_members, "none"}]
    decided = [mtu for mtu in ports.values() if mtu is not None]
    if not decided:
        return {}
    now = mtu_in_file(file, bridge) or DEFAULT
    undecided = [*(port for port, one in ports.items() if one is None), *present]
    kept = [int(mtu) for port in undecided if (mtu := mtu_in_file(file, port) or DEFAULT).isdecimal()]
    wanted = max(decided)
    if now.isdecimal() and wanted < int(now):
        wanted = min(int(now), max(wanted, *kept)) if kept else wanted
    return {bridge: str(wanted)}
