"""The program that is built from the host agent: the same package gives the same bytes, and reading sends only what it needs."""

import json
import os
import subprocess
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from agent_machine import KIM, Machine
from case_files import ROOT

from tasks.core.agent.state import PATHS
from tasks.core.connectors import agent_artefact
from tasks.core.connectors.agent_artefact import FOLDER, PACKAGE, _compressed, compressed, program, whole
from tasks.core.connectors.agent_session import LOADER

# The compressed size of the agent when it was a single file. It did not have the grammar of secrets, which takes 1.1 KB of both.
ONE_FILE_BYTES = 19526
GRAMMAR_BYTES = 1100


def modules(text: str) -> set[str]:
    return {path.stem for path in FOLDER.glob("*.py") if f"'{PACKAGE}.{path.stem}': r'''" in text}


def test_threads_that_build_at_once_do_not_disturb_each_other() -> None:
    """`ast.parse` in two threads at once raises SystemError in CPython 3.11; a run's first requests go to all hosts at once."""
    _compressed.cache_clear()
    with ThreadPoolExecutor(16) as pool:
        programs = set(pool.map(compressed, ["begin"] * 16))
    assert len(programs) == 1
    assert _compressed.cache_info().misses == 1


@pytest.mark.parametrize("op", ["read", "begin"])
def test_same_package_gives_the_same_bytes(op: str) -> None:
    script = f"from tasks.core.connectors.agent_artefact import compressed; print(compressed({op!r}).hex())"
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert bytes.fromhex(done.stdout) == compressed(op)


def test_reading_is_sent_without_what_changes_a_host() -> None:
    changing = {"apply", "console", "draft", "install", "operations", "restore"}
    assert modules(zlib.decompress(compressed("read")).decode()) & changing == set()
    assert modules(whole()) == {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}


def test_sizes_stay_small() -> None:
    assert len(compressed("read")) < 0.75 * ONE_FILE_BYTES + GRAMMAR_BYTES
    assert len(compressed("begin")) < 1.25 * ONE_FILE_BYTES + GRAMMAR_BYTES


@pytest.mark.parametrize("op", ["read", "outcome"])
def test_reading_runs_with_what_is_sent_for_it(machine: Machine, op: str) -> None:
    """Also with a lease that has to be renewed, and a transaction that is open."""
    machine.write("etc/hosts", "old\n")
    machine.ask("prepare", KIM)
    agent = zlib.compress(program("requests", root=str(machine.root)).encode())
    request = json.dumps({"op": op, "facts": {"one": "echo 1"}, "deadline_s": 9, "token": "x", **vars(KIM)}).encode()
    command = LOADER.replace("python3", f"{sys.executable} -S", 1)
    done = subprocess.run(["/bin/sh", "-c", command], input=b"%d\n%b%b" % (len(agent), agent, request), capture_output=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])["answer"]
    assert answer["facts"]["one"]["out"] == "1\n" if op == "read" else answer["state"] == "unknown"


def test_installed_program_runs_by_itself(machine: Machine, tmp_path: Path) -> None:
    machine.ask("prepare")
    for word in ("status", "boot"):
        done = subprocess.run([sys.executable, "-I", "-S", PATHS.command, word], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    unknown = subprocess.run([sys.executable, "-I", "-S", PATHS.command, "what"], capture_output=True, text=True, check=False)
    assert (unknown.returncode, "burrow give-up" in unknown.stderr) == (1, True)


def test_types_of_the_program_are_not_evaluated(machine: Machine) -> None:
    """Python 3.9 does not know `str | None`."""
    given = "{'__name__': 'x', 'SOURCE': text, 'REQUEST': {'op': 'outcome', 'token': 'x'}}"
    script = f"text = open({str(PATHS.command)!r}).read(); exec(compile(text, 'burrow', 'exec'), {given}); import sys\n"
    script += "print(sys.modules['tasks.core.agent.pending'].opened.__annotations__['token'])"
    machine.ask("prepare")
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "str | None"


def test_module_that_cannot_be_sent_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd.py").write_text("text = '''x'''\n")
    monkeypatch.setattr(agent_artefact, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="use double ones"):
        program("odd")
