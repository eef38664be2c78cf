"""Runs the unit tests on mutants: each in its own process, on a copy of the tree.

A trial is a fork of a process that has imported the suite's dependencies, but no module of the suite. So each trial imports the mutant, and
does not spend a second on the dependencies. The copy holds Python's bytecode of the unchanged tree. A mutant has another time stamp than
its file, so Python does not use that bytecode for it, and trials write no bytecode.
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
DEPENDENCIES = (
    "pytest",
    "yaml",
    "pydantic",
    "nornir",
    "nornir_napalm",
    "napalm",
    "asyncssh",
    "jinja2",
    "click",
    "rich",
    "networkx",
    "numpy",
)
# The tests that catch most mutants of a kind, fastest first. The remaining unit tests run only where these do not catch the mutant.
FIRST = {
    STEPS: ("changes ceph_maintenance api_link cluster_files plan maintenance maintenance_silence napalm_commits hostile_values ceph_sets"),
    ENGINE: (
        "engine engine_failures procedure rollback selection coordinated plan verify schedule maintenance maintenance_silence runbook"
        " stages turns commands precheck ceph_maintenance survey api_link napalm_commits maintain main changes"
    ),
}
# The gate's own test. It would fail where a mutant changes a line of equivalent.yaml.
EXCLUDED = "test_mutants.py"
# For one test, and for the imports: a mutant may cause an endless loop.
LIMIT_S = 90
PASSED, FAILED, BROKEN = 0, 1, 2
ABANDONED, NOT_THE_MUTANT = 98, 99
FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) tests/unit/(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """A mutant and the test that caught it; empty where it survived."""

    mutant: Mutant | None
    caught_by: str


class Alarm:
    """A plugin of pytest that ends the process where a test takes too long, or the parent process has ended."""

    def __init__(self) -> None:
        self.parent = os.getppid()

    def pytest_runtest_logstart(self) -> None:
        signal.alarm(LIMIT_S)
        if os.getppid() != self.parent:
            os._exit(ABANDONED)


def start(folder: str) -> None:
    """Copy the tree for this process, and import the dependencies of all trials."""
    copy = Path(folder) / str(os.getpid())
    shutil.copytree(ROOT, copy, ignore=NOT_COPIED, symlinks=True)
    os.chdir(copy)
    paths = [str(copy), str(copy / "drivers"), str(copy / "tests" / "unit")]
    sys.path[:0] = paths
    # Programs that tests start must import the copy too.
    os.environ |= {"PYTHONPATH": os.pathsep.join(paths[:2]), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    # Temporary files of a trial are removed with the copy.
    temporary = Path(folder) / f"{os.getpid()}.tmp"
    temporary.mkdir()
    os.environ["TMPDIR"] = tempfile.tempdir = str(temporary)
    sys.dont_write_bytecode = False
    for name in DEPENDENCIES:
        import_module(name)
    case_files: Any = import_module("case_files")  # it caches the cases, which no mutant changes
    for path in sorted(case_files.CASES.rglob("*.yaml")):
        case_files.subject(path.with_suffix(""))
    _caught_by(["--collect-only", "tests/unit"])
    sys.dont_write_bytecode = True


def try_out(mutant: Mutant | None, kind: str) -> Trial:
    """Run the tests on a mutant, or on the unchanged tree: first those that catch most of its kind, then all others."""
    first = [path for name in FIRST[kind].split() if Path(path := f"tests/unit/test_{name}.py").exists()]
    others = [str(path) for path in sorted(Path("tests/unit").glob("test_*.py")) if str(path) not in first and path.name != EXCLUDED]
    with _applied(mutant) if mutant else nullcontext():
        return Trial(mutant, _caught_by(first) or _caught_by(others))


@contextmanager
def _applied(mutant: Mutant) -> Iterator[None]:
    """The copy holds the mutant inside the block."""
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
    output = log.read_text(errors="replace")
    if code not in (FAILED, BROKEN, -signal.SIGALRM):
        raise RuntimeError(f"the tests ended with {code}:\n{output[-4000:]}")
    test = FAILED_TEST.search(output)
    return "the time limit" if code < 0 else test[1] if test else "the import"


def _end(child: int) -> None:
    """Kill the processes that the tests left."""
    try:
        os.killpg(child, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _tests(words: Sequence[str], log: Path) -> int:
    """Run pytest in the child, up to the first failure; returns its exit code."""
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
