"""Rules of hosts: their groups, platforms, links, interface names and virtual machines."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from inventory import plugins
from inventory.draft import Draft
from inventory.errors import Problem
from inventory.models import HostRow, LinkKind, Platform
from inventory.value_types import INTERFACE_NAME, PATTERN_WORDS, matches

HYPERVISORS = "proxmox"
LINUX = (Platform.IFUPDOWN2, Platform.UBUNTU)
KERNEL_NAME = re.compile(r"[^/:]{0,15}")
KERNEL_NAME_WORDS = "a Linux interface name (at most 15 characters, without '/' and ':')"

# The links of each platform. NAPALM needs a driver (NAPALM's own or one in drivers/), SSH needs Linux.
LINKS: Mapping[Platform, tuple[LinkKind, ...]] = {
    Platform.IFUPDOWN2: (LinkKind.SSH, LinkKind.NAPALM),
    Platform.UBUNTU: (LinkKind.SSH,),
    Platform.EOS: (LinkKind.NAPALM,),
    Platform.IOS: (LinkKind.NAPALM,),
    Platform.JUNOS: (LinkKind.NAPALM,),
    Platform.TRUENAS: (LinkKind.API,),
}


def and_more(count: int, what: str) -> str:
    """The end of a message about a value that other places have too."""
    return f", and in {count} more {what}{'s' if count > 1 else ''}" if count > 0 else ""


def there_is_a_host(draft: Draft) -> Iterator[Problem]:
    """A site has at least one host."""
    file = draft.files["hosts"]
    if file.data == {}:
        yield Problem(file.place(), "hosts", "at least one host", "none", "add a row: docs/inventory.md shows one")


def groups_are_known(draft: Draft) -> Iterator[Problem]:
    """A host's groups are in groups.yaml, and its row lists each once."""
    rows = Counter(group for row in draft.hosts.values() for group in {*row.groups})
    unknown: set[str] = set()
    for host, row in draft.hosts.items():
        for index, group in enumerate(row.groups):
            place = draft.files["hosts"].place(host, "groups", index)
            if group not in draft.groups and group not in unknown:
                unknown.add(group)
                known, more = ", ".join(draft.groups) or "none", and_more(rows[group] - 1, "row")
                remedy = "add it to groups.yaml or correct the name"
                yield Problem(place, f"{host} groups", f"a group of groups.yaml ({known})", f"'{group}'{more}", remedy)
            elif group in row.groups[:index]:
                yield Problem(place, f"{host} groups", "each group once", f"'{group}' a second time", "remove it")


def hosts_are_complete(draft: Draft) -> Iterator[Problem]:
    """A host has a platform, a link and a management interface, from its row or its groups. What several hosts lack, their group lacks."""
    lacking: dict[tuple[tuple[str, ...], str], list[str]] = {}
    for host, row in draft.hosts.items():
        missing = " and ".join(f"'{key}'" for key in ("platform", "link", "management") if getattr(row, key) is None)
        if missing and draft.knows_groups_of(host):
            lacking.setdefault((row.groups, missing), []).append(host)
    for (groups, missing), hosts in lacking.items():
        if groups and len(hosts) > 1:
            place, found = draft.files["groups"].place(groups[0]), f"nothing, here or in the rows of {', '.join(hosts)}"
            yield Problem(place, groups[0], missing, found, "add it, here or to each row")
            continue
        for host in hosts:
            yield Problem(draft.at(host), host, missing, "nothing, here or in its groups", "add it, here or to a group")


def links_fit_platforms(draft: Draft) -> Iterator[Problem]:
    """The platform supports the host's link. Raises PluginError where another package's link or platform cannot be loaded."""
    for link in {row.link for row in draft.hosts.values()} & plugins.named(plugins.LINKS).keys():
        plugins.loaded(plugins.LINKS, str(link))
    for host, row in draft.hosts.items():
        links = _links(row.platform) if row.platform else ()
        if row.platform is None or row.link is None or row.link in links:
            continue
        wanted = f"link {' or '.join(links)} for platform {row.platform}"
        yield Problem(draft.at(host, "link"), f"{host} link", wanted, f"{row.link}", "correct the link or the platform")


def _links(platform: Platform) -> tuple[str, ...]:
    """The links of a platform, also of one that another package adds."""
    if platform in LINKS:
        return LINKS[platform]
    return tuple(plugins.loaded(plugins.PLATFORMS, platform).links)


def unmanaged_hosts_are_switches(draft: Draft) -> Iterator[Problem]:
    """Only a switch may be unmanaged: Burrow has to read facts from a node."""
    for host, row in draft.hosts.items():
        if row.managed is False and row.link is LinkKind.SSH:
            wanted = "'managed: false' only on link napalm"
            yield Problem(draft.at(host, "managed"), f"{host} managed", wanted, "it on link ssh", "remove the key, or remove the host")


def ports_are_interfaces(draft: Draft) -> Iterator[Problem]:
    """A port of a host that Burrow configures has an interface's name. Nothing is written to an unmanaged switch."""
    for host, row in draft.hosts.items():
        for name in row.ports if row.managed is not False else ():
            if not matches(INTERFACE_NAME, name):
                place = draft.at(host, "ports", name)
                yield Problem(place, f"{host} ports.{name}", PATTERN_WORDS[INTERFACE_NAME], f"'{name}'", "correct the value")


