"""Keys of the Proxmox cluster's nodes: who may log in where, before there is a cluster and in it."""

import re
from dataclasses import dataclass
from typing import ClassVar

from inventory.schema import Site
from tasks.core.change import Change, FilePart, Step
from tasks.core.errors import Refused
from tasks.core.facts import Facts
from tasks.core.transaction import shared_mount
from tasks.storage.proxmox_cluster import members
from tasks.storage.proxmox_facts import AUTHORIZED_KEYS, COROSYNC, HOST_KEY, KEYS_PATH, KNOWN_HOSTS, ROOT_KEY

KEYS_FILE, HOSTS_FILE = "/root/.ssh/authorized_keys", "/root/.ssh/known_hosts"
# Of a line: the key itself, and its name (sshd(8), AUTHORIZED_KEYS FILE FORMAT).
KEY = re.compile(r"(?:^|\s)(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-\S+|sk-\S+@openssh\.com)\s+(\S+)(.*)$")


@dataclass(frozen=True)
class Known:
    """The lines of others that a node has: keys that it lets in, hosts that it knows."""

    keys: tuple[str, ...]
    hosts: tuple[str, ...]


@dataclass(frozen=True)
class NodeKeys(Change[Known]):
    """Root of each node of the cluster may log in on the others, whose host keys are known: `pvecm add` goes by SSH."""

    needs: ClassVar = (ROOT_KEY, HOST_KEY, AUTHORIZED_KEYS, KEYS_PATH, KNOWN_HOSTS, COROSYNC)
    host: str

    def intend(self, site: Site, facts: Facts) -> Known:
        """The other nodes' public keys; all nodes' where the file is the cluster's, which its first member alone writes.

        Raises Refused where a node has no key, or would lose keys when it joins.
        """
        _need_no_loss(site, facts, self.host)
        keys, hosts = [], []
        sharing = [name for name in members(site) if name in facts and _shares(facts, name)]
        for name in members(site):
            if name not in facts:
                continue
            key = _key(name, "/root/.ssh/id_rsa.pub", facts[name][ROOT_KEY])
            if self.host == sharing[0] if self.host in sharing else self.host != name:
                keys.append(key)
            if name != self.host:
                kind, key = _key(name, "/etc/ssh/ssh_host_ed25519_key.pub", facts[name][HOST_KEY]).split()[:2]
                hosts.append(f"{site.hosts[name].address.ip} {kind} {key}")
        return Known(tuple(keys), tuple(hosts))

    def observe(self, site: Site, facts: Facts) -> Known:
        """Those of them that are there."""
        want, here = self.intend(site, facts), facts[self.host]
        return Known(_there(want.keys, here[AUTHORIZED_KEYS]), _there(want.hosts, here[KNOWN_HOSTS]))

    def steps(self, site: Site, facts: Facts, want: Known) -> tuple[Step, ...]:
        """The missing lines at the end of each file."""
        del site
        return (
            FilePart(
                KEYS_FILE, AUTHORIZED_KEYS, lambda text: _with(text, want.keys), 0o600, mount=shared_mount(facts[self.host][KEYS_PATH])
            ),
            FilePart(HOSTS_FILE, KNOWN_HOSTS, lambda text: _with(text, want.hosts), 0o644),
        )


def _is_member(facts: Facts, host: str) -> bool:
    return host in facts[host][COROSYNC].nodes


def _shares(facts: Facts, host: str) -> bool:
    """Whether its file is the one of the whole cluster: Proxmox links it to /etc/pve (pve-cluster, PVE::Cluster::Setup::setup_ssh_keys)."""
    path, is_member = facts[host][KEYS_PATH], _is_member(facts, host)  # both have to be known
    return is_member and bool(shared_mount(path))


def _need_no_loss(site: Site, facts: Facts, host: str) -> None:
    """Raises Refused where the node is yet to join and lets in whom the first one does not: the first one's file takes its place."""
    first = members(site)[0]
    if host == first or first not in facts or _is_member(facts, host):
        return
    known = {_parts(line)[0] for line in facts[first][AUTHORIZED_KEYS].splitlines()}
    known |= {_parts(facts[name][ROOT_KEY])[0] for name in members(site) if name in facts}
    lost = [name for key, name in map(_parts, facts[host][AUTHORIZED_KEYS].splitlines()) if key and key not in known]
    if lost:
        raise Refused(
            f"{host}: {KEYS_FILE} lets in {', '.join(lost)}, which {first}'s does not, and joining puts {first}'s in its place:"
            f" add these keys on {first}, or take them out on {host}, then run again"
        )


def _parts(line: str) -> tuple[str, str]:
    """The key of a line and its name; both empty where the line has none."""
    found = None if line.lstrip().startswith("#") else KEY.search(line)
    return (found[1], found[2].strip() or "a key without a name") if found else ("", "")


def _key(host: str, path: str, text: str) -> str:
    if not text.strip():
        raise Refused(f"{host}: no {path}: make one (`ssh-keygen`), as Proxmox's installer does, then run again")
    return text.strip()


def _there(lines: tuple[str, ...], text: str) -> tuple[str, ...]:
    return tuple(line for line in lines if line in text.splitlines())


def _with(text: str, lines: tuple[str, ...]) -> str:
    missing = [line for line in lines if line not in text.splitlines()]
    return text + ("\n" if missing and text and not text.endswith("\n") else "") + "".join(f"{line}\n" for line in missing)
