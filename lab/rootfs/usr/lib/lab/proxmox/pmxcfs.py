"""The rehearsal lab's replacement for the part of Proxmox's cluster file system that updates corosync's configuration.

On a node of a cluster, it copies a newer /etc/pve/corosync.conf (by its config_version) to /etc/corosync/corosync.conf, and makes corosync
read it. With the argument `once`, it copies a single time, for changes while the node was off. On a node without a cluster, it exits.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

CLUSTERS = Path("/etc/pve/corosync.conf")
LOCAL = Path("/etc/corosync/corosync.conf")
POLL_S = 0.5


def version(path: Path) -> int:
    """The config_version of a corosync.conf, 0 if there is none."""
    try:
        found = re.search(r"^\s*config_version:\s*(\d+)", path.read_text(), re.MULTILINE)
    except FileNotFoundError:
        return 0
    return int(found[1]) if found else 0


def follow() -> bool:
    """Copy the cluster's configuration if it is newer. Returns whether it was."""
    if version(CLUSTERS) <= version(LOCAL):
        return False
    new = LOCAL.with_suffix(".conf.new")
    new.write_text(CLUSTERS.read_text())
    new.replace(LOCAL)
    return True


def main() -> None:
    """Copy the cluster's configuration whenever it changes."""
    if not LOCAL.exists():
        return
    follow()
    while sys.argv[1:] != ["once"]:
        time.sleep(POLL_S)
        if follow():
            subprocess.run(["corosync-cfgtool", "-R"], check=False, stdout=subprocess.DEVNULL)


main()
