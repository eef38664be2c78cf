"""Queries to Ceph, and writes to it while a drill runs."""

import json
import re
import threading
from typing import Self

from rehearsal import Lab

POOL = "vm-storage"


def ceph(lab: Lab, node: str, command: str) -> dict:
    return json.loads(lab.sh(node, f"ceph --connect-timeout 10 {command} -f json"))


def is_clean(lab: Lab, node: str = "alvin") -> bool:
    """Whether health is HEALTH_OK, with three monitors and OSDs and every placement group active+clean: HEALTH_OK alone is too early."""
    output = lab.sh(node, "ceph --connect-timeout 5 status -f json", check=False)
    if not output.lstrip("\n").startswith("{"):
        return False
    status = json.loads(output)
    osds, states = status["osdmap"], {one["state_name"] for one in status["pgmap"]["pgs_by_state"]}
    return (
        status["health"]["status"] == "HEALTH_OK"
        and len(status["quorum_names"]) == 3
        and osds["num_up_osds"] == osds["num_in_osds"] == 3
        and states == {"active+clean"}
    )


def flags(lab: Lab, node: str = "alvin") -> dict[str, list[str]]:
    return dict(ceph(lab, node, "osd dump")["crush_node_flags"])


class Bench:
    """Writes by `rados bench` on a node while a block runs. Afterwards, `output` and `went_well` hold the result."""

    def __init__(self, lab: Lab, node: str, length_s: int) -> None:
        words = f"rados -p {POOL} bench {length_s} write -b 65536 -t 4 --no-hints 2>&1"
        self.output = ""
        self._thread = threading.Thread(target=self._run, args=(lab, node, words, length_s))

    def _run(self, lab: Lab, node: str, words: str, length_s: int) -> None:
        done = lab.command("exec", "--wait", str(length_s + 120), node, "--", "sh", "-c", words, check=False)
        self.output = f"{done.out}\nexit {done.code}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    @property
    def went_well(self) -> bool:
        """Whether it ended by itself, without errors, and wrote."""
        written = re.search(r"Total writes made: +(\d+)", self.output)
        return "exit 0" in self.output and written is not None and int(written[1]) > 0 and "error" not in self.output.lower()
