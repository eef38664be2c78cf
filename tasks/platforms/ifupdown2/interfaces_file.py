"""/etc/network/interfaces as text in which every line keeps its place, read by attribute.

The grammar is that of ifupdown2's parser (ifupdown/networkinterfaces.py). `bridge_ports` and `bridge-ports` are the same attribute.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_interface

from tasks.platforms.ifupdown2.port_words import expanded

# Second spellings of attributes (`aliases` in ifupdown2's addons/bond.py and bridge.py).
SPELLINGS = {"bond-ports": "bond-slaves", "bridge-trunk": "bridge-vids"}
# Attributes that may occur several times in a stanza: a candidate owns its own line among them only.
REPEATED = frozenset({"address", "gateway", "up", "down", "pre-up", "post-up", "pre-down", "post-down"})
# Attributes that every stanza of an interface may have, with one value: ifupdown2 joins the stanzas and uses the first value.
IN_EVERY_STANZA = frozenset({"mtu"})
# Attributes whose value is a set of words.
SETS = frozenset({"bridge-ports", "bond-slaves", "bridge-vids"})
# Values that ifupdown2 also accepts as the bonding driver's numbers.
NUMBERED = {
    "bond-mode": ("balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"),
    "bond-lacp-rate": ("slow", "fast"),
    "bond-xmit-hash-policy": ("layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"),
}
STARTS = frozenset({"iface", "auto", "source", "source-directory", "vlan"})
JOINED = re.compile(r"\s*\\\s*")
# `auto` is the class of the same name (networkinterfaces.py, process_auto).
AUTO = ("auto", "allow-auto")


def attribute_name(word: str) -> str:
    """An attribute in its canonical spelling: `bond_ports` is bond-slaves."""
    hyphened = word.replace("_", "-")
    return SPELLINGS.get(hyphened, hyphened)


@dataclass
class Line:
    """One logical line: its exact text (continuations included) and its words."""

    text: str
    words: tuple[str, ...]

    @property
    def key(self) -> str:
        """The attribute's name in its canonical spelling, with hyphens; empty on a blank line or a comment."""
        return attribute_name(self.words[0]) if self.words else ""

    @property
    def value(self) -> str:
        """The words after the first, separated by single spaces."""
        return " ".join(self.words[1:])

    @property
    def starts_stanza(self) -> bool:
        """Whether it is a top-level line; `vlan-id` and the like are attributes."""
        word = self.words[0] if self.words else ""
        return word in STARTS or word.startswith("allow-") or (self.key == "no" and self.words[1:2] == ("iface",))


@dataclass
class Stanza:
    """A top-level line and the lines that follow it up to the next one."""

    head: Line
    body: list[Line] = field(default_factory=list)

    @property
    def iface(self) -> str | None:
        """The interface of an `iface` stanza, None for any other; `eno2:1` belongs to eno2 (networkinterfaces.py, parse_iface)."""
        return self.head.words[1].split(":")[0] if self.head.key == "iface" and len(self.head.words) > 1 else None

    def values(self, attribute: str) -> tuple[str, ...]:
        """The values of every line of this attribute; an address includes the prefix length from its netmask."""
        return tuple(self.value(line) for line in self.body if line.key == attribute)

    def value(self, line: Line) -> str:
        """The value of one of its lines, as in `values`."""
        if line.key != "address":
            return line.value
        place = next(index for index, one in enumerate(one for one in self.body if one.key == "address") if one is line)
        return with_prefix(line.value, self._netmasks().get(place, ""))

    def _netmasks(self) -> dict[int, str]:
        """{position of an address: the netmask below it}; without an address above it, a netmask is ignored (_add_to_iface_config)."""
        found: dict[int, str] = {}
        addresses = free = 0
        for line in self.body:
            addresses += line.key == "address"
            if line.key == "netmask" and addresses:
                place = max(free, addresses - 1)
                found[place], free = line.value, place + 1
        return found


def with_prefix(address: str, netmask: str = "") -> str:
    """An address as ADDRESS/LENGTH; without a netmask, the length is that of a single host. A text that is no address stays unchanged.

    If the address has no length itself, the netmask at the same position in the stanza applies (ifupdown2's addons/address.py).
    """
    try:
        return ip_interface(address if "/" in address or not netmask else f"{address}/{netmask}").with_prefixlen
    except ValueError:
        return address


def in_words(attribute: str, value: str) -> str:
    """The value by its name if it is a number: `bond-mode 4` is 802.3ad."""
    names = NUMBERED.get(attribute, ())
    return names[int(value)] if value.isdecimal() and int(value) < len(names) else value


def same_value(attribute: str, one: str, other: str) -> bool:
    """Whether two values mean the same: sets in any order, numbers by their names, other values word for word."""
    if attribute in SETS:
        return sorted(one.split()) == sorted(other.split())
    return in_words(attribute, one).split() == in_words(attribute, other).split()


def _logical_lines(text: str) -> Iterator[Line]:
    """Lines as ifupdown2 joins them: a backslash takes the blanks and line ends on both its sides, in comments too (process_interfaces)."""
    joined = JOINED.sub(lambda found: found[0].replace("\n", " "), text)
    start = 0
    for line in joined.split("\n"):
        raw = text[start : start + len(line) + 1]
        start += len(line) + 1
        words = " ".join(part.strip() for part in raw.split("\\")).split()
        if raw:
            yield Line(raw, () if words and words[0].startswith("#") else tuple(words))


class InterfacesFile:
    """A parsed file; `str()` preserves every byte of unchanged lines."""

    def __init__(self, text: str) -> None:
        self.preamble: list[Line] = []
        self.stanzas: list[Stanza] = []
        for line in _logical_lines(text):
            if line.starts_stanza:
                self.stanzas.append(Stanza(line))
            elif self.stanzas:
                self.stanzas[-1].body.append(line)
            else:
                self.preamble.append(line)

    def __str__(self) -> str:
        lines = [*self.preamble, *(line for stanza in self.stanzas for line in (stanza.head, *stanza.body))]
        return "".join(line.text for line in lines)

    def of(self, iface: str) -> list[Stanza]:
        """All stanzas of an interface, which may have one for each address family."""
        return [stanza for stanza in self.stanzas if stanza.iface == iface]

    def ifaces(self) -> tuple[str, ...]:
        """The interfaces that have a stanza, each once, in the order of the file."""
        return tuple(dict.fromkeys(stanza.iface for stanza in self.stanzas if stanza.iface))

    def get(self, iface: str, attribute: str) -> tuple[str, ...]:
        """The values of an attribute in all stanzas of an interface; empty if it is not set."""
        return tuple(value for stanza in self.of(iface) for value in stanza.values(attribute))

    def autos(self) -> frozenset[str]:
        """The interfaces that come up at boot: an `auto` line is for the stanzas below it; `auto all` is for all of them."""
        listed: set[str] = set()
        found: set[str] = set()
        for stanza in self.stanzas:
            if stanza.head.key in AUTO:
                listed |= {name for word in stanza.head.words[1:] for name in expanded(word)}
            elif stanza.iface and not listed.isdisjoint({stanza.iface, "all"}):
                found.add(stanza.iface)
        return frozenset(found | (listed - {"all", *self.ifaces()}))
