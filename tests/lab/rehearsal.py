"""The lab for drills: out of band with its command line, and in-band as the suite reaches it."""

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
    """The result of a command."""

    code: int
    out: str
    err: str = ""


@dataclass(frozen=True)
class Lab:
    """Actions on the lab, and queries to it. `site` is the site of runbooks that have no flag --site."""

    site: str = "lab"

    def command(self, *words: str, stdin: str = "", check: bool = True) -> Done:
        """Run `python -m lab WORDS`."""
        done = subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, input=stdin, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, f"lab {' '.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Done(done.returncode, done.stdout, done.stderr)

    def sh(self, host: str, script: str, *, check: bool = True) -> str:
        """Run a shell script on a host, out of band, and return its output. It calls the keeper directly, because drills call it often."""
        try:
            answer = control.ask(Folders.of_user(), "exec", host=host, argv=["sh", "-c", script], wait_s=EXEC_S)
        except LabError as problem:
            answer = {"rc": 1, "out": "", "err": str(problem)}
        assert not check or answer["rc"] == 0, f"{script} on {host}: {answer['rc']}\n{answer['out']}\n{answer['err']}"
        return str(answer["out"])

    def ssh(self, host: str, script: str, wait_s: int = 5) -> Done:
        """Run a shell script on a host, in-band, as an operator reaches it."""
        options = ["-F", str(FOLDER / "ssh_config"), "-o", f"ConnectTimeout={wait_s}"]
        done = subprocess.run(["ssh", *options, host, script], capture_output=True, text=True, timeout=60, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def runbook(self, name: str, *flags: str) -> Done:
        """Run a runbook, as a user does."""
        flags = flags if "--site" in flags else (*flags, "--site", self.site)
        done = subprocess.run([sys.executable, f"runbooks/{name}.py", *flags], cwd=ROOT, capture_output=True, text=True, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    def report(self, name: str, *flags: str) -> tuple[int, Any]:
        """Run a runbook, and return its exit code and its --json record."""
        done = self.runbook(name, "--json", "-", *flags)
        assert done.out.startswith("{"), f"{done.code}\n{done.out}\n{done.err}"
        return done.code, json.loads(done.out)

    def wait(self, what: str, holds: Callable[[], bool], within_s: float) -> float:
        """Wait until a condition holds, and return the seconds that it took. The test fails if that takes longer than `within_s`."""
        started = time.monotonic()
        while not holds():
            assert time.monotonic() - started < within_s, f"not within {within_s} s: {what}"
            time.sleep(0.25)
        return time.monotonic() - started

    def wait_for_success(self, within_s: float, name: str, *flags: str) -> None:
        """Run a runbook again until its exit code is 0. The test fails with the last run's output if that takes longer than `within_s`."""
        started = time.monotonic()
        while (done := self.runbook(name, *flags)).code != 0:
            assert time.monotonic() - started < within_s, f"{name} not clean within {within_s} s: {done.code}\n{done.out}\n{done.err}"

    def reachable(self, host: str) -> bool:
        """Whether the host answers in-band."""
        return self.ssh(host, "true").code == 0

    def partners(self, host: str, bond: str) -> list[str]:
        """The partner MAC addresses of a bond's members, as the kernel reports them."""
        text = self.sh(host, f"cat /proc/net/bonding/{bond} 2>/dev/null", check=False)
        partner = text.partition("Slave Interface")[2].split("details partner lacp pdu:")[1:]
        return [part.split("system mac address:")[1].split()[0] for part in partner]

    def reset(self) -> None:
        """Reset all hosts to a fresh install. Each keeps a copy of its network configuration for `put_back`."""
        self.command("reset")
        for host in HOSTS:
            self.sh(host, "cp /etc/network/interfaces /root/fresh.interfaces; sync")

    def build(self) -> None:
        """Build the whole site: from the state that earlier drills left, or from fresh hosts if that fails."""
        if self.runbook("bootstrap").code != 0:
            self.reset()
            done = self.runbook("bootstrap")
            assert done.code == 0, f"{done.out}\n{done.err}"

    def put_back(self, host: str) -> None:
        """Restore the fresh network, which is faster than a reset. It is synced, because the next drill may cut the power."""
        self.sh(host, "cp /root/fresh.interfaces /etc/network/interfaces && sync && ifreload -a")

    def pending(self, host: str) -> bool:
        """Whether a transaction is pending on the host, by its folder."""
        return self.sh(host, "test -e /var/lib/burrow/pending && echo yes || echo no") == "yes\n"


def etc(lab: Lab) -> dict[str, str]:
    """{host: hash of all files in /etc}."""
    return {host: lab.sh(host, HASH_OF_ETC) for host in HOSTS}


def states(report: Any) -> dict[str, str]:
    """{change set: its state} of a run's report."""
    return {one["set"]: one["state"] for stage in report["stages"] for one in stage["sets"]}
