"""Rules of VLANs: the address of a host with bonds is on a bridge, or on a VLAN of a bridge."""

from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.rules.bond import bonds
from inventory.rules.host import LINUX
from inventory.vlan_names import VIDS, lower_of, vlan_of


def management_vlans_exist(draft: Draft) -> Iterator[Problem]:
    """A management interface with a VLAN's name has one tag, with a VLAN ID of IEEE 802.1Q."""
    for host, row in draft.hosts.items():
        name = row.management or ""
        vlan, lower = vlan_of(name), lower_of(name) or ""
        if row.platform not in LINUX or (vlan is None and "." not in name):
            continue
        plain = vlan is not None and vlan in VIDS and name == f"{lower}.{vlan}" and "." not in lower
        if not plain:
            wanted = f"INTERFACE.VLAN with a VLAN from {VIDS[0]} to {VIDS[-1]}, such as vmbr0.10"
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, f"'{name}'", "correct the name")


def management_vlans_are_on_bridges(draft: Draft) -> Iterator[Problem]:
    """The management VLAN of a host with bonds is on its bridge, because bonds are ports of the bridge."""
    if draft.files["cables"].data is None:
        return
    defined = {(bond.host, bond.port) for bond in bonds(draft)}
    members = {(end.host, end.port): bond.port for bond, found in bonds(draft).items() for _, _, end, _ in found}
    for host, row in draft.hosts.items():
        lower = lower_of(row.management or "")
        if row.platform not in LINUX or lower is None or not any(bond_host == host for bond_host, _ in defined):
            continue
        wanted, remedy = "a VLAN of a bridge, such as vmbr0.10", "name the bridge: a bond becomes its port"
        if (host, lower) in defined:
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, f"a VLAN of bond {lower}", remedy)
        elif (host, lower) in members:
            found = f"a VLAN of {lower}, a member of bond {members[host, lower]}"
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, found, remedy)
        elif lower in row.ports:
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, f"a VLAN of port {lower}", remedy)
