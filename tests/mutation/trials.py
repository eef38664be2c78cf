"""Tries mutants out: each in a process of its own, on a copy of the tree, with the unit tests that can see it.

A trial is a fork of a process that has imported what the suite stands on, and nothing of the suite: so each trial imports the mutant, and
what others need a second for is there already. What Python has compiled of the copy is that of the tree as it is: a mutant has another
time than its file, and nothing is compiled into the copy any more.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from mutants import Mutant
from places import ENGINE, STEPS

ROOT = Path(__file__).parents[2]
NOT_COPIED = shutil.ignore_patterns(".venv", ".git", "__pycache__", "*.egg-info", ".*_cache", "build")
STANDS_ON = ("pytest", "yaml", "pydantic", "nornir", "nornir_napalm", "napalm", "asyncssh", "jinja2", "click", "rich", "networkx", "numpy")
# What sees most mutants of a kind, fastest first; what these let live all other unit tests are shown.
FIRST = {
    STEPS: (
        *("test_changes.py", "test_ceph_maintenance.py", "test_api_link.py", "test_cluster_files.py"),
        *("test_plan.py", "test_maintenance.py", "test_napalm_commits.py", "test_hostile_values.py", "test_ceph_sets.py"),
    ),
    ENGINE: (
        *("test_engine.py", "test_compensation.py", "test_rollback.py", "test_selection.py", "test_coordinated.py", "test_plan.py"),
        *("test_verify.py", "test_schedule.py", "test_maintenance.py", "test_runbook.py", "test_turns.py", "test_commands.py"),
        *("test_precheck.py", "test_ceph_maintenance.py", "test_survey.py", "test_api_link.py", "test_napalm_commits.py"),
        *("test_maintain.py", "test_main.py", "test_changes.py"),
    ),
}
# It judges the gate: it would see that a line is no longer the one that is listed as equivalent.
NOT_SHOWN = "test_mutants.py"
# Of one test, and of the imports: a test that takes longer does not come to its end.
LIMIT_S = 90
PASSED, FAILED, BROKEN = 0, 1, 2
ABANDONED, NOT_THE_MUTANT = 98, 99
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) tests/unit/(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """What became of a mutant: by what it was caught; empty where it lives."""

    mutant: Mutant | None
    caught_by: str


class Alarm:
    """A part of pytest that ends the process where a test takes too long, or nobody waits for it any more."""

    def __init__(self) -> None:
        self.parent = os.getppid()

    def pytest_runtest_logstart(self) -> None:
        signal.alarm(LIMIT_S)
        if os.getppid() != self.parent:
            os._exit(ABANDONED)


def start(folder: str) -> None:
    """Make a copy of the tree for this process, and import what all trials need."""
    copy = Path(folder) / str(os.getpid())
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED, symlinks=True)
    os.chdir(copy)
    ours = [str(copy), str(copy / "drivers"), str(copy / "tests" / "unit")]
    sys.path[:0] = ours
    # Programs that tests start are to import the copy too.
    os.environ |= {"PYTHONPATH": os.pathsep.join(ours[:2]), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    # What a trial leaves goes with the copy.
    left = Path(folder) / f"{os.getpid()}.tmp"
    left.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(left)
    sys.dont_write_bytecode = False
    for name in STANDS_ON:
        import_module(name)
    case_files: Any = import_module("case_files")  # it reads the cases, which no mutant changes
    for path in sorted(case_files.CASES.rglob("*.yaml")):
        case_files.subject(path.with_suffix(""))
    _caught_by(["--collect-only", "tests/unit"])
    sys.dont_write_bytecode = True


def try_out(mutant: Mutant | None, kind: str) -> Trial:
    """Show a mutant, or the tree as it is, to the tests: first to those that see most of its kind, then to all others."""
    first = [f"tests/unit/{name}" for name in FIRST[kind] if Path("tests/unit", name).exists()]
    others = [str(path) for path in sorted(Path("tests/unit").glob("test_*.py")) if str(path) not in first and path.name != NOT_SHOWN]
    with _made(mutant) if mutant else nullcontext():
        return Trial(mutant, _caught_by(first) or _caught_by(others))


@contextmanager
def _made(mutant: Mutant) -> Iterator[None]:
    """The mistake is in the copy inside the block."""
    path = Path(mutant.file)
    text, was = path.read_text(), path.stat().st_mtime
    try:
        path.write_text(mutant.applied(text))
        os.utime(path, (was + 10, was + 10))
        yield
    finally:
        path.write_text(text)
        os.utime(path, (was, was))


def _caught_by(words: Sequence[str]) -> str:
    log = Path("trial.log")
    child = os.fork()
    if child == 0:
        os._exit(_tests(words, log))
    try:
        _, status = os.waitpid(child, 0)
    finally:
        _end(child)
    code = os.waitstatus_to_exitcode(status)
    if code == PASSED:
        return ""
    said = log.read_text(errors="replace")
    if code not in (FAILED, BROKEN, -signal.SIGALRM):
        raise RuntimeError(f"the tests ended with {code}:\n{said[-4000:]}")
    test = FAILED_TEST.search(said)
    return "the time limit" if code < 0 else test[1] if test else "the import"


def _end(child: int) -> None:
    """What the tests have started and left."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _tests(words: Sequence[str], log: Path) -> int:
    """In the child: its exit code is that of pytest, which stops at the first failure."""
    os.setsid()
    signal.alarm(LIMIT_S)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number in (1, 2):
        os.dup2(output, number)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    import pytest

    code = int(pytest.main(["-x", "-q", "--tb=short", "-p", "no:cacheprovider", *words], plugins=[Alarm()]))
    tasks = sys.modules.get("tasks")
    if tasks and not str(tasks.__path__[0]).startswith(str(Path.cwd())):
        return NOT_THE_MUTANT
    sys.stdout.flush()
    return code
