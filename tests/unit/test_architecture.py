"""The layout: what a feature consists of, which modules may communicate with hosts, how large a file may be."""

import ast
import re
import sys
from functools import cache
from pathlib import Path

import pytest
from cases import CASES, ROOT, case_of, cases_of, changes, checks

from inventory.targets import CEPH, HOST, PROXMOX, kind_of
from runbooks.bootstrap import RUNBOOK
from tasks.core.model.check import Severity

PACKAGES = ("inventory", "tasks", "drivers", "lab", "runbooks")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
AGENT = sorted((ROOT / "tasks" / "core" / "agent").glob("*.py"))
TALKS_TO_HOSTS = {"asyncssh", "paramiko", "napalm", "netmiko", "requests", "httpx", "urllib", "http", "socket", "subprocess", "proxmoxer"}
TALKS_TO_HOSTS |= {"websockets"}
DOES_IO = TALKS_TO_HOSTS | {"os", "io", "asyncio", "threading", "time", "shutil", "tempfile", "nornir", "nornir_napalm"}
MENTIONS = (
    *("pyproject.toml", "Makefile", "docs/*.md", "docs/examples/*.py", "lab/rootfs/**/*.*", "lab/rootfs/usr/lib/lab/init"),
    "lab/rootfs/usr/lib/lab/node/usr/*bin/*",
)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, at its top or later, with the imported names."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            own = f"{name_of(path.parent).replace('/', '.')}." if node.level else ""
            module = f"{own}{node.module or ''}".removesuffix(".")
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def packages(path: Path) -> set[str]:
    return {module.split(".", 1)[0] for module in imports(path)}


@pytest.mark.parametrize(("feature", "change"), changes().items(), ids=changes())
def test_every_change_has_a_docstring_and_cases(feature: str, change: type) -> None:
    assert (change.__doc__ or "").strip().endswith(".")
    assert change.needs or change.also
    names = {case.name for case in cases_of(CASES / feature)}
    assert "already-right" in names
    assert len(names) > 1


@pytest.mark.parametrize("check", checks().values(), ids=checks())
def test_every_check_has_a_docstring_a_severity_and_a_remedy(check) -> None:
    assert check.statement.endswith(".")
    assert check.remediation.endswith((".", "?"))
    assert check.severity in Severity
    assert check.needs or check.also
    assert check.tags
    assert "_" in check.name


def test_every_file_of_cases_is_of_something() -> None:
    known = {*changes(), "agent", "checks", "engine", "inventory", "napalm", "scripts", "sites", "topology", "words"}
    assert {path.stem for path in CASES.iterdir()} - known == set()


def test_every_template_belongs_to_a_change() -> None:
    assert {path.name for path in (ROOT / "templates").iterdir()} - changes().keys() == set()


def test_only_the_engine_and_the_drivers_talk_to_hosts() -> None:
    """Except the lab, which creates the hosts."""
    others = [path for path in SOURCES if not name_of(path).startswith(("tasks/core/", "drivers/", "lab/"))]
    assert {name_of(path): found for path in others if (found := packages(path) & TALKS_TO_HOSTS)} == {}


def test_features_and_checks_are_pure() -> None:
    """The model and the platforms too, except one that reads a script of its own folder, and one whose script runs on the host."""
    features = [path for path in (ROOT / "tasks").rglob("*.py") if "core" not in path.parts or "model" in path.parts]
    assert {name_of(path): found for path in features if (found := packages(path) & DOES_IO)} == {}
    opened = re.compile(r"\b(open|print|input)\(|\.(read|write)_(text|bytes)\(")
    own = [name_of(path) for path in features if opened.search(path.read_text())]
    assert sorted(own) == ["tasks/platforms/frr/files.py", "tasks/platforms/ifupdown2/sourced.py"]


def test_agent_needs_the_standard_library_alone() -> None:
    assert {name_of(path): other for path in AGENT if (other := packages(path) - sys.stdlib_module_names - {"tasks"})} == {}
    assert {name_of(path): one for path in AGENT for one in imports(path) if one.startswith("tasks.") and "agent" not in one} == {}


def test_no_module_is_left_over() -> None:
    """Each is imported by another module, or started: by its name, by its file's name, or as an entry point."""
    imported = {module for path in SOURCES for module in imports(path)}
    texts = {path: path.read_text() for pattern in MENTIONS for path in ROOT.glob(pattern) if path.is_file() and path.suffix != ".pyc"}
    texts |= {path: path.read_text() for path in SOURCES}
    left = []
    for path in SOURCES:
        module = name_of(path).removesuffix(".py").replace("/", ".").removeprefix("drivers.")
        if path.stem not in ("__init__", "__main__") and path.parent.name != "runbooks" and module not in imported:
            runs = re.compile(rf"(-m |from |[\"']){re.escape(module)}\b|[/\"]{re.escape(path.name)}\b")
            left += [] if any(runs.search(text) for other, text in texts.items() if other != path) else [module]
    assert left == []


def test_no_file_has_an_empty_name() -> None:
    assert [name_of(path) for path in SOURCES if path.stem in ("utils", "util", "helpers", "helper", "common", "misc")] == []


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_files_are_short_enough_to_read() -> None:
    files = [*SOURCES, *(path for folder in ("tests", "benchmarks", "examples") for path in (ROOT / folder).rglob("*.py"))]
    assert {name_of(path): lines(path) for path in files if lines(path) > 300} == {}


def test_runbooks_and_templates_fit_on_a_screen() -> None:
    files = [*(ROOT / "runbooks").rglob("*.py"), *(ROOT / "templates").rglob("*.j2")]
    assert {name_of(path): lines(path) for path in files if lines(path) > 60} == {}


def test_every_module_has_a_docstring() -> None:
    assert [name_of(path) for path in SOURCES if not ast.get_docstring(tree(path))] == []


def test_every_change_has_a_target_of_its_kind() -> None:
    site = case_of("ceph_pool", "already-right").site
    members = [member for stage in RUNBOOK.stages for sets in stage.sets for one in sets(site) for member in one.members]
    assert {type(change).__name__ for member in members for change in member.changes if kind_of(member.host) != change.of} == set()
    assert {change.of for member in members for change in member.changes} == {HOST, CEPH, PROXMOX}
