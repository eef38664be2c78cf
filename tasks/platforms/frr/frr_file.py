"""FRR's configuration as text in which every line keeps its place: read by statement, merged by statement.

A statement is in a context (`interface en05`, `router ospf`, `bfd` and in it `profile fabric`), in FRR's own form: indented, and ended by
`exit`. A merge candidate has the same grammar. Lines that it does not name stay unchanged, comments too. `no STATEMENT` in a candidate
removes the statement with that key from a context, or a whole context at the top level.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address

from tasks.platforms.text_lines import raw_lines

Path = tuple[str, ...]

# First words of statements that open a context (FRR, vtysh's nodes). An inner context is only inside the one before the slash.
OPENERS = frozenset(
    {"interface", "router", "route-map", "bfd", "vrf", "key chain", "line", "nexthop-group", "mpls ldp", "l2vpn", "pseudowire"}
    | {"segment-routing", "pbr-map", "rpki"}
)
INNER_OPENERS = frozenset({"bfd/profile", "bfd/peer", "key chain/key", "router/address-family", "mpls ldp/address-family", "vrf/rpki"})
# First words of top-level statements: such a statement ends a context without `exit` (FRR: lib/command.c and each daemon's own).
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
# Statements that end a context even if they are indented deeper, because they exist at the top alone: FRR ignores indentation.
ANYWHERE = frozenset({"ip route", "ipv6 route", "ip prefix-list", "ipv6 prefix-list", "access-list", "router", "route-map"})
# Contexts that have statements `interface NAME` of their own.
WITH_INTERFACES = ("mpls ldp", "address-family")
# Statements that occur once in a context: their first words are the key, the rest is the value. Any other line is its own key.
ONCE = (
    *("frr version", "frr defaults", "hostname", "log syslog", "ip forwarding", "ipv6 forwarding", "ip protocol ospf"),
    *("ip ospf area", "ip ospf cost", "ip ospf hello-interval", "ip ospf dead-interval", "ip ospf network", "ip ospf passive"),
    *("ip ospf bfd profile", "ip ospf bfd", "ip ospf authentication", "ip ospf message-digest-key", "ospf router-id"),
    *("transmit-interval", "receive-interval", "detect-multiplier", "set src", "description"),
)
# Second spellings: {first word of the context: (first word of the statement, the words that FRR writes instead)}.
SPELLINGS = {("router", "ospf"): ("router-id", ("ospf", "router-id")), ("interface",): ("ospf", ("ip", "ospf"))}
# Statements whose `no` form is a setting too, which FRR writes.
SWITCHES = ("ip forwarding", "ipv6 forwarding")


@dataclass
class Line:
    """A line's exact text, with its context. A comment or blank line has no words; `exit` closes the context."""

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
        """The part that identifies the statement whatever its value; empty on a line without a statement."""
        return "" if self.closes else key_of(self.statement)

    @property
    def statement(self) -> tuple[str, ...]:
        """Its words in FRR's own spelling: `router-id` below `router ospf` is `ospf router-id`, area `0` of a port is `0.0.0.0`."""
        no, words = (self.words[:1], self.words[1:]) if self.words[:1] == ("no",) else ((), self.words)
        if not self.path or words[:1] not in (("router-id",), ("ospf",), ("ip",)):
            return self.words
        if words[:3] == ("ip", "ospf", "area"):
            return (*no, *words[:3], *map(in_dots, words[3:]))
        context = tuple(self.path[0].split())
        spelled, written = next((SPELLINGS[start] for start in (context[:1], context[:2]) if start in SPELLINGS), ("", ()))
        if words[:1] != (spelled,):
            return self.words
        return Line(self.text, self.path, (*no, *written, *words[1:])).statement


def key_of(words: tuple[str, ...]) -> str:
    """The key of a statement. A leading `no` does not change the key."""
    statement = " ".join(words[1:] if words[:1] == ("no",) else words)
    return next((key for key in sorted(ONCE, key=len, reverse=True) if statement == key or statement.startswith(f"{key} ")), statement)


def in_dots(area: str) -> str:
    """An area's id in FRR's dotted form: `0` is `0.0.0.0` (ospfd, str2area_id)."""
    return str(IPv4Address(int(area))) if area.isdecimal() and int(area) < 2**32 else area


def _opens(words: tuple[str, ...], path: Path) -> bool:
    outer = next((one for one in OPENERS if path and (path[0] == one or path[0].startswith(f"{one} "))), "")
    names = {" ".join(words[:count]) for count in (1, 2)}
    return bool(names & OPENERS) if not path else bool({f"{outer}/{name}" for name in names} & INNER_OPENERS)


@dataclass
class _Context:
    """A context during parsing. In a flat one, the statements are indented no deeper than its first line, which vtysh accepts too."""

    indent: int
    name: str
    flat: bool | None = None

    def contains(self, words: tuple[str, ...], indent: int) -> bool:
        """Whether a statement is in it: by its indentation, or in a flat context because it is no top-level statement."""
        statement = words[1:] if words[0] == "no" else words
        of_a_vrf = self.name.startswith("vrf ") and statement[:1] in (("ip",), ("ipv6",))
        names = {" ".join(statement[:count]) for count in (1, 2)}
        port = statement[:1] == ("interface",) and len(statement) == 2 and not self.name.startswith(WITH_INTERFACES)
        if port or (names & ANYWHERE and not of_a_vrf):
            return False
        at_the_top = _opens(statement, ()) or (bool(names & AT_THE_TOP) and not of_a_vrf)
        return indent > self.indent or (self.flat is not False and not at_the_top)


