"""The replacement for pvecm(1), with the real corosync."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import NoReturn

from . import cluster_fs, corosync_conf, options
from .cluster_fs import COROSYNC
from .options import Command, Option, PveError, Values, task_without_exit_code
from .system import addresses, node, output, own_address, run

LOCAL = Path("/etc/corosync/corosync.conf")
KEY = Path("/etc/corosync/authkey")
SSHD = Path("/etc/ssh/sshd_config")
JOIN_VERSION = 1
QUORUM_S = 60.0
POLL_S = 0.2
LINKS = tuple(Option(f"link{number}") for number in corosync_conf.LINKS)
NAME = Option(
    "clustername",
    longest=15,
    pattern=r"[a-zA-Z0-9]([a-zA-Z0-9\-]*[a-zA-Z0-9])?",
    unlike="value does not look like a valid node name",
)
CREATE = (*LINKS, Option("nodeid", "integer", 1), Option("votes", "integer", 1))
ADD = (*LINKS, Option("nodeid", "integer", 1), Option("votes", "integer", 0), Option("force", "boolean"), Option("use_ssh", "boolean"))
ADD_NODE = (*LINKS, Option("nodeid", "integer", 1), Option("votes", "integer", 0), Option("force", "boolean"), Option("new_node_ip"))


def create(values: Values) -> None:
    """Create a cluster of this node only."""
    if COROSYNC.exists():
        raise PveError(f"cluster config '{COROSYNC}' already exists")
    with task_without_exit_code():
        _let_root_log_in()
        _create(values)


def _create(values: Values) -> None:
    links = corosync_conf.links_of(values) or {0: (str(own_address()), None)}
    if not KEY.exists():
        run("corosync-keygen", "-l", "-k", KEY)
    first = corosync_conf.member(node(), int(values.get("nodeid", "1")), values.get("votes", "1"), links)
    text = corosync_conf.render(corosync_conf.fresh(values["clustername"], first, links))
    print(f"Writing corosync config to {COROSYNC}")
    LOCAL.write_text(text)
    print("Restart corosync and cluster filesystem", flush=True)
    _enter(text)


def _enter(text: str) -> None:
    """Mount the cluster's /etc/pve, then enable and start corosync, which Proxmox enables from the start."""
    run("systemctl", "restart", "pve-cluster")
    if not COROSYNC.exists():
        cluster_fs.write(COROSYNC, text)
    run("systemctl", "enable", "--quiet", "corosync")
    run("systemctl", "restart", "corosync")


def add(values: Values) -> None:
    """Add this node to the cluster of another, over SSH."""
    if values.get("use_ssh") != "1":
        raise PveError("the rehearsal lab has no API of Proxmox: pass --use_ssh")
    with task_without_exit_code():
        _join(values)


def _join(values: Values) -> None:
    host, links = values["hostname"], corosync_conf.links_of(values)
    _need_joinable(links, forced=values.get("force") == "1")
    _let_root_log_in()
    peer = ("ssh", "-o", "BatchMode=yes", f"root@{host}")
    if subprocess.run([*peer, "true"], check=False).returncode:
        raise PveError("unable to copy ssh ID")
    passed = [word for name in ("nodeid", "votes") if name in values for word in (f"--{name}", values[name])]
    passed += [word for number in links for word in (f"--link{number}", values[f"link{number}"])]
    if not links:
        print(f"No cluster network links passed explicitly, fallback to local node IP '{own_address()}'", flush=True)
        passed += ["--new_node_ip", str(own_address())]
    words = ("pvecm", "addnode", node(), "--force", "1", *passed)
    if subprocess.run([*peer, shlex.join(words)], check=False).returncode:
        raise PveError(f"unable to add node: command failed ({shlex.join((*peer, *words))})")
    print("copy corosync auth key", flush=True)
    _copy_configuration(peer)
    print("stopping pve-cluster service", flush=True)
    _enter("")
    _wait_for_quorum()
    print(f"successfully added node '{node()}' to cluster.")


def _need_joinable(links: dict[int, tuple[str, str | None]], *, forced: bool) -> None:
    wrong = []
    if KEY.exists():
        wrong.append(f"authentication key '{KEY}' already exists")
    if COROSYNC.exists():
        wrong.append(f"cluster config '{COROSYNC}' already exists")
    if cluster_fs.guests():
        wrong.append("this host already contains virtual guests")
    if subprocess.run(["corosync-quorumtool", "-l"], check=False, capture_output=True).returncode == 0:
        wrong.append("corosync is already running, is this node already in a cluster?!")
    own = {str(address) for address in addresses()}
    wrong += [f"link{n}: cannot use IP '{address}', not found on local node!" for n, (address, _) in links.items() if address not in own]
    if wrong:
        listed = "\n".join(f"* {line}" for line in wrong)
        print(f"detected the following error(s):\n{listed}", file=sys.stderr)
        if not forced:
            raise PveError("Check if node may join a cluster failed!")
        print("\nWARNING : detected error but forced to continue!\n", file=sys.stderr)


def _let_root_log_in() -> None:
    """Allow root's passwords in sshd, as Proxmox does on each node of a cluster."""
    text = SSHD.read_text()
    if re.search(r"^PermitRootLogin\s+yes\s*$", text, re.MULTILINE):
        return
    now, found = re.subn(r"^#?PermitRootLogin.*$", "PermitRootLogin yes", text, count=1, flags=re.MULTILINE)
    SSHD.write_text(now if found else f"{text.removesuffix(chr(10))}\nPermitRootLogin yes\n")
    run("systemctl", "reload-or-restart", "ssh")


