"""What the documentation names is there: links, flags, targets, terms, files; its Python compiles, and its examples work."""

import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from cases import ROOT, modules
from click.testing import CliRunner

from lab.cli import main as lab_cli

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def prose(path: Path) -> str:
    """A page without its blocks."""
    return FENCE.sub("", path.read_text())


def blocks(path: Path, language: str) -> list[str]:
    return [text for _, kind, text in FENCE.findall(path.read_text()) if kind == language]


def anchors(path: Path) -> set[str]:
    """The headings of a page as a link names them."""
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


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"(?:`|^)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert {"bootstrap", "test", "check"} <= named <= targets


def terms() -> dict[str, list[str]]:
    """{term: the names of the code} of the glossary's table."""
    rows = re.findall(r"^\| ([^|]+) \| (`[^|]+) \|", (ROOT / "docs" / "glossary.md").read_text(), re.MULTILINE)
    return {term: re.findall(r"`(\w+)`", names) for term, names in rows}


@pytest.mark.parametrize(("term", "names"), terms().items(), ids=terms())
def test_a_term_names_what_is_in_the_code(term: str, names: list[str]) -> None:
    assert names, term
    known = {name for module in (*modules(), importlib.import_module("inventory.schema")) for name in vars(module)}
    assert set(names) - known == set()


PLACES = re.compile(r"`((?:tasks|lab|inventory|drivers|runbooks|tests|docs|templates|examples|benchmarks)/[\w./-]+)`")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = {word for word in PLACES.findall(prose(page)) if not re.search(r"[A-Z]{3}", word)}
    assert {word for word in named if not (ROOT / word).exists()} == set()


def test_every_module_of_the_engine_is_in_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    engine = {path.name for path in (ROOT / "tasks" / "core").glob("[a-z]*.py")}
    assert {name for name in engine if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_place_on_somebodys_machine(page: Path) -> None:
    assert re.findall(r"/tmp/\S*|/root/\S*|/home/\w+/\S*", page.read_text()) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_an_example_is_shown_as_it_is(path: Path) -> None:
    assert path.read_text() in blocks(ROOT / "docs" / "adding.md", "python")


@pytest.fixture
def examples(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples' folder as if one of them were run."""
    monkeypatch.syspath_prepend(str(ROOT / "docs" / "examples"))
    for path in EXAMPLES:
        monkeypatch.delitem(sys.modules, path.stem, raising=False)


@pytest.mark.usefixtures("examples")
def test_the_example_of_one_change_makes_it(world) -> None:
    example = importlib.import_module("one_change")
    outcome = example.apply(world.run(), "alvin")
    assert (outcome.state, outcome.reasons) == ("done", [])
    assert world["alvin"].files["/etc/motd"] == "alvin of example.org\n"
    assert world["alvin"].lease is None
    assert example.apply(world.run(), "alvin").state == "unchanged"


@pytest.mark.usefixtures("examples")
def test_the_example_of_plain_nornir_reads(world) -> None:
    run = world.run()
    lines = list(importlib.import_module("read_everywhere").interfaces(run, run.nornir.filter(name="alvin")))
    assert lines == ["alvin: eth0 swp1"]
