"""A parser of corosync.conf as Proxmox's (pve-cluster, PVE::Corosync::parse_conf): words between white space, and comments anywhere."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tasks.core.model.errors import BurrowError
from tasks.platforms.text_lines import raw_lines

COROSYNC_CONF = "/etc/pve/corosync.conf"
BY_HAND = "correct it as in pvecm(1), then run again"

# Sections that may occur several times in one place.
REPEATED = ("node", "interface")
# White space of Perl: not every blank of Unicode.
WORD = re.compile(r"\S+", re.ASCII)
# corosync.conf(5): links 0 to 7.
LINKS = 8

Section = dict[str, str]
# (line number, word).
Word = tuple[int, str]


@dataclass(frozen=True)
class _Open:
    """A section: its path, its settings, and the names of the sections in it."""

    path: tuple[str, ...]
    settings: Section = field(default_factory=dict)
    inner: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Corosync:
    """The cluster's name, each node's addresses by link, the nodes' names by id, and each link's priority. All empty without a file."""

    name: str
    nodes: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, str]
    priorities: Mapping[int, int]


def parse(text: str) -> Corosync:
    """The cluster of a file. Raises BurrowError, with the line, where Proxmox would reject the file or it names no cluster."""
    if not text:
        return Corosync("", {}, {}, {})
    sections = [(one.path, one.settings) for one in _sections(_words(text))]
    nodes = {name: one for path, one in sections if path == ("nodelist", "node") and (name := one.get("name") or one.get("ring0_addr"))}
    links = [one for path, one in sections if path == ("totem", "interface")]
    name = next((one["cluster_name"] for path, one in sections if path == ("totem",) and "cluster_name" in one), "")
    if not name or not nodes:
        missing = "node in nodelist" if name else "cluster_name in totem"
        raise BurrowError(f"{COROSYNC_CONF} exists but has no {missing}: {BY_HAND}")
    priorities = {one.get("linknumber") or one.get("ringnumber", ""): one.get("knet_link_priority", "1") for one in links}
    return Corosync(
        name,
        {node: _addresses(one) for node, one in nodes.items()},
        {one.get("nodeid", ""): node for node, one in nodes.items()},
        {int(link): int(priority) for link, priority in priorities.items() if link.isdecimal() and priority.isdecimal()},
    )


def _addresses(node: Section) -> tuple[str, ...]:
    """A node's addresses in the order of the links."""
    numbers = [number for number in range(LINKS) if f"ring{number}_addr" in node]
    return tuple(node.get(f"ring{number}_addr", "no address") for number in range(max(numbers, default=-1) + 1))


def _words(text: str) -> list[Word]:
    lines = enumerate((line.partition("#")[0] for line in raw_lines(text)), 1)
    return [(number, word) for number, line in lines for word in WORD.findall(line)]


def _sections(words: Iterable[Word]) -> Iterator[_Open]:
    """Every section. Raises BurrowError where Proxmox's parser would fail, and where a section and a setting have one name."""
    open_ = [_Open(())]
    remaining = iter([*words, (0, "")])
    number, word = next(remaining)
    while word:
        section, line, (number, following) = open_[-1], number, next(remaining)
        if following == "{":
            if word in section.settings or (word in section.inner and word not in REPEATED):
                raise BurrowError(f"{COROSYNC_CONF}, line {line}: a second section {word}: {BY_HAND}")
            section.inner.add(word)
            open_.append(_Open((*section.path, word)))
            number, word = next(remaining)
        elif word == "}":
            if not section.path:
                raise BurrowError(f"{COROSYNC_CONF}, line {line}: `}}` without a section: {BY_HAND}")
            yield open_.pop()
            word = following
        elif word.endswith(":") and following and word[:-1] not in section.inner:
            section.settings[word[:-1]] = following
            number, word = next(remaining)
        else:
            raise BurrowError(f"{COROSYNC_CONF}, line {line}: wanted `KEY: VALUE` or `SECTION {{`, found `{word}`: {BY_HAND}")
    if len(open_) > 1:
        raise BurrowError(f"{COROSYNC_CONF}: section {open_[-1].path[-1]} has no end: {BY_HAND}")
