"""A parser of corosync.conf as Proxmox's (pve-cluster, PVE::Corosync::parse_conf): words between white space, and comments anywhere."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tasks.core.model.errors import BurrowError
from tasks.platforms.text_lines import raw_lines

COROSYNC_CONF = "/etc/pve/corosync.conf"
BY_HAND = "correct it as in pvecm(1), then run again"

# Sections that may occur several times in one place.
REPEATED = ("node", "interface")

Section = dict[str, str]
# (line number, word).
Word = tuple[int, str]


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
    sections = list(_sections(_words(text)))
    nodes = {name: one for path, one in sections if path == ("nodelist", "node") and (name := one.get("name") or one.get("ring0_addr"))}
    links = [one for path, one in sections if path == ("totem", "interface")]
    name = next((one["cluster_name"] for path, one in sections if path == ("totem",) and "cluster_name" in one), "")
    if not name or not nodes:
        missing = "node in nodelist" if name else "cluster_name in totem"
        raise BurrowError(f"{COROSYNC_CONF} exists but has no {missing}: {BY_HAND}")
    priorities = {one.get("linknumber") or one.get("ringnumber", ""): one.get("knet_link_priority", "1") for one in links}
    return Corosync(
        name,
        {node: tuple(one[key] for key in sorted(one) if re.fullmatch(r"ring\d+_addr", key)) for node, one in nodes.items()},
        {one.get("nodeid", ""): node for node, one in nodes.items()},
        {int(link): int(priority) for link, priority in priorities.items() if link.isdigit() and priority.isdigit()},
    )


def _words(text: str) -> list[Word]:
    lines = enumerate((line.partition("#")[0] for line in raw_lines(text)), 1)
    return [(number, word) for number, line in lines for word in line.split()]


def _sections(words: Iterable[Word]) -> Iterator[tuple[tuple[str, ...], Section]]:
    """Every section with its path. Raises BurrowError where Proxmox's parser would fail."""
    open_: list[tuple[tuple[str, ...], Section]] = [((), {})]
    seen: set[tuple[str, ...]] = set()
    remaining = iter([*words, (0, "")])
    number, word = next(remaining)
    while word:
        path, section = open_[-1]
        line, (next_number, following) = number, next(remaining)
        if following == "{":
            inner = (*path, word)
            if inner in seen and word not in REPEATED:
                raise BurrowError(f"{COROSYNC_CONF}, line {line}: a second section {word}: {BY_HAND}")
            seen.add(inner)
            open_.append((inner, {}))
            number, word = next(remaining)
        elif word == "}":
            if not path:
                raise BurrowError(f"{COROSYNC_CONF}, line {line}: `}}` without a section: {BY_HAND}")
            yield open_.pop()
            number, word = next_number, following
        elif word.endswith(":") and following:
            section[word[:-1]] = following
            number, word = next(remaining)
        else:
            raise BurrowError(f"{COROSYNC_CONF}, line {line}: wanted `KEY: VALUE` or `SECTION {{`, found `{word}`: {BY_HAND}")
    if len(open_) > 1:
        raise BurrowError(f"{COROSYNC_CONF}: section {open_[-1][0][-1]} has no end: {BY_HAND}")
