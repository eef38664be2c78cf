"""The real host agent with a folder as its root, and stand-ins for the system's tools that write a log."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tasks.core.agent import console, process, requests
from tasks.core.agent.refusal import Refused
from tasks.core.agent.state import PATHS
from tasks.core.connectors.agent_artefact import whole
from tasks.core.connectors.agent_session import Owner
from tasks.core.model.operation import FileWrite, TimedTransaction

PROGRAM = whole()
KIM, SAM = Owner("run-kim", "kim@desk"), Owner("run-sam", "sam@desk")

SYSTEMCTL = """\
#!/bin/sh
echo "systemctl $*" >> "{root}/log"
for word in "$@"; do case "$word" in -*) ;; *) [ -n "$verb" ] && unit=$word || verb=$word;; esac; done
case "$verb $unit" in
  "start killer.service") kill -9 $PPID;;
  "start broken.service") echo "it is broken" >&2; exit 1;;
esac
state="{root}/units/$unit"
case "$verb" in
  is-enabled) [ -e "$state.enabled" ];;
  is-active) [ -e "$state.active" ];;
  enable) touch "$state.enabled";;
  disable) rm -f "$state.enabled";;
  start | restart) touch "$state.active";;
  stop) rm -f "$state.active";;
esac
"""
# Starts a real process only if a test kills it, because a second Python is slow.
SYSTEMD_RUN = """\
#!/bin/sh
echo "systemd-run $*" >> "{root}/log"
case "$*" in *--on-active*) [ ! -e "{root}/no-timers" ]; exit;; esac
[ ! -e "{root}/no-units" ] || exit 1
[ -e "{root}/runs" ] && {{ while case "$1" in -*) true;; *) false;; esac; do shift; done; "$@"; exit 0; }}
[ -e "{root}/detached" ] || exit 0
while case "$1" in -*) true;; *) false;; esac; do shift; done
exec "{python}" -I -S "$@"
"""
APT_GET = """\
#!/bin/sh
echo "apt-get $*" >> "{root}/log"
case "$*" in *nowhere*) echo "E: Unable to locate package nowhere" >&2; exit 100;; esac
"""


class Machine:
    """A folder that is a host's root, and the agent on it."""

    def __init__(self, root: Path, tools: Path, monkeypatch: Any) -> None:
        self.root = root
        for name, text in {"systemctl": SYSTEMCTL, "systemd-run": SYSTEMD_RUN, "apt-get": APT_GET}.items():
            self.write(str(tools / name), text.format(root=root, python=sys.executable), 0o755)
        for folder in ("units", "etc", "proc/sys/kernel/random"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        self.boot("first")
        monkeypatch.setitem(process.ENVIRONMENT, "PATH", f"{tools}:{os.environ['PATH']}")
        monkeypatch.setenv("PATH", process.ENVIRONMENT["PATH"])  # for an agent in a separate process
        self.program = PROGRAM.replace("ROOT = '/'", f"ROOT = {str(root)!r}")
        self.start(self.program)

    def start(self, program: str) -> None:
        """Set the root and the program text of the agent in this process."""
        PATHS.start(str(self.root), program)

    @staticmethod
    def main(words: list[str]) -> None:
        """Run a command as a unit, a timer or an operator does."""
        console.main(words)

    def write(self, path: str, text: str, mode: int = 0o644) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)
        return target

    def read(self, path: str) -> str | None:
        return (self.root / path).read_text() if (self.root / path).exists() else None

    def boot(self, boot_id: str) -> None:
        self.write("proc/sys/kernel/random/boot_id", f"{boot_id}\n")

    @property
    def log(self) -> list[str]:
        return (self.read("log") or "").splitlines()

    def ask(self, op: str, owner: Owner = KIM, **words: Any) -> Any:
        """One request, through JSON as on the wire."""
        defaults = {"packages": [], "deadline_s": 20, "facts": {}}
        return requests.operate(json.loads(json.dumps({"op": op, **defaults, **asdict(owner), **words})))

    def begin(self, transaction: TimedTransaction, owner: Owner = KIM, revert_s: int = 60) -> Any:
        """Prepare, begin and apply a transaction; returns its outcome."""
        self.ask("prepare", owner)
        kept = self.ask("begin", owner, **transaction.request(revert_s))
        if kept["state"] == "armed" and not (self.root / "detached").exists():
            self.main(["apply", transaction.token])
        return self.ask("outcome", owner, token=transaction.token)


def hosts(machine: Machine, *, before: str | None = "old\n", text: str | None = "new\n", **words: Any) -> TimedTransaction:
    """A transaction that writes etc/hosts."""
    return TimedTransaction("name the hosts", (FileWrite(str(machine.root / "etc/hosts"), before, text, **words),))


def refusal(machine: Machine, op: str, *arguments: Any, **words: Any) -> str:
    """The reason why a request is refused."""
    with pytest.raises(Refused) as raised:
        machine.ask(op, *arguments, **words)
    return str(raised.value)
