"""VLANs of ports: what a bond takes over from the ports that it takes, and whether a bridge lets the one through that a host is reached by.

On a VLAN-aware bridge ifupdown2 gives a port the VLANs of its own stanza, else those of the bridge's (addons/bridge.py). A bridge that is
not VLAN-aware sends tagged frames on as they are.
"""

from collections.abc import Mapping

from inventory.site import Bond, Site
from tasks.core.model.errors import Refused
from tasks.network.links.facts import LinkLive
from tasks.platforms.ifupdown2.files import INTERFACES as INTERFACES_PATH
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

WORDS = ("bridge-vids", "bridge-pvid", "bridge-access", "bridge-allow-untagged")
ON = frozenset({"yes", "on", "1"})
Vlans = tuple[tuple[str, str], ...]


def vlans_of(file: InterfacesFile, iface: str) -> Vlans:
    """(attribute, value) of what an interface says itself of its VLANs."""
    return tuple((word, value) for word in WORDS if (value := " ".join(file.get(iface, word))))


def taken_over(bond: Bond, file: InterfacesFile) -> Vlans:
    """What a bond has to say of its VLANs: its own words, else those of the ports that it takes. Raises Refused where they differ."""
    own, slaves = vlans_of(file, bond.name), " ".join(file.get(bond.name, "bond-slaves")).split()
    said = {port: words for port in bond.members if port not in slaves and (words := vlans_of(file, port))}
    if own:
        said = {bond.name: own, **said}
    if len(set(said.values())) > 1:
        found = "; ".join(f"{name} says {_spoken(words)}" for name, words in said.items())
        raise Refused(
            f"{bond.host}: {found} ({INTERFACES_PATH}), and bond {bond.name} has one set of VLANs; make them alike, then run again"
        )
    return next(iter(said.values()), ())


def _spoken(words: Vlans) -> str:
    return " and ".join(f"`{attribute} {value}`" for attribute, value in words)


def refuse_a_lost_vlan(site: Site, bond: Bond, file: InterfacesFile, vlan: int | None, whose: str) -> None:
    """Raises Refused where the bond would not carry the VLAN that `whose` address is in: its bridge is VLAN-aware and says others."""
    bridge = site.hosts[bond.host].bridge
    if vlan is None or not ON & set(file.get(bridge, "bridge-vlan-aware")):
        return
    words = taken_over(bond, file) or vlans_of(file, bridge)
    said = dict(words)
    access, vids, pvid = said.get("bridge-access"), said.get("bridge-vids", ""), said.get("bridge-pvid", "1")
    if access is None and includes(vids, vlan) and pvid != str(vlan):
        return
    found = _spoken(words) or "no bridge-vids"
    raise Refused(
        f"{bond.host}: wanted VLAN {vlan} tagged on {bond.name}, for the address of {whose}; {bridge} is VLAN-aware, and {found} holds for"
        f" {bond.name} ({INTERFACES_PATH}); add {vlan} to the bridge-vids of {bridge}, then run again"
    )


def includes(vids: str, vlan: int) -> bool:
    """Whether a list like `2-100 4094` has the VLAN."""
    ranges = (word.partition("-") for word in vids.replace(",", " ").split())
    return any(first.isdecimal() and int(first) <= vlan <= int(last if last.isdecimal() else first) for first, _, last in ranges)


def refuse_an_unproven_vlan(site: Site, host: str, links: Mapping[str, LinkLive]) -> None:
    """Raises Refused where the VLAN with the host's address is not live: nothing shows then that its switches carry it."""
    own = site.hosts[host]
    live = links.get(own.management)
    if own.vlan is None:
        return
    if live is None or str(own.address) not in live.addresses:
        found = "there is no such interface" if live is None else f"it has {' and '.join(live.addresses) or 'no address'}"
        raise Refused(
            f"{host}: wanted {own.address} on {own.management}; live {found}, so nothing shows that the switches on the way carry"
            f" VLAN {own.vlan}; set it up at the host's console, see that the host answers there, then run again"
        )
    if (live.lower, live.vlan) != (own.bridge, own.vlan):
        raise Refused(
            f"{host}: wanted {own.management} to be VLAN {own.vlan} of {own.bridge}; live it is"
            f" VLAN {live.vlan} of {live.lower}; correct the inventory or the host"
        )
