"""The host agent with a folder as its root, killed by strace at a system call; see test_kills.py."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rehearsal import ROOT

from tasks.core.agent import requests
from tasks.core.agent.refusal import Refused
from tasks.core.connectors.agent_session import Owner
from tasks.core.model.operation import Action, FileWrite, TimedTransaction, Unit

sys.path.insert(0, str(ROOT / "tests" / "unit"))
from agent_machine import Machine

# The system calls that change a disk, and vfork, which starts a process that may.
CALLS = (
    "mkdir,mkdirat,rmdir,rename,renameat,renameat2,link,linkat,unlink,unlinkat,symlink,symlinkat,chmod,fchmod,fchmodat,chown,fchown,"
    "write,pwrite64,fsync,ftruncate,fallocate,setxattr,fsetxattr,vfork"
)
KIM = Owner("run-kim", "kim@desk", ttl_s=600.0)
OLD = {"etc/hosts": "old hosts\n", "etc/made": None, "etc/gone": "old gone\n", "etc/kept/last": "old last\n"}
NEW = {"etc/hosts": "new hosts\n", "etc/made": "new made\n", "etc/gone": None, "etc/kept/last": "new last\n"}
RUNNER = """\
import json, sys
program = open({agent!r}).read()
given = {{"__name__": "__main__", "SOURCE": program}}
if sys.argv[1] == "ask":
    given["REQUEST"] = json.loads(sys.argv[2])
del sys.argv[0]
exec(compile(program, "burrow", "exec"), given)
"""


class KilledAgent:
    """A host's root in a folder, which can be restored repeatedly to the moment before a verb of the agent."""

    def __init__(self, folder: Path, tools: Path, monkeypatch: Any) -> None:
        self.machine = Machine(folder / "root", tools, monkeypatch)
        self.root, self.moment = self.machine.root, folder / "moment"
        for path, text in OLD.items():
            if text is not None:
                self.machine.write(path, text, 0o640)
        self.agent, self.runner = folder / "agent.py", folder / "runner.py"
        self.agent.write_text(self.machine.program)
        self.runner.write_text(RUNNER.format(agent=str(self.agent)))
        self.transaction = self.change(OLD, NEW, "the first")

    def change(self, before: dict[str, str | None], after: dict[str, str | None], why: str) -> TimedTransaction:
        """A transaction that changes every file from one text to the other, with an action and a unit."""
        files = tuple(FileWrite(str(self.root / path), before[path], after[path]) for path in before)
        done = ("/bin/sh", "-c", f"cat {self.root}/etc/hosts > {self.root}/live")
        return TimedTransaction(why, files, (Action(done, done),), (Unit("chrony.service"),))

    def request(self, verb: str, transaction: TimedTransaction) -> dict[str, Any]:
        """The request that the controller sends."""
        return {
            "packages": [],
            "deadline_s": 20,
            "facts": {},
            "op": verb,
            **asdict(KIM),
            "token": transaction.token,
            **(transaction.request(60) if verb == "begin" else {}),
        }

    def ask(self, verb: str, transaction: TimedTransaction) -> Any:
        """The agent's answer to a request, in this process, or the reason of a refusal."""
        try:
            return requests.operate(json.loads(json.dumps(self.request(verb, transaction))))
        except Refused as refusal:
            return {"state": "refused", "reason": str(refusal)}

    def console(self, *words: str) -> None:
        """Run the agent as a unit or a timer does."""
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            self.machine.main(list(words))

    def advance(self, transaction: TimedTransaction, until: str) -> None:
        """Run every verb before `until`."""
        verbs = ("prepare", "begin", "apply", "confirm")
        for verb in verbs[: verbs.index(until)]:
            if verb == "apply":
                self.console("apply", transaction.token)
            else:
                kept = self.ask(verb, transaction)
                assert kept.get("state") != "refused", (verb, kept)

    def keep(self) -> None:
        """Save the root, for `again`."""
        subprocess.run(["cp", "-a", str(self.root), str(self.moment)], check=True)

    def again(self) -> None:
        """Restore the saved root."""
        shutil.rmtree(self.root)
        subprocess.run(["cp", "-a", str(self.moment), str(self.root)], check=True)

    def boot(self) -> None:
        """Do what a power cut and a boot do: memory is lost, and the boot unit runs."""
        shutil.rmtree(self.root / "run", ignore_errors=True)
        self.machine.boot("second")
        self.console("boot")

    def command(self, verb: str) -> list[str]:
        """The command that runs a verb of the agent in a separate process."""
        asked = verb not in ("apply", "boot", "timer")
        words = {"apply": ["apply", self.transaction.token], "timer": ["revert", self.transaction.token, "timer"]}.get(verb, [verb])
        rest = ["ask", json.dumps(self.request(verb, self.transaction))] if asked else ["call", *words]
        return [sys.executable, "-I", "-S", str(self.runner), *rest]

    def calls(self, verb: str) -> list[tuple[str, int]]:
        """The system calls of a complete run, in order, as (name, count of that name so far)."""
        trace = self.moment.with_name("trace")
        done = subprocess.run(
            ["strace", "-qq", "-o", str(trace), "-e", f"trace={CALLS}", *self.command(verb)], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        seen: Counter[str] = Counter()
        found = []
        for line in trace.read_text().splitlines():
            name = line.partition("(")[0]
            if name.isidentifier():
                seen[name] += 1
                found.append((name, seen[name]))
        return found

    def kill_at(self, verb: str, call: str, which: int) -> None:
        """Run a verb and kill it at a system call. The drill fails if nothing is killed."""
        kill = f"inject={call}:signal=SIGKILL:when={which}"
        done = subprocess.run(
            ["strace", "-qq", "-o", os.devnull, "-e", f"trace={CALLS}", "-e", kill, *self.command(verb)], capture_output=True, check=False
        )
        assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), (call, which, done)

    def texts(self) -> dict[str, str | None]:
        """The texts of the files."""
        return {path: self.machine.read(path) for path in OLD}

    def strays(self) -> list[str]:
        """The paths in etc other than the files and the agent's own units."""
        known = {*OLD, "etc/kept"}
        names = [str(path.relative_to(self.root)) for path in (self.root / "etc").rglob("*")]
        return sorted(name for name in names if name not in known and not name.startswith("etc/systemd"))
