"""SSH to the lab: one key for all machines, one pinned host key for each machine, and the SSH configuration."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

from lab.blueprint import MachinePlan
from lab.folders import Folders


def ensure_key(path: Path, comment: str) -> str:
    """The public key in `path`.pub. Creates the key pair if it does not exist."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], check=True)
    return path.with_name(path.name + ".pub").read_text()


def host_key(folders: Folders, name: str) -> Path:
    """The path of a machine's host key."""
    return folders.keys / f"{name}_host_ed25519"


def root_key(folders: Folders, name: str) -> Path:
    """The path of the key that root of a node uses to log in to other nodes."""
    return folders.keys / f"{name}_root_ed25519"


def write_ssh(folders: Folders, machines: Iterable[MachinePlan]) -> None:
    """Write the keys, the known hosts and the SSH configuration of these machines."""
    ensure_key(folders.identity, "burrow lab")
    known, blocks = [], []
    for machine in machines:
        public = ensure_key(host_key(folders, machine.name), machine.name)
        known.append(f"{machine.name} {' '.join(public.split()[:2])}\n")
        address, _, port = next(outside for outside, inside in machine.relays.items() if inside.endswith(":22")).rpartition(":")
        blocks.append(_block(folders, machine.name, address, port))
    folders.known_hosts.write_text("".join(known))
    folders.ssh_config.write_text("\n".join(blocks))
    folders.give_to_user()


def _block(folders: Folders, name: str, address: str, port: str) -> str:
    options = {
        "HostName": address,
        "Port": port,
        "User": "root",
        "IdentityFile": folders.identity,
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": folders.known_hosts,
        "GlobalKnownHostsFile": "/dev/null",
        "HostKeyAlias": name,
        "StrictHostKeyChecking": "yes",
    }
    return f"Host {name}\n" + "".join(f"    {key} {value}\n" for key, value in options.items())
