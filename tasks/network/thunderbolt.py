"""Thunderbolt networking: ports named by where they sit, and brought up whenever they are plugged in."""

import shlex
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from inventory.schema import Site
from tasks.core.change import Change, FilePart, Step
from tasks.core.facts import Fact, Facts, text
from tasks.core.templates import render
from tasks.core.transaction import Action
from tasks.network.routing_facts import DEVICES, HOTPLUG_RULES, HOTPLUG_UNIT, MODULES_FILE

DRIVER = "thunderbolt-net"
MODULES = "/etc/modules-load.d/burrow-thunderbolt.conf"
RULES = "/etc/udev/rules.d/90-burrow-thunderbolt.rules"
UNIT = "/etc/systemd/system/burrow-port@.service"


@dataclass(frozen=True)
class ThunderboltState:
    """The texts of the files that are owned whole, by path, and the ports that have their name, of those that are plugged in."""

    files: tuple[tuple[str, str], ...]
    named: tuple[str, ...]


def paths(site: Site, host: str) -> dict[str, str]:
    """{port: PCI path} of the routed ports whose name the kernel does not keep."""
    ports = site.hosts[host].ports
    names = (cable.near(host).port for cable in site.routed(host))
    return {name: path for name in names if (path := ports[name].pci_path)}


def link_file(port: str) -> str:
    """The path of the file that names a port; it sorts before what others bring (systemd.link(5))."""
    return f"/etc/systemd/network/10-burrow-{port}.link"


@dataclass(frozen=True)
class ThunderboltPorts(Change[ThunderboltState]):
    """Each Thunderbolt port is named by its PCI path, and systemd brings it up when it is plugged in."""

    host: str
    ports: tuple[str, ...]
    shared: ClassVar = (DEVICES, MODULES_FILE, HOTPLUG_RULES, HOTPLUG_UNIT)

    @property
    def needs(self) -> tuple[Fact[object], ...]:  # type: ignore[override]  # a file for each port
        """The shared files, and the port's own."""
        return (*self.shared, *self._link_facts().values())

    def _link_facts(self) -> dict[str, Fact[str]]:
        return {link_file(port): text(f"link_file_{port}", link_file(port)) for port in self.ports}

    def _facts(self) -> dict[str, Fact[str]]:
        return {MODULES: MODULES_FILE, RULES: HOTPLUG_RULES, UNIT: HOTPLUG_UNIT, **self._link_facts()}

    def intend(self, site: Site, facts: Facts) -> ThunderboltState:
        """The files' texts, and of the ports that are there all by their names."""
        host, by_port = site.hosts[self.host], paths(site, self.host)
        words = {"ports": by_port, "driver": DRIVER}
        made = {
            path: render("thunderbolt_ports", f"{host.platform}.{kind}", self.host, **words)
            for path, kind in ((MODULES, "modules"), (RULES, "rules"), (UNIT, "unit"))
        }
        for port, path in by_port.items():
            made[link_file(port)] = render("thunderbolt_ports", f"{host.platform}.link", self.host, port=port, path=path, driver=DRIVER)
        return ThunderboltState(tuple(made.items()), tuple(self._present(site, facts)))

    def observe(self, site: Site, facts: Facts) -> ThunderboltState:
        """The files as they stand, and the names that the ports have now."""
        files = tuple((path, facts[self.host][fact]) for path, fact in self._facts().items())
        return ThunderboltState(files, tuple(self._present(site, facts).values()))

    def _present(self, site: Site, facts: Facts) -> dict[str, str]:
        """{wanted name: present name} of the ports that are plugged in."""
        devices = facts[self.host][DEVICES]
        found = {device.path: name for name, device in devices.items() if device.driver == DRIVER}
        return {port: found[path] for port, path in paths(site, self.host).items() if path in found}

    def steps(self, site: Site, facts: Facts, want: ThunderboltState) -> tuple[Step, ...]:
        """The files; then udev names what is plugged in already, before the network configuration speaks of it."""
        known = self._facts()
        wrong = {port: name for port, name in self._present(site, facts).items() if port != name}
        renames = {link_file(port): (f"{name} goes down and is named {port}",) for port, name in wrong.items()}
        parts = tuple(FilePart(path, known[path], partial(_whole, text), impact=renames.get(path, ())) for path, text in want.files)
        return (*parts, *([_rename(wrong)] if wrong else []))


def _whole(text: str, _: str) -> str:
    return text


def _rename(wrong: dict[str, str]) -> Action:
    """By udev itself, so that what a boot will do is tried now. Undone by hand: without its file udev leaves a name as it is."""
    devices = " ".join(f"/sys/class/net/{shlex.quote(name)}" for name in wrong.values())
    named = " && ".join(f"test -e /sys/class/net/{shlex.quote(port)}" for port in wrong)
    down = "; ".join(f"ip link set dev {shlex.quote(name)} down" for name in wrong.values())
    back = "; ".join(
        f"test ! -e /sys/class/net/{port} || {{ ip link set dev {port} down; ip link set dev {port} name {name}; }}"
        for port, name in ((shlex.quote(port), shlex.quote(name)) for port, name in wrong.items())
    )
    trigger = f"udevadm control --reload && udevadm trigger --action=add --settle {devices} && {named}"
    shown = ", ".join(f"{name} is named {port}" for port, name in wrong.items())
    return Action(("/bin/sh", "-c", f"{down}; {trigger}", "udev names"), ("/bin/sh", "-c", back, "names put back"), early=True, shown=shown)