def _copy_configuration(peer: tuple[str, ...]) -> None:
    """Copy the cluster's key and configuration to this node."""
    for path, source, mode in ((KEY, KEY, 0o400), (LOCAL, COROSYNC, 0o644)):
        done = subprocess.run([*peer, f"cat {source}"], check=False, capture_output=True)
        if done.returncode:
            raise PveError(f"can't rsync data from host '{peer[-1]}'")
        path.unlink(missing_ok=True)
        path.touch(mode=mode)
        path.write_bytes(done.stdout)


def _wait_for_quorum() -> None:
    print("waiting for quorum...", end="", flush=True)
    started = time.monotonic()
    while not cluster_fs.has_quorum():
        if time.monotonic() - started > QUORUM_S:
            raise PveError(f"no quorum after {QUORUM_S:.0f} s")
        time.sleep(POLL_S)
    print("OK", flush=True)


def add_node(values: Values) -> None:
    """Add a node to the cluster's configuration. `pvecm add` on the new node calls this."""
    cluster_fs.need_quorum()
    with cluster_fs.locked("corosync.conf"):
        conf = corosync_conf.read(COROSYNC)
        members = conf["nodelist"]["node"]
        name = values["node"]
        others = [one for one in members if one["name"] != name]
        known = next((one for one in members if one["name"] == name), None)
        if known and values.get("force") != "1":
            raise PveError(f"can't add existing node '{name}'")
        if known:
            print(f"forcing overwrite of configured node '{name}'")
        links = _links(values, members[0])
        _need_free(links, others)
        used = {int(one["nodeid"]) for one in others}
        number = int(values.get("nodeid") or (known or {}).get("nodeid") or min(set(range(1, len(used) + 2)) - used))
        conf["nodelist"]["node"] = sorted(
            [*others, corosync_conf.member(name, number, values.get("votes", "1"), links)], key=lambda one: str(one["name"])
        )
        corosync_conf.next_version(conf)
        cluster_fs.write(COROSYNC, corosync_conf.render(conf))


def _links(values: Values, example: corosync_conf.Section) -> dict[int, tuple[str, str | None]]:
    links = corosync_conf.links_of(values)
    has = {number for number in corosync_conf.LINKS if f"ring{number}_addr" in example}
    if not links:
        if "new_node_ip" not in values:
            raise PveError("no links and no fallback ip (new_node_ip) given, cannot join cluster")
        if len(has) != 1:
            raise PveError("no links given but multiple links found on other nodes, fallback only supported on single-link clusters")
        return {min(has): (values["new_node_ip"], None)}
    if missing := has - set(links):
        raise PveError(f"corosync: link {min(missing)} exists in cluster config but wasn't specified for new node")
    if strange := set(links) - has:
        raise PveError(f"corosync: link {min(strange)} specified for new node doesn't exist in cluster config")
    return links


def _need_free(links: dict[int, tuple[str, str | None]], others: list[corosync_conf.Section]) -> None:
    """Raise PveError if another node has an address of the links. A duplicate address can stop the whole cluster."""
    for address, _ in links.values():
        for one in others:
            ring = next((key for key, value in one.items() if key.startswith("ring") and value == address), None)
            if ring:
                raise PveError(f"corosync: address '{address}' already used on link {ring} by node '{one['name']}'")


def delete_node(values: Values) -> None:
    """Remove a node from the cluster's configuration."""
    name = values["node"]
    if name == node():
        raise PveError("Cannot delete myself from cluster!")
    cluster_fs.need_quorum()
    with cluster_fs.locked("corosync.conf"):
        conf = corosync_conf.read(COROSYNC)
        found = next((one for one in conf["nodelist"]["node"] if one["name"] == name), None)
        if not found:
            raise PveError(f"Node/IP: {name} is not a known host of the cluster.")
        conf["nodelist"]["node"].remove(found)
        print(output("corosync-cfgtool", "-k", found["nodeid"]), end="")
        corosync_conf.next_version(conf)
        cluster_fs.write(COROSYNC, corosync_conf.render(conf))


def status(_: Values) -> NoReturn:
    """Print the status of the cluster as this node sees it."""
    totem = corosync_conf.read(COROSYNC)["totem"]
    shown = {
        "Name": totem["cluster_name"],
        "Config Version": totem["config_version"],
        "Transport": totem.get("transport", "knet"),
        "Secure auth": totem.get("secauth", "off"),
    }
    print("Cluster information\n-------------------")
    for label, value in shown.items():
        print(f"{label + ':':<17} {value}")
    print(flush=True)
    os.execvp("corosync-quorumtool", ["corosync-quorumtool", "-siH"])  # noqa: S606 - no shell is wanted


def nodes(_: Values) -> NoReturn:
    """Print the cluster's nodes as this node sees them."""
    corosync_conf.read(COROSYNC)
    os.execvp("corosync-quorumtool", ["corosync-quorumtool", "-l"])  # noqa: S606


def api_version(_: Values) -> None:
    """Print the version of the join protocol."""
    print(JOIN_VERSION)


COMMANDS = {
    "create": Command(create, (NAME,), CREATE),
    "add": Command(add, ("hostname",), ADD),
    "addnode": Command(add_node, ("node",), ADD_NODE),
    "delnode": Command(delete_node, ("node",)),
    "status": Command(status),
    "nodes": Command(nodes),
    "apiver": Command(api_version),
}


def main(argv: list[str]) -> int:
    """Run the command, and return its exit code."""
    return options.main("pvecm", COMMANDS, argv)
