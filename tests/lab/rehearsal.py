"""The lab as a drill sees it: out of band by its command line, in-band as the suite reaches it."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventory.sites import find_site
from lab import control
from lab.errors import LabError
from lab.folders import Folders
from lab.settings import EXEC_S

ROOT = Path(__file__).parents[2]
FOLDER = Path(find_site("lab").ssh_config_path or "").parent
NODES = ("alvin", "simon", "theodore")
HOSTS = (*NODES, "sw-rack", "sw-core", "vault")
HASH_OF_ETC = "find /etc -xdev -type f -o -type l | LC_ALL=C sort | xargs -d '\\n' sha256sum 2>/dev/null | sha256sum"


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str = ""


@dataclass(frozen=True)
class Lab:
    """What a drill does to the lab and asks of it; `site` is what a runbook is pointed at that names none."""

    site: str = "lab"

    def command(self, *words: str, stdin: str = "", check: bool = True) -> Done:
        """`python -m lab WORDS`."""
        done = subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"lab {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Done(done.returncode, done.stdout, done.stderr)

    def sh(self, host: str, script: str, *, check: bool = True) -> str:
        """A shell script on a host, out of band: its output. The keeper is asked itself: drills ask often."""
        try:
            answer = control.ask(Folders.of_user(), "exec", host=host, argv=["sh", "-c", script], wait_s=EXEC_S)
        except LabError as problem:
            answer = {"rc": 1, "out": "", "err": str(problem)}
        assert not check or answer["rc"] == 0, f"{script} on {host}: {answer['rc']}\n{answer['out']}\n{answer['err']}"
        return str(answer["out"])

    def ssh(self, host: str, script: str, wait_s: int = 5) -> Done:
        """A shell script on a host, in-band: as an operator reaches it."""
        options = ["-F", str(FOLDER / "ssh_config"), "-o", f"ConnectTimeout={wait_s}"]
        done = subprocess.run(["ssh", *options, host, script], capture_output=True, text=True, timeout=60, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def runbook(self, name: str, *flags: str) -> Done:
        """A runbook, as a user calls it."""
        flags = flags if "--site" in flags else (*flags, "--site", self.site)
        done = subprocess.run([sys.executable, f"runbooks/{name}.py", *flags], cwd=ROOT, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def report(self, name: str, *flags: str) -> tuple[int, Any]:
        """A runbook's exit code and what it wrote with --json."""
        done = self.runbook(name, "--json", "-", *flags)
        assert done.out.startswith("{"), f"{done.code}\n{done.out}\n{done.err}"
        return done.code, json.loads(done.out)

    def wait(self, what: str, holds: Callable[[], bool], within_s: float) -> float:
        """Seconds until a condition held; the test fails where it does not in time."""
        started = time.monotonic()
        while not holds():
            assert time.monotonic() - started < within_s, f"not within {within_s} s: {what}"
            time.sleep(0.25)
        return time.monotonic() - started

    def reachable(self, host: str) -> bool:
        """Whether the host answers in-band."""
        return self.ssh(host, "true").code == 0

    def partners(self, host: str, bond: str) -> list[str]:
        """The partner MACs of a bond's members, as the kernel says it."""
        text = self.sh(host, f"cat /proc/net/bonding/{bond} 2>/dev/null", check=False)
        partner = text.partition("Slave Interface")[2].split("details partner lacp pdu:")[1:]
        return [part.split("system mac address:")[1].split()[0] for part in partner]

    def reset(self) -> None:
        """All hosts as freshly installed; what their network was then is kept on them, for `put_back`."""
        self.command("reset")
        for host in HOSTS:
            self.sh(host, "cp /etc/network/interfaces /root/fresh.interfaces; sync")

    def build(self) -> None:
        """All of the site: as the drills before left it, or where that is not well, on fresh hosts."""
        if self.runbook("bootstrap").code != 0:
            self.reset()
            done = self.runbook("bootstrap")
            assert done.code == 0, f"{done.out}\n{done.err}"

    def put_back(self, host: str) -> None:
        """The network as freshly installed: quicker than a reset. Synced, because the next drill may pull the plug."""
        self.sh(host, "cp /root/fresh.interfaces /etc/network/interfaces && sync && ifreload -a")

    def pending(self, host: str) -> bool:
        """Whether a transaction waits on the host, judged by its folder."""
        return self.sh(host, "test -e /var/lib/burrow/pending && echo yes || echo no") == "yes\n"


def etc(lab: Lab) -> dict[str, str]:
    """{host: a hash of all that is in /etc}."""
    return {host: lab.sh(host, HASH_OF_ETC) for host in HOSTS}


def states(report: Any) -> dict[str, str]:
    """{change set: how it ended} of a run's report."""
    return {one["set"]: one["state"] for stage in report["stages"] for one in stage["sets"]}
