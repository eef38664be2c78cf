"""/etc/network/interfaces as text in which every line keeps its place: read by attribute, merged by attribute.

The grammar is interfaces(5) of ifupdown2. The spellings `bridge_ports` and `bridge-ports` are the same attribute.
A merge candidate has the same grammar. Lines that it does not name stay unchanged, comments too. A candidate may also
have `no ATTRIBUTE` inside a stanza, and `no iface NAME` at the top level, to remove configuration.
"""

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
STARTS = frozenset({"iface", "auto", "source", "source-directory", "mapping", "vlan"})


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
        return self.key in STARTS or self.key.startswith("allow-") or (self.key == "no" and self.words[1:2] == ("iface",))


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
        place = next(index for index, one in enumerate(self._lines("address")) if one is line)
        netmasks = self._lines("netmask")
        return with_prefix(line.value, netmasks[place].value if place < len(netmasks) else "")

    def _lines(self, attribute: str) -> list[Line]:
        return [line for line in self.body if line.key == attribute]


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
    pending = ""
    for raw in text.splitlines(keepends=True):
        pending += raw
        stripped = raw.strip()
        if stripped.endswith("\\") and not stripped.startswith("#"):
            continue
        joined = pending.replace("\\\n", " ").strip()
        yield Line(pending, () if joined.startswith("#") else tuple(joined.split()))
        pending = ""
    if pending:
        yield Line(pending, tuple(pending.replace("\\\n", " ").split()))


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
        """The interfaces that come up at boot."""
        words = (word for stanza in self.stanzas if stanza.head.key == "auto" for word in stanza.head.words[1:])
        return frozenset(name.split(":")[0] for word in words for name in expanded(word))


def merge(text: str, candidate: str) -> str:
    """`text` with the candidate's attributes merged in and everything else unchanged; the same text if nothing differs."""
    # New lines after the last one must neither join nor continue it.
    ended = text if text.endswith("\n") or not text else f"{text}\n"
    ended += "\n" if ended.endswith("\\\n") else ""
    file, wanted = InterfacesFile(ended), InterfacesFile(candidate)
    for stanza in wanted.stanzas:
        if stanza.head.key == "no":
            _remove(file, stanza.head.words[2])
    for index, stanza in enumerate(wanted.stanzas):
        if stanza.iface:
            _merge_stanza(file, stanza, followers=[later.iface for later in wanted.stanzas[index + 1 :] if later.iface])
    for iface in sorted(wanted.autos() - file.autos()):
        _add_auto(file, iface)
    merged = str(file)
    return text if merged == ended else merged


def _remove(file: InterfacesFile, iface: str) -> None:
    """Removes its stanzas and its name in `auto` lines. Comments below its last attribute belong to the next stanza, and stay."""
    kept: list[Stanza] = []
    for stanza in file.stanzas:
        words = tuple(word for word in stanza.head.words if word != iface)
        if stanza.iface == iface or (stanza.head.key == "auto" and len(words) == 1):
            rest = stanza.body[_end_of_attributes(stanza) :]
            (kept[-1].body if kept else file.preamble).extend(rest if any(line.text.strip() for line in rest) else ())
            continue
        if stanza.head.key == "auto" and words != stanza.head.words:
            stanza.head = Line(" ".join(words) + "\n", words)
        kept.append(stanza)
    file.stanzas = kept


def _merge_stanza(file: InterfacesFile, wanted: Stanza, followers: list[str]) -> None:
    present = file.of(wanted.iface or "")
    family = wanted.head.words[2:3]
    named = [stanza for stanza in present if stanza.head.words[1] == wanted.head.words[1]]
    target = next((s for s in named if not family or s.head.words[2:3] in (family, ())), None)
    if target is None:
        _insert(file, Stanza(wanted.head, list(wanted.body)), followers)
        return
    if family and target.head.words != wanted.head.words:
        target.head = wanted.head
    for line in wanted.body:
        if line.key == "no":
            attribute = attribute_name(line.words[1])
            for stanza in present:
                stanza.body = [old for old in stanza.body if old.key != attribute]
        elif line.key in IN_EVERY_STANZA:
            for stanza in [stanza for stanza in present if stanza.values(line.key)] or [target]:
                _set([stanza], stanza, line)
        elif line.key:
            _set(present, target, line)


def _set(present: list[Stanza], target: Stanza, wanted: Line) -> None:
    existing = [(stanza, line) for stanza in present for line in stanza.body if line.key == wanted.key]
    want = with_prefix(wanted.value) if wanted.key == "address" else wanted.value
    same = next((line for stanza, line in existing if same_value(wanted.key, stanza.value(line), want)), None)
    own = same or next((line for stanza, line in existing if _is_replaced(stanza, line, target, wanted)), None)
    if own is None:
        target.body.insert(_end_of_attributes(target), Line(f"{_indent(target)}{wanted.text.strip()}\n", wanted.words))
        return
    if own is not same:
        own.text = f"{own.text[: len(own.text) - len(own.text.lstrip())]}{own.words[0]} {wanted.value}\n"
        own.words = (own.words[0], *wanted.words[1:])
    if wanted.key not in REPEATED:
        _drop(existing, keep=own)


def _is_replaced(stanza: Stanza, line: Line, target: Stanza, wanted: Line) -> bool:
    """Whether the wanted line replaces this one. An address replaces only one of its own family and stanza; a command replaces none.

    A loopback has an address for each of its purposes, so none of them replaces another.
    """
    if wanted.key not in REPEATED:
        return True
    return (
        target.iface != "lo" and wanted.key in ("address", "gateway") and stanza is target and (":" in line.value) == (":" in wanted.value)
    )


def _drop(existing: list[tuple[Stanza, Line]], keep: Line) -> None:
    for stanza, line in existing:
        if line is not keep:
            stanza.body = [one for one in stanza.body if one is not line]


def _indent(stanza: Stanza) -> str:
    for line in stanza.body:
        if line.words:
            return line.text[: len(line.text) - len(line.text.lstrip())]
    return "\t"


def _end_of_attributes(stanza: Stanza) -> int:
    return max((index + 1 for index, line in enumerate(stanza.body) if line.words), default=0)


def _insert(file: InterfacesFile, new: Stanza, followers: list[str]) -> None:
    """Inserts the stanza before the first one that follows it in the candidate, and before that one's `auto` line.

    If there is none, inserts it at the end, before trailing `source` lines.
    """
    new.body = [line for line in new.body if line.words and line.key != "no"]
    new.body.append(Line("\n", ()))
    place = next((i for i, s in enumerate(file.stanzas) if s.iface in followers), None)
    if place is None:
        place = len(file.stanzas)
        while place and file.stanzas[place - 1].head.key.startswith("source"):
            place -= 1
    elif place and file.stanzas[place - 1].head.key == "auto" and file.stanzas[place].iface in file.stanzas[place - 1].head.words:
        place -= 1
    before = file.stanzas[place - 1].body if place else file.preamble
    tail = before[-1] if before else (file.stanzas[place - 1].head if place else None)
    if tail is not None and tail.words:
        before.append(Line("\n", ()))
    file.stanzas.insert(place, new)


def _add_auto(file: InterfacesFile, iface: str) -> None:
    place = next((i for i, s in enumerate(file.stanzas) if s.iface == iface), len(file.stanzas))
    file.stanzas.insert(place, Stanza(Line(f"auto {iface}\n", ("auto", iface))))
