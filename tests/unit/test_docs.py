"""The documentation refers only to existing links, flags, targets, terms and files; its Python compiles, and its examples work."""

import importlib
import re
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import click
import pytest
from cases import ROOT, Case, cases_of, modules
from click.testing import CliRunner
from nornir import InitNornir
from nornir.core.inventory import Host
from nornir.core.task import MultiResult, Task
from test_changes import follows

from inventory.errors import SiteError
from inventory.load import load
from lab.cli import main as lab_cli

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted(path for path in (ROOT / "docs" / "examples").rglob("*.py") if path.name != "__init__.py")
FEATURE = ROOT / "docs" / "examples" / "message_of_the_day"
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def prose(path: Path) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", path.read_text())


def blocks(path: Path, language: str) -> list[str]:
    return [text for _, kind, text in FENCE.findall(path.read_text()) if kind == language]


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings."""
    return {re.sub(r"[^\w -]", "", line).strip().lower().replace(" ", "-") for line in re.findall(r"^#+ (.*)$", prose(path), re.MULTILINE)}


LINKS = [(page, link) for page in PAGES for link in LINK.findall(prose(page))]


@pytest.mark.parametrize(("page", "link"), LINKS, ids=[f"{name_of(page)}:{link}" for page, link in LINKS])
def test_a_link_leads_somewhere(page: Path, link: str) -> None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists()
    assert not anchor or anchor in anchors(target)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_python_in_a_page_compiles(page: Path) -> None:
    for number, text in enumerate(blocks(page, "python"), 1):
        compile(text, f"{name_of(page)}, block {number}", "exec")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_ends(page: Path) -> None:
    assert "```" not in prose(page)


@cache
def help_of(runbook: str) -> str:
    done = subprocess.run([sys.executable, f"runbooks/{runbook}.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("runbook", ["audit", "bootstrap"])
def test_the_flags_of_the_readme_are_those_of_runbooks_of_stages(runbook: str) -> None:
    named = set(re.findall(r"^\| `(--[a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE))
    assert named == set(re.findall(r"^  (?:-h, )?(--[a-z-]+)", help_of(runbook), re.MULTILINE)) - {"--help"}


COMMAND = re.compile(r"python runbooks/(\w+)\.py([^\n`]*)")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_call_of_a_runbook_has_its_flags(page: Path) -> None:
    for runbook, words in COMMAND.findall(page.read_text()):
        assert set(re.findall(r"--[a-z-]+", words)) <= set(re.findall(r"--[a-z-]+", help_of(runbook))), (runbook, words)


def test_every_call_of_the_lab_is_one_of_its_commands() -> None:
    named = {verb for page in PAGES for verb in re.findall(r"python -m lab ([a-z]+)", page.read_text())}
    assert named - lab_cli.commands.keys() == set()
    assert CliRunner().invoke(lab_cli, ["--help"]).exit_code == 0


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert {"bootstrap", "test", "check"} <= named <= targets


def terms() -> dict[str, list[str]]:
    """{term: the names in the code} of the glossary's table."""
    rows = re.findall(r"^\| ([^|]+) \| (`[^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return {term: re.findall(r"`(\w+)`", names) for term, names in rows}


@pytest.mark.parametrize(("term", "names"), terms().items(), ids=terms())
def test_a_term_names_what_is_in_the_code(term: str, names: list[str]) -> None:
    assert names, term
    known = {name for module in (*modules(), importlib.import_module("inventory.site")) for name in vars(module)}
    assert set(names) - known == set()


PLACES = re.compile(r"`((?:tasks|lab|inventory|drivers|runbooks|tests|docs|templates|examples|benchmarks)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_named_file_exists(page: Path) -> None:
    named = {word for word in PLACES.findall(prose(page)) if not re.search(r"[A-Z]{3}", word)}
    assert {word for word in named if not (ROOT / word).exists()} == set()


def test_the_tree_of_the_architecture_is_that_of_the_project() -> None:
    (tree,) = blocks(ROOT / "docs" / "architecture.md", "")
    named = {line.split()[0] for line in tree.splitlines()}
    assert {folder for folder in named if not (ROOT / folder).is_dir()} == set()
    shared = {path.parent for path in (ROOT / "tasks").rglob("__init__.py") if path.parts[-3] in ("core", "platforms", "tasks")}
    assert {f"{folder.relative_to(ROOT)}/" for folder in shared} - {"tasks/core/", *named} == set()


def test_the_architecture_fits_on_three_pages() -> None:
    assert len((ROOT / "docs" / "architecture.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_path_of_one_machine(page: Path) -> None:
    assert re.findall(r"/tmp/\S*|/root/\S*|/home/\w+/\S*", page.read_text()) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_an_example_is_shown_as_it_is(path: Path) -> None:
    assert path.read_text() in blocks(ROOT / "docs" / "adding.md", "python")


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the examples importable, as when one of them is run."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    for name in [name for name in sys.modules if name.split(".")[0] in ("message_of_the_day", "plain_nornir")]:
        monkeypatch.delitem(sys.modules, name)


def test_the_cases_of_the_example_are_shown_as_they_are() -> None:
    assert (FEATURE / "cases.yaml").read_text() in blocks(ROOT / "docs" / "adding.md", "yaml")


@pytest.mark.usefixtures("examples")
@pytest.mark.parametrize("case", cases_of(FEATURE / "cases"), ids=str)
def test_the_example_of_a_feature_keeps_its_cases(case: Case, expect) -> None:
    change = importlib.import_module("message_of_the_day.change").MessageOfTheDay(**case.get("change"))
    expect(case, follows(case, change))


class Steps:
    """An operator's own processor: it records each task that ends on a host."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def task_instance_completed(self, task: Task, host: Host, result: MultiResult) -> None:
        self.seen.append((host.name, task.params.get("verb", task.name)))
        assert not result.failed

    def _nothing(self, *_: object) -> None:
        """Nornir calls all seven methods."""

    task_started = task_completed = task_instance_started = subtask_instance_started = subtask_instance_completed = _nothing


@pytest.mark.usefixtures("examples")
def test_the_example_of_plain_nornir_reads_and_changes(world, capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each look at the clock takes half a second, because the script waits in real time, not on the hosts' clock."""
    monkeypatch.setattr(time, "monotonic", lambda: world.clock.sleep(0.5) or world.clock())
    example, steps = importlib.import_module("plain_nornir"), Steps()
    nornir = world.run().nornir.with_processors([steps])
    example.main(nornir, "alvin")
    printed = capsys.readouterr().out
    assert "'hostname': 'alvin'" in printed
    assert click.unstyle(printed).rstrip().endswith("\ndone")
    assert world["alvin"].files["/etc/motd"] == "alvin of example.org\n"
    assert world["alvin"].lease is None
    verbs = ("napalm_get", "prepare", "begin", "outcome", "confirm", "release")
    assert [verb for _, verb in steps.seen if verb in verbs] == list(verbs)
    assert {host for host, _ in steps.seen} == {"alvin"}


def test_nornir_alone_loads_the_lab_and_another_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lab = InitNornir(config_file="nornir_config.yaml", logging={"enabled": False})
    assert list(lab.inventory.hosts) == list(load(ROOT / "inventory").hosts)
    home = InitNornir(config_file="nornir_config.yaml", inventory={"plugin": "BurrowInventory", "options": {"site": "home"}})
    assert list(home.inventory.hosts) == list(load(ROOT / "examples" / "home").hosts)
    with pytest.raises(SiteError, match="no site nobody: wanted a block of that name"):
        InitNornir(config_file="nornir_config.yaml", inventory={"plugin": "BurrowInventory", "options": {"site": "nobody"}})
