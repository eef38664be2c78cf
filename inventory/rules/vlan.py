"""Rules of VLANs: the address of a host with bonds is on a bridge, or on a VLAN of one."""

from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.rules.bond import bonds
from inventory.rules.host import LINUX
from inventory.vlan_names import VIDS, lower_of, vlan_of


def management_vlans_exist(draft: Draft) -> Iterator[Problem]:
    """A management interface that is named as a VLAN is one: a number of IEEE 802.1Q, and one tag."""
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
    """The VLAN of a host with bonds stands on its bridge: bonds and their members are the bridge's ports."""
    if draft.files["cables"].data is None:
        return
    made = {(bond.host, bond.port) for bond in bonds(draft)}
    members = {(end.host, end.port): bond.port for bond, found in bonds(draft).items() for _, _, end, _ in found}
    for host, row in draft.hosts.items():
        lower = lower_of(row.management or "")
        if row.platform not in LINUX or lower is None or not any(bond_host == host for bond_host, _ in made):
            continue
        wanted, remedy = "a VLAN of a bridge, such as vmbr0.10", "name the bridge: a bond becomes its port"
        if (host, lower) in made:
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, f"a VLAN of bond {lower}", remedy)
        elif (host, lower) in members:
            found = f"a VLAN of {lower}, a member of bond {members[host, lower]}"
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, found, remedy)
        elif lower in row.ports:
            yield Problem(draft.at(host, "management"), f"{host} management", wanted, f"a VLAN of port {lower}", remedy)
