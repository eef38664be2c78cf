"""Errors in a candidate that ifupdown2's own syntax check accepts or reports without a line: each with its line, before any write."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tasks.platforms.ifupdown2.created import by_ifupdown2, may_be_by_command
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, Line, Stanza

ALIASES = {"bond-ports": "bond-slaves"}
MEMBERS = ("bond-slaves", "bridge-ports")
FLAGS = frozenset({"inherit"})
_METHODS = frozenset({"static", "manual", "loopback", "dhcp", "dhcp6", "ppp", "tunnel"})
METHODS = {"inet": _METHODS, "inet6": _METHODS | {"auto"}}  # `auto` is Proxmox VE's
NAME_LENGTH = 15


@dataclass(frozen=True)
class Problem:
    """An error, and its line."""

    line: int
    text: str
    hint: str = ""


def problems_of(sent: str, result: str, ports: Collection[str], before: str = "", known: Collection[str] = ()) -> list[str]:
    """The errors of a candidate for a host with the interfaces `ports`: first of single lines, then between lines.

    Args:
        sent: The candidate as its author wrote it; an error in one of its lines has the line number in it.
        result: The whole resulting file.
        ports: The interfaces that the host has now.
        before: The present file; errors that it already has are not reported.
        known: Attributes that the host knows in addition to those of attributes.txt.
    """
    old = {problem.text for problem in (*_lines(before, known), *_whole(before, ports, before))}
    found = [("line", problem) for problem in _lines(sent, known)]
    found += [("line" if sent == result else "merged, line", problem) for problem in _whole(result, ports, before)]
    return [f"{where} {problem.line}: {problem.text}{problem.hint}" for where, problem in found if problem.text not in old]


@cache
def attributes() -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of attributes.txt: full names, and prefixes of families."""
    lines = Path(__file__).with_name("attributes.txt").read_text().splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    return frozenset(word for word in words if not word.endswith("*")), tuple(word[:-1] for word in words if word.endswith("*"))


def _numbered(file: InterfacesFile) -> Iterator[tuple[int, Stanza | None, Line]]:
    """Each logical line with the number of its first line and the stanza that it belongs to or begins."""
    number = 1
    for stanza, lines in [(None, file.preamble), *((s, [s.head, *s.body]) for s in file.stanzas)]:
        for line in lines:
            yield number, stanza, line
            number += line.text.count("\n")


def _lines(text: str, known: Collection[str]) -> Iterator[Problem]:
    """The errors of single lines."""
    for number, stanza, line in _numbered(InterfacesFile(text)):
        if not line.key:
            continue
        if stanza is not None and line is stanza.head:
            wrong = _head(line)
        elif stanza is None or not (stanza.iface or stanza.head.key == "vlan"):
            wrong = f"`{line.words[0]}` is in no iface stanza; {_meant(line.words[0], ('auto', 'iface', 'source'))}"
        else:
            wrong = _attribute(line, stanza.head.words[1] if len(stanza.head.words) > 1 else "", known)
        if wrong:
            yield Problem(number, wrong)


def _head(line: Line) -> str | None:
    words = line.words
    if len(words) < 2:
        return f"`{words[0]}` needs a name after it"
    if words[0] != "iface":
        return None
    if len(words[1]) > NAME_LENGTH and "[" not in words[1]:
        return f"iface {words[1]}: a name has at most {NAME_LENGTH} letters"
    if len(words) > 2 and words[2] not in METHODS:
        return f"iface {words[1]}: wanted {' or '.join(METHODS)}, found `{words[2]}`"
    if len(words) > 3 and words[3] not in METHODS[words[2]]:
        return f"iface {words[1]}: wanted one of {' '.join(sorted(METHODS[words[2]]))}, found `{words[3]}`"
    return None


def _attribute(line: Line, iface: str, known: Collection[str]) -> str | None:
    names, families = attributes()
    key = line.words[1].replace("_", "-") if line.key == "no" and len(line.words) > 1 else line.key
    if not (key in names or key in known or key.startswith(families)):
        return f"iface {iface}: ifupdown2 has no attribute `{key}`; {_meant(key, names)}"
    if len(line.words) < 2 and key not in FLAGS:
        return f"iface {iface}: `{key}` needs a value after it"
    return None


def _meant(word: str, names: Collection[str]) -> str:
    close = difflib.get_close_matches(word, sorted(names), n=1)
    return f"did you mean `{close[0]}`?" if close else "correct its spelling or remove the line"


def members_of(line: Line) -> tuple[str, ...]:
    """The ports in a line of a bond or bridge. Patterns and words such as `none` are no ports."""
    if ALIASES.get(line.key, line.key) not in MEMBERS or {"regex", "glob"} & set(line.words[1:]):
        return ()
    return tuple(word for word in line.words[1:] if word not in ("none", "all") and "[" not in word)


def _whole(text: str, ports: Collection[str], before: str) -> Iterator[Problem]:
    """Errors between lines: ports that are missing, that have two owners, or that have an address of their own."""
    file = InterfacesFile(text)
    made = by_ifupdown2(file)
    gone = by_ifupdown2(InterfacesFile(before)) - made
    present = (set(ports) - gone) | made
    owners: dict[str, str] = {}
    for number, stanza, line in _numbered(file):
        owner = (stanza.iface if stanza else None) or ""
        for port in members_of(line) if owner else ():
            if port not in present and "." not in port and not may_be_by_command(file, port):
                yield Problem(number, f"iface {owner}: port {port} is not on this host", f", which has {' '.join(sorted(present))}")
            if owners.setdefault(port, owner) != owner:
                yield Problem(number, f"iface {owner}: port {port} is already in {owners[port]}; a port belongs to one owner only")
    for number, stanza, line in _numbered(file):
        if stanza and stanza.iface in owners and line.key == "address":
            owner = owners[stanza.iface]
            yield Problem(number, f"iface {stanza.iface}: address {line.value} on a port of {owner}; move the address to {owner}")


def daemon_problems(sent: str, before: str) -> list[str]:
    """The errors of a daemons file: each line has to be NAME=VALUE, and to name a daemon of the host's own file."""
    known = {line.partition("=")[0] for line in before.splitlines() if "=" in line and not line.startswith("#")}
    problems = []
    for number, line in enumerate(sent.splitlines(), 1):
        name, equals, value = line.partition("=")
        if not line.strip() or line.startswith("#"):
            continue
        if not equals:
            problems.append(f"daemons, line {number}: wanted NAME=VALUE, found `{line}`")
        elif name not in known and value in ("yes", "no"):
            problems.append(f"daemons, line {number}: the host's FRR has no daemon `{name}`")
    return problems
