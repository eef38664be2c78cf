"""Thunderbolt networking: each port is named by its PCI path, and comes up whenever its cable is plugged in."""

from dataclasses import dataclass
from functools import partial
from shlex import quote
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Step
from tasks.core.model.fact import Fact, Facts, text
from tasks.core.model.operation import Action
from tasks.network.forwarding.facts import DEVICES, FRR_UNIT, HOTPLUG_RULES, HOTPLUG_UNIT, LOADED, MODULES_FILE
from tasks.network.links.holders import HOLDER_FACTS, Holders
from tasks.network.ospf.drain import DRAIN, UNDRAIN
from tasks.network.thunderbolt.facts import DRIVER, MODULES, paths
from tasks.platforms.templates import render

MODULES_PATH = "/etc/modules-load.d/burrow-thunderbolt.conf"
RULES = "/etc/udev/rules.d/90-burrow-thunderbolt.rules"
UNIT = "/etc/systemd/system/burrow-port@.service"


# udev names a port as soon as it appears. A driver without a port does nothing, so the undo leaves it loaded.
LOAD = Action(
    ("/bin/sh", "-c", f"udevadm control --reload && modprobe -a {' '.join(MODULES)} && udevadm settle", "loading the drivers"),
    ("true",),
    early=True,
    shown=f"modules {' and '.join(MODULES)} are loaded",
)


@dataclass(frozen=True)
class ThunderboltState:
    """(path, text) of the files that the change owns whole; the drivers; the names of the ports that are plugged in."""

    files: tuple[tuple[str, str], ...]
    modules: tuple[str, ...]
    named: tuple[str, ...]


def link_file(port: str) -> str:
    """The path of the file that names a port. It sorts before the `00-thunderbolt0.link` of popular guides (systemd.link(5))."""
    return f"/etc/systemd/network/00-burrow-{port}.link"


@dataclass(frozen=True)
class ThunderboltPorts(Change[ThunderboltState]):
    """Each Thunderbolt port is named by its PCI path, and systemd brings it up when it is plugged in."""

    host: str
    ports: tuple[str, ...]
    shared: ClassVar = (DEVICES, LOADED, FRR_UNIT, MODULES_FILE, HOTPLUG_RULES, HOTPLUG_UNIT, *HOLDER_FACTS)

    @property
    def needs(self) -> tuple[Fact[object], ...]:  # type: ignore[override]  # a file for each port
        """The shared files, and the port's own."""
        return (*self.shared, *self._link_facts().values())

    def _link_facts(self) -> dict[str, Fact[str]]:
        return {link_file(port): text(f"link_file_{port}", link_file(port)) for port in self.ports}

    def _facts(self) -> dict[str, Fact[str]]:
        return {MODULES_PATH: MODULES_FILE, RULES: HOTPLUG_RULES, UNIT: HOTPLUG_UNIT, **self._link_facts()}

    def intend(self, site: Site, facts: Facts) -> ThunderboltState:
        """The files' texts, the drivers, and the wanted names of the ports that are plugged in."""
        host, by_port = site.hosts[self.host], paths(site, self.host)
        words = {"ports": by_port, "driver": DRIVER}
        made = {
            path: render("thunderbolt_ports", f"{host.platform}.{kind}", self.host, **words)
            for path, kind in ((MODULES_PATH, "modules"), (RULES, "rules"), (UNIT, "unit"))
        }
        for port, path in by_port.items():
            made[link_file(port)] = render("thunderbolt_ports", f"{host.platform}.link", self.host, port=port, path=path, driver=DRIVER)
        return ThunderboltState(tuple(made.items()), MODULES, tuple(self._present(site, facts)))

    def observe(self, site: Site, facts: Facts) -> ThunderboltState:
        """The files' texts, the drivers that are loaded, and the names that the ports have now."""
        files = tuple((path, facts[self.host][fact]) for path, fact in self._facts().items())
        loaded = tuple(name for name in MODULES if name in facts[self.host][LOADED])
        return ThunderboltState(files, loaded, tuple(self._present(site, facts).values()))

    def _present(self, site: Site, facts: Facts) -> dict[str, str]:
        """{wanted name: present name} of the ports that are plugged in."""
        devices = facts[self.host][DEVICES]
        found = {device.path: name for name, device in devices.items() if device.driver == DRIVER}
        return {port: found[path] for port, path in paths(site, self.host).items() if path in found}

    def steps(self, site: Site, facts: Facts, want: ThunderboltState) -> tuple[Step, ...]:
        """The files, then the drivers. udev renames ports that are plugged in before the network configuration uses their names."""
        known = self._facts()
        loads = () if set(MODULES) <= facts[self.host][LOADED] else (LOAD,)
        wrong = {port: name for port, name in self._present(site, facts).items() if port != name}
        for port, name in wrong.items():
            Holders(facts[self.host]).is_free(name, (), f"it would lose the port, which becomes {port}: remove it there first")
        renames = {link_file(port): (f"{name} goes down and is named {port}",) for port, name in wrong.items()}
        parts = tuple(FilePart(path, known[path], partial(_whole, text), impact=renames.get(path, ())) for path, text in want.files)
        steps = (*parts, *loads, *([_rename(wrong)] if wrong else []))
        return (DRAIN, *steps, UNDRAIN) if wrong and facts[self.host][FRR_UNIT][0] == "active" else steps


def _whole(text: str, _: str) -> str:
    return text


def _rename(wrong: dict[str, str]) -> Action:
    """Renames ports by udev itself, to test now what the next boot does. The undo uses `ip link`: without its file, udev keeps a name.

    Two ports with each other's names get temporary names first.
    """
    temporary = {name: f"burrow{index}" if name in wrong else name for index, name in enumerate(wrong.values())}
    away = "; ".join(_down(name, free) for name, free in temporary.items())
    devices = " ".join(f"/sys/class/net/{quote(free)}" for free in temporary.values())
    trigger = f"udevadm control --reload && udevadm trigger --action=add --settle {devices}"
    verified = "; ".join(_verify(port, temporary[name]) for port, name in wrong.items())
    back = [f"test ! -e /sys/class/net/{quote(port)} || {{ {_down(port, f'burrow{index}')}; }}" for index, port in enumerate(wrong)]
    back += [f"test ! -e /sys/class/net/burrow{index} || {_down(f'burrow{index}', name)}" for index, name in enumerate(wrong.values())]
    shown = ", ".join(f"{name} is named {port}" for port, name in wrong.items())
    return Action(
        ("/bin/sh", "-c", f"{away}; {trigger} || exit 1; {verified}", "udev names"),
        ("/bin/sh", "-c", "; ".join(back), "names put back"),
        early=True,
        shown=shown,
    )


def _down(name: str, free: str) -> str:
    down = f"ip link set dev {quote(name)} down"
    return down if name == free else f"{down}; ip link set dev {quote(name)} name {quote(free)}"


def _verify(port: str, name: str) -> str:
    """A shell command that fails if the device does not have the wanted name, and prints the .link file that named it."""
    which = f"udevadm info -q property -p /sys/class/net/{quote(name)} | sed -n 's/^ID_NET_LINK_FILE=//p'"
    first, last = f"{name} is not named {port}; the file that names it is ", f", wanted {link_file(port)}: remove the other one"
    report = f'echo {quote(first)}"$({which})"{quote(last)}'
    return f"test ! -e /sys/class/net/{quote(name)} || {{ {report} >&2; exit 1; }}"
