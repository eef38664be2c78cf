"""Reads corosync.conf, and writes it in Proxmox's format."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .options import PveError

LINKS = range(8)
# Sections that may occur several times in their parent.
REPEATED = ("node", "interface")

Section = dict[str, Any]


def parse(text: str) -> Section:
    """The nested sections of a file. Repeated sections are lists."""
    return _section(iter(text.splitlines()))


def _section(lines: Iterator[str]) -> Section:
    found: Section = {}
    for raw in lines:
        line = raw.strip()
        if line == "}":
            break
        if line.endswith("{"):
            name = line[:-1].strip()
            inner = _section(lines)
            if name in REPEATED:
                found.setdefault(name, []).append(inner)
            else:
                found[name] = inner
        elif line and not line.startswith("#"):
            key, _, value = line.partition(":")
            found[key.strip()] = value.strip()
    return found


def render(section: Mapping[str, Any], indent: str = "") -> str:
    """The text of a file."""
    text = ""
    for key, value in sorted(section.items()):
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                text += f"{indent}{key} {{\n{render(inner, indent + '  ')}{indent}}}\n"
            else:
                text += f"{indent}{key}: {inner}\n"
        if not indent and isinstance(value, dict):
            text += "\n"
    return text


def parse_link(text: str) -> tuple[str, str | None]:
    """Address and priority of a link: ADDRESS[,priority=NUMBER].

    Raises:
        PveError: The text has another format.
    """
    fields = dict((part if "=" in part else f"address={part}").split("=", 1) for part in text.split(","))
    if "address" not in fields or set(fields) - {"address", "priority"}:
        raise PveError(f"400 Parameter verification failed.\nlink: invalid format - format error in '{text}'")
    return fields["address"], fields.get("priority")


def links_of(values: Mapping[str, str]) -> dict[int, tuple[str, str | None]]:
    """The links of a command line, by number."""
    return {number: parse_link(values[f"link{number}"]) for number in LINKS if f"link{number}" in values}


def fresh(cluster: str, node: Section, links: Mapping[int, tuple[str, str | None]]) -> Section:
    """The configuration of a cluster of one node."""
    priorities = {number: {"knet_link_priority": priority} if priority else {} for number, (_, priority) in links.items()}
    return {
        "logging": {"debug": "off", "to_syslog": "yes"},
        "nodelist": {"node": [node]},
        "quorum": {"provider": "corosync_votequorum"},
        "totem": {
            "cluster_name": cluster,
            "config_version": "1",
            "interface": [{"linknumber": str(number), **priorities[number]} for number in sorted(links)],
            "ip_version": "ipv4-6",
            "link_mode": "passive",
            "secauth": "on",
            "token_coefficient": "125",
            "version": "2",
        },
    }


def member(name: str, number: int, votes: str, links: Mapping[int, tuple[str, str | None]]) -> Section:
    """A node of the configuration."""
    rings = {f"ring{link}_addr": address for link, (address, _) in links.items()}
    return {"name": name, "nodeid": str(number), "quorum_votes": votes, **rings}


def next_version(conf: Section) -> None:
    """Increment the configuration's version."""
    conf["totem"]["config_version"] = str(int(conf["totem"]["config_version"]) + 1)


def read(path: Path) -> Section:
    """The configuration of a cluster.

    Raises:
        PveError: There is none.
    """
    if not path.exists():
        raise PveError(f"Error: Corosync config '{path}' does not exist - is this node part of a cluster?")
    return parse(path.read_text())
