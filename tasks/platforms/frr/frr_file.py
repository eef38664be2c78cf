"""FRR's configuration as text whose every line keeps its place: read by statement, merged by statement.

A statement stands in a context (`interface en05`, `router ospf`, `bfd` and in it `profile fabric`), as FRR itself writes it: deeper by
indentation, ended by `exit`. A merge candidate is written in the same grammar; what it does not name stays as it stands, comments too.
`no STATEMENT` in a candidate takes away what has that key, in a context or, at the top, a whole context.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

Path = tuple[str, ...]

# What opens a context, by its first words (FRR, vtysh's nodes); deeper ones only inside the one before the slash.
OPENERS = frozenset(
    {"interface", "router", "route-map", "bfd", "vrf", "key chain", "line", "nexthop-group", "mpls ldp", "l2vpn", "pseudowire"}
    | {"segment-routing", "pbr-map", "rpki"}
)
INNER_OPENERS = frozenset({"bfd/profile", "bfd/peer", "key chain/key", "router/address-family", "mpls ldp/address-family", "vrf/rpki"})
# What stands in no context, by its first words: it ends one that has no `exit` (FRR: lib/command.c and each daemon's own).
AT_THE_TOP = frozenset(
    {"frr", "hostname", "domainname", "log", "service", "password", "enable", "username", "banner", "debug", "agentx", "access-list"}
    | {
        "ip route",
        "ip prefix-list",
        "ip access-list",
        "ip forwarding",
        "ip protocol",
        "ip nht",
        "ip router-id",
        "ip import-table",
        "ip mroute",
    }
    | {
        "ipv6 route",
        "ipv6 prefix-list",
        "ipv6 access-list",
        "ipv6 forwarding",
        "ipv6 protocol",
        "ipv6 nht",
        "zebra",
        "fpm",
        "mac access-list",
    }
    | {"bgp as-path", "bgp community-list", "bgp large-community-list", "bgp extcommunity-list", "allow-external-route-update", "line"}
)
# Statements that stand once in a context: their first words are the key, the rest is the value. Any other line is its own key.
ONCE = (
    *("frr version", "frr defaults", "hostname", "log syslog", "ip forwarding", "ipv6 forwarding", "ip protocol ospf"),
    *("ip ospf area", "ip ospf cost", "ip ospf hello-interval", "ip ospf dead-interval", "ip ospf network", "ip ospf passive"),
    *("ip ospf bfd profile", "ip ospf bfd", "ip ospf authentication", "ip ospf message-digest-key", "ospf router-id"),
    *("transmit-interval", "receive-interval", "detect-multiplier", "set src", "description"),
)
# Statements whose `no` is a setting of its own, which FRR writes down.
SWITCHES = ("ip forwarding", "ipv6 forwarding")


@dataclass
class Line:
    """A line as it stands, with the context that it is in. A comment or blank line has no words; `exit` closes."""

    text: str
    path: Path
    words: tuple[str, ...]
    opens: Path | None = None

    @property
    def closes(self) -> bool:
        """Whether it ends its context."""
        return bool(self.words) and (self.words[0] == "end" or self.words[0].startswith("exit"))

    @property
    def key(self) -> str:
        """What of it is fixed while its value changes; empty where it says nothing."""
        return "" if self.closes else key_of(self.words)


def key_of(words: tuple[str, ...]) -> str:
    """The key of a statement: `no` in front makes no other key."""
    said = " ".join(words[1:] if words[:1] == ("no",) else words)
    return next((key for key in sorted(ONCE, key=len, reverse=True) if said == key or said.startswith(f"{key} ")), said)


def in_dots(area: str) -> str:
    """An area's id as FRR names it inside: `0` is `0.0.0.0` (ospfd, str2area_id)."""
    return str(IPv4Address(int(area))) if area.isdecimal() and int(area) < 2**32 else area


