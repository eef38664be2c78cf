"""VLANs of ports: those that a bond takes over from its ports, and whether a bridge passes the VLAN of a host's address.

On a VLAN-aware bridge ifupdown2 gives a port the VLANs of its own stanza, else those of the bridge's (addons/bridge.py). A bridge that is
not VLAN-aware forwards tagged frames unchanged.
"""

from collections.abc import Mapping

from inventory.site import Bond, Site
from tasks.core.model.errors import Refused
from tasks.network.links.facts import LinkLive
from tasks.platforms.ifupdown2.files import INTERFACES as INTERFACES_PATH
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

ATTRIBUTES = ("bridge-vids", "bridge-pvid", "bridge-access", "bridge-allow-untagged")
ON = frozenset({"yes", "on", "1"})
Vlans = tuple[tuple[str, str], ...]


def vlans_of(file: InterfacesFile, iface: str) -> Vlans:
    """(attribute, value) of the VLAN attributes in an interface's own stanzas."""
    return tuple((name, value) for name in ATTRIBUTES if (value := " ".join(file.get(iface, name))))


def taken_over(bond: Bond, file: InterfacesFile) -> Vlans:
    """A bond's wanted VLAN attributes: its own, else those of the ports that it takes. Raises Refused if they differ."""
    own, slaves = vlans_of(file, bond.name), " ".join(file.get(bond.name, "bond-slaves")).split()
    configured = {port: vlans for port in bond.members if port not in slaves and (vlans := vlans_of(file, port))}
    if own:
        configured = {bond.name: own, **configured}
    if len(set(configured.values())) > 1:
        found = "; ".join(f"{name} has {_shown(vlans)}" for name, vlans in configured.items())
        raise Refused(
            f"{bond.host}: {found} ({INTERFACES_PATH}), but all ports of bond {bond.name} share one set of VLANs; make them equal,"
            " then run again"
        )
    return next(iter(configured.values()), ())


def _shown(vlans: Vlans) -> str:
    return " and ".join(f"`{attribute} {value}`" for attribute, value in vlans)


def refuse_a_lost_vlan(site: Site, bond: Bond, file: InterfacesFile, vlan: int | None, whose: str) -> None:
    """Raises Refused if the bond's bridge is VLAN-aware and does not pass the VLAN of the address of host `whose`, tagged."""
    bridge = site.hosts[bond.host].bridge
    if vlan is None or not ON & set(file.get(bridge, "bridge-vlan-aware")):
        return
    vlans = taken_over(bond, file) or vlans_of(file, bridge)
    values = dict(vlans)
    access, vids, pvid = values.get("bridge-access"), values.get("bridge-vids", ""), values.get("bridge-pvid", "1")
    if access is None and includes(vids, vlan) and pvid != str(vlan):
        return
    found = _shown(vlans) or "no bridge-vids"
    raise Refused(
        f"{bond.host}: wanted VLAN {vlan} tagged on {bond.name}, for the address of {whose}; {bridge} is VLAN-aware, and {found} applies to"
        f" {bond.name} ({INTERFACES_PATH}); add {vlan} to the bridge-vids of {bridge}, then run again"
    )


def includes(vids: str, vlan: int) -> bool:
    """Whether a list like `2-100 4094` includes the VLAN."""
    ranges = (word.partition("-") for word in vids.replace(",", " ").split())
    return any(first.isdecimal() and int(first) <= vlan <= int(last if last.isdecimal() else first) for first, _, last in ranges)


def refuse_an_unproven_vlan(site: Site, host: str, links: Mapping[str, LinkLive]) -> None:
    """Raises Refused if the VLAN with the host's address is not live, because nothing then proves that the switches carry the VLAN."""
    own = site.hosts[host]
    live = links.get(own.management)
    if own.vlan is None:
        return
    if live is None or str(own.address) not in live.addresses:
        found = "there is no such interface" if live is None else f"it has {' and '.join(live.addresses) or 'no address'}"
        raise Refused(
            f"{host}: wanted {own.address} on {own.management}; live {found}, so nothing proves that the switches on the way carry"
            f" VLAN {own.vlan}; set it up at the host's console, check that the host answers there, then run again"
        )
    if (live.lower, live.vlan) != (own.bridge, own.vlan):
        raise Refused(
            f"{host}: wanted {own.management} to be VLAN {own.vlan} of {own.bridge}; live it is"
            f" VLAN {live.vlan} of {live.lower}; correct the inventory or the host"
        )
