"""Rules of values that nothing would apply: each is refused, so that nobody relies on it."""

from collections.abc import Iterator

from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import DiskPurpose, SpanningTree
from inventory.rules.cable import port_of
from inventory.vlan_names import lower_of


def spanning_trees_have_a_bridge(draft: Draft) -> Iterator[Problem]:
    """The spanning tree protocol runs on a bridge: a host with its address on a port, and a virtual machine, has none."""
    for host, row in draft.hosts.items():
        own = lower_of(row.management or "") or row.management
        if row.spanning_tree is not SpanningTree.ON or own is None or not draft.is_complete(host):
            continue
        if row.vm is not None or own in row.ports:
            found = f"{own}, a port" if own in row.ports else "a virtual machine"
            yield Problem(draft.at(host, "spanning_tree"), f"{host} spanning_tree", "a host with a bridge", found, "remove it")


def loopbacks_are_used(draft: Draft) -> Iterator[Problem]:
    """A host with a loopback has a routed cable, a monitor or an OSD: nothing else uses its loopback."""
    if not draft.cables_known or draft.unknown_hosts or draft.defaults is None:
        return
    routed = {end.host for _, cable, end in draft.ends() if cable.network is not None}
    monitors = draft.defaults.ceph.monitors if draft.defaults.ceph else ()
    for host, row in draft.hosts.items():
        osds = [disk for disk in row.disks.values() if disk.purpose is DiskPurpose.OSD]
        if row.loopback is not None and not osds and host not in {*routed, *monitors} and draft.is_complete(host):
            wanted, remedy = "a routed cable, a monitor or an OSD on a host with a loopback", "remove it, or add the cable with its network"
            yield Problem(draft.at(host, "loopback"), f"{host} loopback", wanted, "none", remedy)


def pci_paths_are_of_routed_ports(draft: Draft) -> Iterator[Problem]:
    """A port with a PCI path and a cable is on a routed cable: Burrow names no other port by its path."""
    for index, cable in enumerate(draft.cables):
        named = [end for end in cable.ends if (port := port_of(draft, end)) and port.pci_path] if cable.network is None else []
        if len(named) == 2:
            wanted, found = "a network, because both ends have a pci_path", "none"
            yield Problem(draft.at_cable(index), f"cable {cable}", wanted, found, "add 'network', or remove both")
        for end in named if len(named) == 1 else ():
            place, what = draft.at(end.host, "ports", end.port, "pci_path"), f"{end.host} ports.{end.port}.pci_path"
            yield Problem(place, what, "a PCI path on a routed cable's port alone", "a cable without a network", "remove it")


def networks_have_cables(draft: Draft) -> Iterator[Problem]:
    """A point-to-point network has a cable."""
    used = {cable.network for cable in draft.cables} - {None}
    unused = [name for name in draft.networks if name not in used] if used <= draft.networks.keys() else []
    if unused:
        place, found = draft.files["cables"].place("networks", unused[0]), "none"
        wanted = "a cable of this network" if len(unused) == 1 else f"a cable of each network: {', '.join(unused)}"
        yield Problem(place, f"networks {unused[0]}", wanted, found, "name it in a row of 'cables', or remove it")
