"""The SSH keys of the Proxmox cluster's nodes, before and after they join."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Step
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import shared_mount
from tasks.virtualization.node_keys.known_hosts import known, missing_hosts
from tasks.virtualization.node_keys.ssh_keys import Key, authorized, missing_keys, with_lines
from tasks.virtualization.proxmox_cluster.facts import AUTHORIZED_KEYS, COROSYNC, HOST_KEY, KEYS_PATH, KNOWN_HOSTS, ROOT_KEY, members

KEYS_FILE, HOSTS_FILE = "/root/.ssh/authorized_keys", "/root/.ssh/known_hosts"


@dataclass(frozen=True)
class Known:
    """A node's lines about the other nodes: the keys that it accepts, and the hosts that it knows."""

    keys: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class NodeKeys(Change[Known]):
    """Root of each node may log in on every other node and knows its host key, because `pvecm add` uses SSH."""

    needs: ClassVar = (ROOT_KEY, HOST_KEY, AUTHORIZED_KEYS, KEYS_PATH, KNOWN_HOSTS, COROSYNC)
    host: str

    def intend(self, site: Site, facts: Facts) -> Known:
        """The other nodes' public keys; those of all nodes where the file is the cluster's, which only its first member writes.

        Raises Refused where a node has no key, would lose keys or their options when it joins, or revokes another node's host key.
        """
        _need_no_loss(site, facts, self.host)
        keys, hosts = [], []
        sharing = [name for name in members(site) if name in facts and _shares(facts, name)]
        for name in members(site):
            if name not in facts:
                continue
            key = _key(name, "/root/.ssh/id_rsa.pub", facts[name][ROOT_KEY])
            if self.host == sharing[0] if self.host in sharing else self.host != name:
                keys.append(f"{key.kind} {key.text} {key.name}".strip())
            if name != self.host:
                key = _key(name, "/etc/ssh/ssh_host_ed25519_key.pub", facts[name][HOST_KEY])
                address = str(site.hosts[name].address.ip)
                _need_unrevoked(facts, self.host, name, address, key)
                hosts.append(f"{address} {key.kind} {key.text}")
        return Known(tuple(keys), tuple(hosts))

    def observe(self, site: Site, facts: Facts) -> Known:
        """The wanted lines that the files have, compared by key only: options and names of a line stay as an operator wrote them."""
        want, here = self.intend(site, facts), facts[self.host]
        keys, hosts = missing_keys(here[AUTHORIZED_KEYS], want.keys), missing_hosts(here[KNOWN_HOSTS], want.hosts)
        return Known(tuple(one for one in want.keys if one not in keys), tuple(one for one in want.hosts if one not in hosts))

    def steps(self, site: Site, facts: Facts, want: Known) -> tuple[Step, ...]:
        """Appends the missing lines to each file."""
        del site
        return (
            FilePart(
                KEYS_FILE,
                AUTHORIZED_KEYS,
                lambda text: with_lines(text, missing_keys(text, want.keys)),
                0o600,
                mount=shared_mount(facts[self.host][KEYS_PATH]),
            ),
            FilePart(HOSTS_FILE, KNOWN_HOSTS, lambda text: with_lines(text, missing_hosts(text, want.hosts)), 0o644),
        )


def _is_member(facts: Facts, host: str) -> bool:
    return host in facts[host][COROSYNC].nodes


def _shares(facts: Facts, host: str) -> bool:
    """Whether the host's file is the cluster's: Proxmox links it to /etc/pve (pve-cluster, PVE::Cluster::Setup::setup_ssh_keys)."""
    path, is_member = facts[host][KEYS_PATH], _is_member(facts, host)  # reads both, so that a missing fact raises
    return is_member and bool(shared_mount(path))


def _need_no_loss(site: Site, facts: Facts, host: str) -> None:
    """Raises Refused where a node that has not joined accepts keys that the first node does not: the first node's file replaces its own."""
    first = members(site)[0]
    if host == first or first not in facts or _is_member(facts, host):
        return
    theirs = authorized(facts[first][AUTHORIZED_KEYS])
    plain = {key.plain for key in theirs}
    nodes = [key for name in members(site) if name in facts for key in authorized(facts[name][ROOT_KEY])[:1]]
    after = {*theirs, *(key for key in nodes if key not in plain)}  # this change adds the nodes' keys without options
    ours = [key for key in authorized(facts[host][AUTHORIZED_KEYS]) if key not in after]
    kept = {key.plain for key in after}
    if lost := [str(key) for key in ours if key.plain not in kept]:
        raise Refused(
            f"{host}: {KEYS_FILE} accepts {', '.join(lost)}, which {first}'s does not, and joining replaces the file with {first}'s:"
            f" add these keys on {first}, or remove them on {host}, then run again"
        )
    if other := [
        f"{key} with {_options(key)}, {first}'s with {' or '.join(_options(one) for one in after if one.plain == key.plain)}"
        for key in ours
    ]:
        raise Refused(
            f"{host}: {KEYS_FILE} has {'; '.join(other)}, and joining replaces the file with {first}'s: set the same options on both,"
            " then run again"
        )


def _options(key: Key) -> str:
    return ",".join(sorted(key.options)) or "no options"


def _need_unrevoked(facts: Facts, host: str, name: str, address: str, key: Key) -> None:
    """Raises Refused where known_hosts revokes the key: SSH would refuse the host in spite of another line."""
    if ("@revoked", key) in known(facts[host][KNOWN_HOSTS], address):
        raise Refused(f"{host}: {HOSTS_FILE} revokes the host key of {name}: give {name} a new one, or remove that line, then run again")


def _key(host: str, path: str, text: str) -> Key:
    if not text.strip():
        raise Refused(f"{host}: no {path}: create it (`ssh-keygen`), as Proxmox's installer does, then run again")
    if not (found := authorized(text)):
        raise Refused(f"{host}: {path} has no public key: write it again (`ssh-keygen -y`), then run again")
    return found[0].plain