class FrrFile:
    """A parsed file; `str()` preserves every byte of unchanged lines."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = []
        stack: list[_Context] = []
        for raw in raw_lines(text):
            stripped = raw.strip()
            words = () if stripped.startswith(("!", "#")) else tuple(stripped.split())
            indent = len(raw) - len(raw.lstrip())
            closes = Line(raw, (), words).closes
            while words and not closes and stack and not stack[-1].contains(words, indent):
                stack.pop()
            if words and not closes and stack and stack[-1].flat is None:
                stack[-1].flat = indent <= stack[-1].indent
            line = Line(raw, tuple(one.name for one in stack), words)
            if line.closes:
                # An `exit` that is indented deeper ends a context that is not on the stack.
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
        """The statements of a context, without those of its inner contexts."""
        return (line for line in self.lines if line.path == path and line.key and not line.opens)

    def get(self, path: Path, key: str) -> str | None:
        """The value of a statement that occurs once, empty if it has no value; None if the context lacks the statement.

        Of several, the last one counts, except of a port's area, which FRR does not replace.
        """
        value = None
        for line in self.statements(path):
            if line.key == key and line.words[0] == "no":
                value = None
            elif line.key == key and (value is None or key != "ip ospf area"):
                value = " ".join(line.statement).removeprefix(key).strip()
        return value


def merge(text: str, candidate: str) -> str:
    """`text` with the candidate's statements merged in and everything else unchanged; the same text if nothing differs."""
    file, wanted = FrrFile(text if text.endswith("\n") or not text else f"{text}\n"), FrrFile(candidate)
    for line in wanted.lines:
        if line.opens:
            _ensure(file, line.opens)
        elif line.key and _removes(line):
            _remove(file, line.path, line.key)
        elif line.key:
            _set(file, line)
    merged = str(file)
    return text if merged.rstrip("\n") == text.rstrip("\n") else merged


def _removes(line: Line) -> bool:
    return line.words[0] == "no" and line.key not in SWITCHES


def _indent(file: FrrFile, path: Path) -> str:
    """The indentation of a context's statements: that of its last one, or one blank more than that of the context."""
    inside = [line.text for line in file.lines if line.path == path and line.words and not line.closes]
    if inside or not path:
        return inside[-1][: len(inside[-1]) - len(inside[-1].lstrip())] if path else ""
    return f"{_indent(file, path[:-1])} "


def _end_of(file: FrrFile, path: Path) -> int:
    """The index for a new line of a context: after its last statement, before its `exit`."""
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
    indent = _indent(file, outer)
    block = [Line(f"{indent}{path[-1]}\n", outer, tuple(path[-1].split()), path), Line(f"{indent}exit\n", path, ("exit",))]
    place = _end_of(file, outer)
    if not outer:
        block.append(Line("!\n", (), ()))
    file.lines[place:place] = block


def _set(file: FrrFile, wanted: Line) -> None:
    existing = [line for line in file.statements(wanted.path) if line.key == wanted.key]
    if not existing:
        text = f"{_indent(file, wanted.path)}{' '.join(wanted.words)}\n"
        # FRR forgets the profile where `ip ospf bfd` comes after it.
        profile = "ip ospf bfd profile" if wanted.key == "ip ospf bfd" else ""
        place = next((index for index, line in enumerate(file.lines) if profile and (line.path, line.key) == (wanted.path, profile)), None)
        file.lines.insert(_end_of(file, wanted.path) if place is None else place, Line(text, wanted.path, wanted.words))
        return
    own, *duplicates = existing
    if own.statement != wanted.statement:
        own.text = f"{own.text[: len(own.text) - len(own.text.lstrip())]}{' '.join(wanted.words)}\n"
        own.words = wanted.words
    file.lines = [line for line in file.lines if not any(line is other for other in duplicates)]


def _remove(file: FrrFile, path: Path, key: str) -> None:
    """Removes a statement, or a context with its contents, but not the comment line that FRR writes after it."""
    whole = (*path, key)
    gone = {id(line) for line in file.lines if line.opens == whole or line.path[: len(whole)] == whole}
    gone |= {id(line) for line in file.statements(path) if line.key == key}
    file.lines = [line for line in file.lines if id(line) not in gone]


# A line of the daemons file, which is shell syntax: a value with or without quotes, and a comment after a blank.
ASSIGNED = re.compile(r"""\s*(?P<name>\w+)=(?P<value>"[^"]*"|'[^']*'|[^\s#]*)(?P<rest>.*)""")


def merge_daemons(text: str, candidate: str) -> str:
    """FRR's daemons file with the candidate's `name=value` lines in place of those with the same name; new ones are added at the end."""
    wanted = {found["name"]: line.strip() for line, found in _assigned(candidate)}
    lines = raw_lines(text)
    for index, (line, found) in enumerate(zip(lines, map(ASSIGNED.match, lines), strict=True)):
        if found and (new := ASSIGNED.match(wanted.get(found["name"], ""))) and new["value"].strip("\"'") != found["value"].strip("\"'"):
            lines[index] = f"{new[0].rstrip()}{found['rest'] if not new['rest'].strip() else ''}".rstrip() + line[len(line.rstrip()) :]
    present = {found["name"] for _, found in _assigned(text)}
    missing = [f"{line}\n" for name, line in wanted.items() if name not in present]
    if missing and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"  # a new line must not join the last one
    return "".join([*lines, *missing])


def _assigned(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    return ((line, found) for line in raw_lines(text) if (found := ASSIGNED.match(line)))


def daemons(text: str) -> frozenset[str]:
    """The daemons that a daemons file starts. If a name occurs several times, the last line applies, as in a shell."""
    values = {found["name"]: found["value"].strip("\"'") for _, found in _assigned(text)}
    return frozenset(name for name, value in values.items() if value == "yes" and name.endswith("d"))
