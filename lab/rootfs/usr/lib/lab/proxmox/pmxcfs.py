"""A stand-in of the rehearsal lab for what Proxmox's cluster file system does with corosync's configuration.

On a node of a cluster a newer /etc/pve/corosync.conf (by its config_version) becomes /etc/corosync/corosync.conf, and corosync reads it.
With the word `once` it looks a single time, for what was missed while the node was off. A node that is in no cluster needs none of it.
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
    """The config_version of a corosync.conf, 0 where there is none."""
    try:
        found = re.search(r"^\s*config_version:\s*(\d+)", path.read_text(), re.MULTILINE)
    except FileNotFoundError:
        return 0
    return int(found[1]) if found else 0


def follow() -> bool:
    """Take the cluster's configuration where it is newer; whether it was."""
    if version(CLUSTERS) <= version(LOCAL):
        return False
    new = LOCAL.with_suffix(".conf.new")
    new.write_text(CLUSTERS.read_text())
    new.replace(LOCAL)
    return True


def main() -> None:
    """Follow the cluster's configuration."""
    if not LOCAL.exists():
        return
    follow()
    while sys.argv[1:] != ["once"]:
        time.sleep(POLL_S)
        if follow():
            subprocess.run(["corosync-cfgtool", "-R"], check=False, stdout=subprocess.DEVNULL)


main()
