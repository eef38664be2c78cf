"""What ifupdown2's own syntax check lets through: unknown attributes, ports that are not there, ports used twice."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tasks.core.interfaces_file import InterfacesFile, Stanza

# What makes an interface that is no port of the machine.
VIRTUAL = (
    "bond-slaves",
    "bridge-ports",
    "vlan-raw-device",
    "vlan-id",
    "vxlan-id",
    "link-type",
    "slaves",
    "vrf-table",
    "tunnel-mode",
    "ovs-type",
)


def problems_of(text: str, ports: frozenset[str], before: str = "") -> list[str]:
    """What is wrong with an interfaces file on a host that has `ports`; lines that already stood there are left to their owner."""
    file, old = InterfacesFile(text), InterfacesFile(before)
    return [*_unknown_attributes(file, old), *_missing_ports(file, ports), *_ports_used_twice(file)]


@cache
def _attributes() -> tuple[frozenset[str], tuple[str, ...]]:
    """The words of attributes.txt: whole names, and prefixes of families."""
    lines = Path(__file__).with_name("attributes.txt").read_text().splitlines()
    words = " ".join(line for line in lines if not line.startswith("#")).split()
    return frozenset(word for word in words if not word.endswith("*")), tuple(word[:-1] for word in words if word.endswith("*"))


def _known(attribute: str) -> bool:
    names, families = _attributes()
    return attribute in names or attribute.startswith(families)


def _unknown_attributes(file: InterfacesFile, old: InterfacesFile) -> Iterator[str]:
    for stanza in file.stanzas:
        for line in stanza.body if stanza.iface else ():
            if line.key and not _known(line.key) and line.value not in old.get(stanza.iface or "", line.key):
                yield f"iface {stanza.iface}: ifupdown2 has no attribute `{line.words[0]}`; correct its spelling or take the line out"


def members_of(stanza: Stanza) -> tuple[str, ...]:
    """The ports that a bond or bridge takes; words like `none` and `regex` are not ports."""
    words = " ".join(value for key in ("bond-slaves", "bridge-ports", "slaves") for value in stanza.values(key)).split()
    return () if {"regex", "glob"} & set(words) else tuple(word for word in words if word != "none")


def _missing_ports(file: InterfacesFile, ports: frozenset[str]) -> Iterator[str]:
    made = {stanza.iface for stanza in file.stanzas if any(stanza.values(key) for key in VIRTUAL)}
    for stanza in file.stanzas:
        for port in members_of(stanza):
            if port not in ports and port not in made and "." not in port:
                yield f"iface {stanza.iface}: port {port} is not on this host, which has {' '.join(sorted(ports))}"


def _ports_used_twice(file: InterfacesFile) -> Iterator[str]:
    taken: dict[str, str] = {}
    for stanza in file.stanzas:
        for port in members_of(stanza):
            if port in taken and taken[port] != stanza.iface:
                yield f"port {port} is in {taken[port]} and in {stanza.iface}; a port belongs to one"
            taken[port] = stanza.iface or ""