def same_statement(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether two statements mean the same: word for word, but for the two spellings of an area."""
    return one == other or (one[:3] == other[:3] == ("ip", "ospf", "area") and [*map(in_dots, one[3:])] == [*map(in_dots, other[3:])])


def _opens(words: tuple[str, ...], path: Path) -> bool:
    outer = next((one for one in OPENERS if path and (path[0] == one or path[0].startswith(f"{one} "))), "")
    names = {" ".join(words[:count]) for count in (1, 2)}
    return bool(names & OPENERS) if not path else bool({f"{outer}/{name}" for name in names} & INNER_OPENERS)


@dataclass
class _Context:
    """A context while its lines are read. Flat: its statements are indented no deeper than it, which vtysh takes as well."""

    indent: int
    name: str
    flat: bool | None = None

    def holds(self, words: tuple[str, ...], indent: int) -> bool:
        """Whether a statement stands in it: by its indentation, or in a flat one because it is none of the top."""
        said = words[1:] if words[0] == "no" else words
        of_a_vrf = self.name.startswith("vrf ") and said[:1] in (("ip",), ("ipv6",))
        at_the_top = _opens(said, ()) or (bool({" ".join(said[:count]) for count in (1, 2)} & AT_THE_TOP) and not of_a_vrf)
        return indent > self.indent or (self.flat is not False and not at_the_top)


class FrrFile:
    """A parsed file; `str()` gives back every byte of what was not changed."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = []
        stack: list[_Context] = []
        for raw in text.splitlines(keepends=True):
            said = raw.strip()
            words = () if said.startswith(("!", "#")) else tuple(said.split())
            indent = len(raw) - len(raw.lstrip())
            closes = Line(raw, (), words).closes
            while words and not closes and stack and not stack[-1].holds(words, indent):
                stack.pop()
            if said and not closes and stack and stack[-1].flat is None:
                stack[-1].flat = bool(words) and indent <= stack[-1].indent
            line = Line(raw, tuple(one.name for one in stack), words)
            if line.closes:
                # A deeper one ends a context that is none of those above.
                if stack and indent <= stack[-1].indent:
                    stack.pop()
            elif words and words[0] != "no" and _opens(words, line.path):
                stack.append(_Context(indent, " ".join(words)))
                line.opens = (*line.path, " ".join(words))
            self.lines.append(line)

    def __str__(self) -> str:
        return "".join(line.text for line in self.lines)

    def contexts(self) -> tuple[Path, ...]:
        """The contexts, each once, in the order of the file."""
        return tuple(dict.fromkeys(line.opens for line in self.lines if line.opens))

    def statements(self, path: Path = ()) -> Iterator[Line]:
        """The statements that stand in a context itself."""
        return (line for line in self.lines if line.path == path and line.key and not line.opens)

    def get(self, path: Path, key: str) -> str | None:
        """The value of a statement that stands once, empty where it has none; None where it does not stand."""
        found = next((line for line in self.statements(path) if line.key == key and line.words[0] != "no"), None)
        return None if found is None else " ".join(found.words).removeprefix(key).strip()

    def said(self) -> frozenset[tuple[Path, str]]:
        """Every statement with its context, for comparing two files whose order differs."""
        return frozenset((line.path, " ".join(line.words)) for line in self.lines if line.words and not line.closes and not line.opens)


def merge(text: str, candidate: str) -> str:
    """`text` with the candidate's statements in it and all else as it was; the same text where nothing differs."""
    file, wanted = FrrFile(text if text.endswith("\n") or not text else f"{text}\n"), FrrFile(candidate)
    for line in wanted.lines:
        if line.opens:
            _ensure(file, line.opens)
        elif line.key and _takes_away(line):
            _remove(file, line.path, line.key)
        elif line.key:
            _set(file, line)
    merged = str(file)
    return text if merged.rstrip("\n") == text.rstrip("\n") else merged


def _takes_away(line: Line) -> bool:
    return line.words[0] == "no" and line.key not in SWITCHES


def _depth(path: Path) -> str:
    return " " * len(path)


def _end_of(file: FrrFile, path: Path) -> int:
    """Where a new line of a context goes: after its last statement, before its `exit`."""
    if not path:
        return next((index for index, line in enumerate(file.lines) if line.words[:2] == ("line", "vty")), len(file.lines))
    inside = [
        index
        for index, line in enumerate(file.lines)
        if line.opens == path or (line.path[: len(path)] == path and line.words and not (line.closes and line.path == path))
    ]
    return inside[-1] + 1


def _ensure(file: FrrFile, path: Path) -> None:
    if path in file.contexts():
        return
    outer = path[:-1]
    block = [Line(f"{_depth(outer)}{path[-1]}\n", outer, tuple(path[-1].split()), path), Line(f"{_depth(outer)}exit\n", path, ("exit",))]
    place = _end_of(file, outer)
    if not outer:
        block.append(Line("!\n", (), ()))
    file.lines[place:place] = block


def _set(file: FrrFile, wanted: Line) -> None:
    holders = [line for line in file.statements(wanted.path) if line.key == wanted.key]
    if not holders:
        text = f"{_depth(wanted.path)}{' '.join(wanted.words)}\n"
        file.lines.insert(_end_of(file, wanted.path), Line(text, wanted.path, wanted.words))
        return
    own, *others = holders
    if not same_statement(own.words, wanted.words):
        own.text = f"{own.text[: len(own.text) - len(own.text.lstrip())]}{' '.join(wanted.words)}\n"
        own.words = wanted.words
    file.lines = [line for line in file.lines if not any(line is other for other in others)]


def _remove(file: FrrFile, path: Path, key: str) -> None:
    """A statement; or a context with all that is in it, up to the comment line that FRR writes after it."""
    whole = (*path, key)
    gone = {id(line) for line in file.lines if line.opens == whole or line.path[: len(whole)] == whole}
    gone |= {id(line) for line in file.statements(path) if line.key == key}
    file.lines = [line for line in file.lines if id(line) not in gone]


# A line of the daemons file, which a shell reads: a value with or without quotes, a comment after a blank.
ASSIGNED = re.compile(r"""\s*(?P<name>\w+)=(?P<value>"[^"]*"|'[^']*'|[^\s#]*)(?P<rest>.*)""")


def merge_daemons(text: str, candidate: str) -> str:
    """FRR's daemons file with the candidate's `name=value` lines in place of those of the same name; new ones at the end."""
    wanted = {found["name"]: line.strip() for line, found in _assigned(candidate)}
    lines = text.splitlines(keepends=True)
    for index, (line, found) in enumerate(zip(lines, map(ASSIGNED.match, lines), strict=True)):
        if found and (new := ASSIGNED.match(wanted.get(found["name"], ""))) and new["value"].strip("\"'") != found["value"].strip("\"'"):
            lines[index] = f"{new[0].rstrip()}{found['rest'] if not new['rest'].strip() else ''}".rstrip() + line[len(line.rstrip()) :]
    present = {found["name"] for _, found in _assigned(text)}
    missing = [f"{line}\n" for name, line in wanted.items() if name not in present]
    if missing and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"  # what comes after the last line must not run into it
    return "".join([*lines, *missing])


def _assigned(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    return ((line, found) for line in text.splitlines() if (found := ASSIGNED.match(line)))


def daemons(text: str) -> frozenset[str]:
    """The daemons that a daemons file starts; of several lines of a name the last counts, as in any shell."""
    said = {found["name"]: found["value"].strip("\"'") for _, found in _assigned(text)}
    return frozenset(name for name, value in said.items() if value == "yes" and name.endswith("d"))
