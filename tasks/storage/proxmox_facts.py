"""What the changes and checks of the Proxmox cluster read: corosync as it is written and as it runs, storages, keys of its nodes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tasks.core.facts import Fact, text


@dataclass(frozen=True)
class Corosync:
    """/etc/pve/corosync.conf: the cluster's name, each node's addresses by link, its names by id, and what a link counts for."""

    name: str
    nodes: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, str]
    priorities: Mapping[int, int]


@dataclass(frozen=True)
class Quorum:
    """What corosync says of the votes, and the ids of the nodes that are there."""

    quorate: bool
    expected: int
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A link as corosync runs it: the node's own address, and the ids of the nodes that it reaches."""

    address: str
    connected: tuple[str, ...]


def _blocks(text_: str, kind: str) -> list[dict[str, str]]:
    found = re.findall(rf"\b{kind} {{([^{{}}]*)}}", text_)
    return [dict(re.findall(r"^\s*(\w+): *(.*?) *$", block, re.MULTILINE)) for block in found]


def _corosync(text_: str) -> Corosync:
    nodes = [one for one in _blocks(text_, "node") if "name" in one]
    name = re.search(r"^\s*cluster_name: *(\S+)", text_, re.MULTILINE)
    return Corosync(
        name[1] if name else "",
        {one["name"]: tuple(one[key] for key in sorted(one) if key.startswith("ring")) for one in nodes},
        {one.get("nodeid", ""): one["name"] for one in nodes},
        {int(one["linknumber"]): int(one.get("knet_link_priority", 1)) for one in _blocks(text_, "interface") if "linknumber" in one},
    )


def _quorum(output: str) -> Quorum:
    fields = dict(re.findall(r"^([\w ]+): +(\S+)", output, re.MULTILINE))
    members = re.findall(r"^ +(\d+) +\d+ ", output.partition("Membership information")[2], re.MULTILINE)
    return Quorum(fields.get("Quorate") == "Yes", int(fields.get("Expected votes", 0)), tuple(members))


def _links(output: str) -> tuple[Link, ...]:
    """Of `corosync-cfgtool -s`, in the order of the links."""
    found = []
    for block in output.split("LINK ID ")[1:]:
        address = re.search(r"addr\s*= *(\S+)", block)
        found.append(Link(address[1] if address else "", tuple(re.findall(r"nodeid: +(\d+):\s+connected", block))))
    return tuple(found)


def _storages(text_: str) -> Mapping[str, Mapping[str, str]]:
    """{id: {"type": ..., key: value}} of /etc/pve/storage.cfg."""
    found: dict[str, dict[str, str]] = {}
    here: dict[str, str] = {}
    for line in text_.splitlines():
        if line[:1].isspace():
            key, _, value = line.strip().partition(" ")
            here[key] = value.strip()
        elif ":" in line:
            kind, _, name = line.partition(":")
            here = found[name.strip()] = {"type": kind.strip()}
    return found


def _status(output: str) -> Mapping[str, str]:
    """{storage: active, inactive or disabled}."""
    return {words[0]: words[2] for words in (line.split() for line in output.splitlines()[1:]) if len(words) > 2}


COROSYNC = Fact("corosync", "cat /etc/pve/corosync.conf 2>/dev/null || true", _corosync)
QUORUM = Fact("corosync_quorum", "corosync-quorumtool -s 2>/dev/null || true", _quorum)
COROSYNC_LINKS = Fact("corosync_links", "corosync-cfgtool -s 2>/dev/null || true", _links)
STORAGES = Fact("storages", "cat /etc/pve/storage.cfg 2>/dev/null || true", _storages)
# Mounts what is not mounted yet, as Proxmox itself does every few seconds; it asks one server after the other, 2 to 12 s each.
STORAGE_STATUS = Fact("storage_status", "pvesm status 2>/dev/null || true", _status, within_s=8)
ROOT_KEY = text("root_key", "/root/.ssh/id_rsa.pub")
HOST_KEY = text("host_key", "/etc/ssh/ssh_host_ed25519_key.pub")
AUTHORIZED_KEYS = text("authorized_keys", "/root/.ssh/authorized_keys")
# Where it really is: Proxmox links it to the cluster's.
KEYS_PATH = Fact("authorized_keys_path", "readlink -f /root/.ssh/authorized_keys || true", str.strip)
KNOWN_HOSTS = text("known_hosts", "/root/.ssh/known_hosts")
