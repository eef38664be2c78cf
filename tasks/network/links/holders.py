"""Which other interfaces use a port: by a stanza in any file, sourced ones too, or live. A change takes no port that is already in use."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.model.errors import Refused
from tasks.core.model.fact import Fact, HostFacts
from tasks.network.links.facts import INTERFACES, LINKS, LinkLive
from tasks.platforms.ifupdown2.files import INTERFACES as INTERFACES_PATH
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, Line, Stanza
from tasks.platforms.ifupdown2.port_words import expanded, is_pattern, names
from tasks.platforms.ifupdown2.sourced import SOURCED

HOLDER_FACTS: tuple[Fact[Any], ...] = (INTERFACES, LINKS, SOURCED)
# Attributes by which an interface has other ones as its ports or is built on them (addons of ifupdown2; vlan and bridge of ifupdown).
TAKING = frozenset({"bridge-ports", "bond-slaves", "ovs-ports", "ovs-bonds", "batman-ifaces", "bond-primary", "mstpctl-ports"})
BUILT_ON = frozenset({"vlan-raw-device", "vxlan-physdev", "ppp-physdev", "tunnel-physdev", "macvlan-raw-device", "link"})
# Attributes by which a port names the interface that it belongs to.
BELONGING = frozenset({"bond-master", "ovs-bridge", "vrf", "master"})
COMMANDS = frozenset({"up", "down", "pre-up", "post-up", "pre-down", "post-down"})
GIVING = ({"master"}, {"addif"}, {"add-port"}, {"add-bond"}, {"ifenslave"}, {"/sbin/ifenslave"}, {"link", "add"})
LEASED = frozenset({"dhcp", "dhcp6", "auto", "ppp", "bootp"})
OVS = "openvswitch"


@dataclass(frozen=True)
class PlacedStanza:
    """A stanza, with the file and the line at which it begins."""

    path: str
    line: int
    stanza: Stanza

    @property
    def place(self) -> str:
        """FILE:LINE."""
        return f"{self.path}:{self.line}"

    @property
    def lines(self) -> Iterator[Line]:
        """Its attributes, without blank lines and comments."""
        return (line for line in self.stanza.body if line.words)


class Holders:
    """Which interface of a host uses which other one."""

    def __init__(self, facts: HostFacts) -> None:
        """Raises Refused if a sourced file could not be read, because it may use any port."""
        self.host = facts.host
        self.links: Mapping[str, LinkLive] = facts[LINKS]
        sourced = facts[SOURCED]
        if unread := [path for path, text in sourced.items() if text is None]:
            raise Refused(
                f"{self.host}: {' and '.join(unread)} cannot be read, and {INTERFACES_PATH} sources it, so it is unknown which ports it"
                " uses; make it readable, or remove the source line"
            )
        texts = {INTERFACES_PATH: facts[INTERFACES], **{path: text or "" for path, text in sourced.items()}}
        self.stanzas = tuple(one for path, text in texts.items() for one in _stanzas(path, text))

    def of(self, iface: str) -> Iterator[PlacedStanza]:
        """The stanzas of an interface in any file: by its name, by another name of it, or in a range."""
        known = self._names(iface)
        return (one for one in self.stanzas if known & {*expanded(one.stanza.iface or "")})

    def configured_once(self, *ifaces: str) -> None:
        """Raises Refused if another file, a range, or another name of an interface also configures it."""
        for iface in ifaces:
            for one in self.of(iface):
                name = one.stanza.iface
                if one.path != INTERFACES_PATH:
                    raise Refused(f"{self.host}: {one.place} also has a stanza of {iface}; move it to {INTERFACES_PATH}")
                if name != iface:
                    raise Refused(f"{self.host}: {one.place} says `iface {name}`, which includes {iface}; write a stanza for {iface} alone")

    def refuse_to_move(self, address: str, holder: str) -> None:
        """Raises Refused if an interface other than `holder` has the host's own address: no change moves that address."""
        configured = [
            (one.stanza.iface, one.place)
            for one in self.stanzas
            if any(_ip(value) == _ip(address) for value in one.stanza.values("address"))
        ]
        found = [*configured, *((name, "live") for name, link in self.links.items() if _ip(address) in map(_ip, link.addresses))]
        for name, where in found:
            if name not in (None, holder):
                raise Refused(
                    f"{self.host}: wanted {address} on {holder}; it is on {name} ({where}). Moving it changes the VLAN by which this host"
                    f" is reached, at every switch and router at once: set `management: {name}` in the inventory,"
                    " or move it at the host's console"
                )

    def has_no_address(self, port: str, management: str) -> None:
        """Raises Refused if the port has an address itself, static or by a protocol such as DHCP."""
        for one in self.of(port):
            addresses = one.stanza.values("address")
            if addresses:
                raise Refused(f"{self.host}: {port} itself has {addresses[0]} ({one.place}); move that address to {management} first")
            if leased := LEASED & set(one.stanza.head.words[3:4]):
                how = " ".join(leased)
                raise Refused(f"{self.host}: {port} gets an address by {how} ({one.place}); make it `inet manual` first")

    def is_linux(self, iface: str, kind: str) -> None:
        """Raises Refused if a bridge or bond belongs to Open vSwitch, or is an interface of another kind."""
        for one in self.of(iface):
            keys = [line.key for line in one.lines]
            if ovs := [key for key in keys if key.startswith("ovs-")]:
                raise Refused(
                    f"{self.host}: {iface} belongs to Open vSwitch ({one.place}: {ovs[0]} {one.stanza.values(ovs[0])[0]}), which Burrow"
                    f" does not configure; make it a Linux {kind} first, or leave this host out"
                )
            if foreign := [key for key in keys if key in ("vlan-raw-device", "vlan-id", "vxlan-id", "vrf-table")]:
                raise Refused(
                    f"{self.host}: wanted {iface} to be a {kind}; {one.place} says {foreign[0]}; correct the inventory or the file"
                )
            for line in one.lines:
                if line.key in ("bridge-ports", "bond-slaves") and is_pattern(line.value):
                    raise Refused(
                        f"{self.host}: {iface} names its ports by a pattern ({one.place}: {line.value}); list them one by one first"
                    )
        live = self.links.get(iface)
        if live is not None and live.kind is not None and live.kind != kind:
            raise Refused(f"{self.host}: wanted {iface} to be a {kind}; live it is a {live.kind}; correct the inventory or the host")

    def is_free(self, port: str, own: tuple[str, ...], remedy: str, *, alone: bool = True) -> None:
        """Raises Refused if an interface not in `own` has the port; with `alone` also if an interface is built on it."""
        users = dict(self._owners(port, own))
        if alone:
            users = {**dict(self._above_live(port, own)), **dict(self._above(port, own)), **users}
        if users:
            found = " and ".join(f"{name} ({how})" for name, how in users.items())
            raise Refused(f"{self.host}: {port} is already used by {found}; {remedy}")

    def _names(self, port: str) -> set[str]:
        live = next((link for name, link in self.links.items() if port == name or port in link.altnames), None)
        return {port, *(live.altnames if live else ())}

    def _owners(self, port: str, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """(interface, evidence) of those that have the port as a member."""
        known = self._names(port)
        live = self.links.get(port)
        if live is not None and live.master is not None and live.master not in own:
            yield live.master, "live"
        for one in self.stanzas:
            iface = one.stanza.iface
            of_port = bool(known & {*expanded(iface or "")})
            for line in one.lines if iface else ():
                words = f"{one.place}: {line.words[0]} {line.value}"
                if line.key in TAKING and iface not in own and any(names(line.value, name) for name in known):
                    yield iface or "", words
                if of_port and line.key in BELONGING and line.value not in own:
                    yield line.value, words
                elif of_port and line.key.startswith("ovs-"):
                    yield OVS, words
                if _by_command(line, iface or "", known, own):
                    yield "a command", words

    def _above(self, port: str, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        known = self._names(port)
        for one in self.stanzas:
            iface = one.stanza.iface
            if iface is None or iface in own:
                continue
            if any(name.startswith(tuple(f"{each}." for each in known)) for name in expanded(iface)):
                yield iface, one.place
            for line in one.lines:
                if line.key in BUILT_ON and known & set(line.words[1:]):
                    yield iface, f"{one.place}: {line.words[0]} {line.value}"

    def _above_live(self, port: str, own: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        for name, link in self.links.items():
            if link.lower == port and name not in own:
                yield name, f"live, a port of {link.master}" if link.master else f"live, a {link.kind}"


def _stanzas(path: str, text: str) -> Iterator[PlacedStanza]:
    file, line = InterfacesFile(text), 1
    line += sum(one.text.count("\n") for one in file.preamble)
    for stanza in file.stanzas:
        yield PlacedStanza(path, line, stanza)
        line += sum(one.text.count("\n") for one in (stanza.head, *stanza.body))


def _by_command(line: Line, iface: str, known: set[str], own: tuple[str, ...]) -> bool:
    """Whether a command gives the port to another interface, or puts one on it: `ip link set eno2 master vmbr7`."""
    words = tuple(word.replace("$IFACE", iface) for word in line.words[1:])
    if line.key not in COMMANDS or not known & set(words) or not any(giving <= set(words) for giving in GIVING):
        return False
    after = words[words.index("master") + 1 : words.index("master") + 2] if "master" in words else ()
    return not ({*after, iface} & set(own))


def _ip(address: str) -> str:
    return address.partition("/")[0]