def linux_names_fit_the_kernel(draft: Draft) -> Iterator[Problem]:
    """A Linux host's interface names are at most 15 bytes without '/' and ':' (dev_valid_name, net/core/dev.c)."""
    remedy = "shorten or rename it"
    for host, row in draft.hosts.items():
        if row.platform not in LINUX or row.managed is False:
            continue
        for name in row.ports:
            if not KERNEL_NAME.fullmatch(name):
                yield Problem(draft.at(host, "ports", name), f"{host} ports", KERNEL_NAME_WORDS, f"'{name}'", remedy)
        if row.management is not None and not KERNEL_NAME.fullmatch(row.management):
            yield Problem(draft.at(host, "management"), f"{host} management", KERNEL_NAME_WORDS, f"'{row.management}'", remedy)
    for index, host, row, bond in _bonds(draft):
        if row.platform in LINUX and not KERNEL_NAME.fullmatch(bond):
            yield Problem(draft.at_cable(index), f"bond {host}:{bond}", KERNEL_NAME_WORDS, f"'{bond}'", remedy)


def interface_names_are_distinct(draft: Draft) -> Iterator[Problem]:
    """Ports, bonds and the management bridge of a host have different names. `lo` is the kernel's."""
    for index, host, row, bond in _bonds(draft):
        if bond in row.ports or bond in (row.management, "lo"):
            wanted = "a name that no other interface of the host has"
            found = "the name of a port" if bond in row.ports else f"the name of interface {bond}"
            yield Problem(draft.at_cable(index), f"bond {host}:{bond}", wanted, found, "rename the bond in all of its rows")
    for host, row in draft.hosts.items():
        if "lo" in row.ports or row.management == "lo":
            path = ("ports", "lo") if "lo" in row.ports else ("management",)
            yield Problem(draft.at(host, *path), f"{host} {path[0]}", "a port's name", "lo", "use 'loopback' for the loopback's address")


def _bonds(draft: Draft) -> Iterator[tuple[int, str, HostRow, str]]:
    """Every bond of every host once, as (index of its first cable row, host, the host's row, bond name)."""
    seen: set[tuple[str, str]] = set()
    for index, cable, end in draft.ends():
        bond, row = cable.bonds[cable.ends.index(end)], draft.hosts.get(end.host)
        if bond is not None and row is not None and (end.host, bond) not in seen:
            seen.add((end.host, bond))
            yield index, end.host, row, bond


def pci_paths_are_unique(draft: Draft) -> Iterator[Problem]:
    """Each PCI path is of one port."""
    for host, row in draft.hosts.items():
        first: dict[str, str] = {}
        for name, port in row.ports.items():
            if port.pci_path is None:
                continue
            if port.pci_path in first:
                place = draft.at(host, "ports", name, "pci_path")
                found = f"{port.pci_path}, which is {first[port.pci_path]}'s"
                yield Problem(place, f"{host} ports.{name}.pci_path", "a unique path", found, "correct one of the two")
            first.setdefault(port.pci_path, name)


def disks_are_unique(draft: Draft) -> Iterator[Problem]:
    """Each disk is in one host: its ID contains its serial number."""
    first: dict[str, str] = {}
    for host, row in draft.hosts.items():
        for disk in row.disks:
            if disk in first:
                found = f"{disk}, which is {first[disk]}'s"
                yield Problem(draft.at(host, "disks", disk), f"{host} disks", "a unique disk", found, "correct one of the two")
            first.setdefault(disk, host)


def vmids_are_unique(draft: Draft) -> Iterator[Problem]:
    """A vmid is unique in the cluster, not only on its node."""
    first: dict[int, str] = {}
    for host, row in draft.hosts.items():
        if row.vm is None:
            continue
        if row.vm.vmid in first:
            found = f"{row.vm.vmid}, which is {first[row.vm.vmid]}'s"
            yield Problem(draft.at(host, "vm", "vmid"), f"{host} vm.vmid", "a unique vmid", found, "choose an unused one")
        first.setdefault(row.vm.vmid, host)


def vms_run_on_hypervisors(draft: Draft) -> Iterator[Problem]:
    """A virtual machine's node is a host of the group `proxmox`. Each other name is reported once, and not where a cable names it too."""
    machines = Counter(row.vm.node for row in draft.hosts.values() if row.vm)
    reported = {*draft.invalid, *draft.unknown_hosts}
    for host, row in draft.hosts.items():
        if row.vm is None or row.vm.node in reported:
            continue
        node = draft.hosts.get(row.vm.node)
        if node is not None and not draft.is_complete(row.vm.node):
            continue
        if node is None or HYPERVISORS not in node.groups:
            reported.add(row.vm.node)
            found = f"'{row.vm.node}', which is " + ("no host" if node is None else "not in that group")
            found += and_more(machines[row.vm.node] - 1, "row")
            place = draft.at(host, "vm", "node")
            yield Problem(place, f"{host} vm.node", f"a host of group {HYPERVISORS}", found, "name the node that runs the VM")
