"""The files of cases: their form, the reason of each case, and the drill that ran the steps of a change."""

import ast
from functools import cache
from pathlib import Path

import pytest
from case_files import CASES, dumped, edited, in_order, loaded, subject
from cases import ROOT, Case, case_of, cases_of, changes, sites

SUBJECTS = sorted({path.with_suffix("") for path in CASES.rglob("*.yaml")} - {CASES / "sites"})
SUBJECTS = [path for path in SUBJECTS if not {"base", "engine", "agent"} & {*path.relative_to(CASES).parts} and path.name != "case"]
EVERY = [case for path in SUBJECTS for case in cases_of(path)]
SENT = [case for feature in changes() for case in cases_of(CASES / feature) if "steps" in case.own]
FILES = sorted({path.with_suffix(".yaml") for path in SUBJECTS} | set(CASES.rglob("case.yaml")))


@pytest.mark.parametrize("path", SUBJECTS, ids=lambda path: str(path.relative_to(CASES)))
def test_each_case_has_its_reason_in_one_sentence(path: Path) -> None:
    reasons = {case.name: case.own["why"] for case in cases_of(path)}
    assert {name: why for name, why in reasons.items() if not 10 < len(why) <= 120 or not why.endswith(".")} == {}


@cache
def drills(path: Path) -> frozenset[str]:
    return frozenset(node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("case", SENT, ids=str)
def test_each_case_names_the_drill_that_ran_its_steps_or_why_none_did(case: Case) -> None:
    drill = case.get("drill", "")
    file, _, name = drill.partition("::")
    assert drill.startswith("none: ") or name in drills(ROOT / "tests" / "lab" / file), drill


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CASES)))
def test_a_file_has_the_form_in_which_it_is_saved(path: Path) -> None:
    content = loaded(path)
    assert path.read_text() == dumped(content)
    for case in [content] if path.name == "case.yaml" else content.get("cases", {}).values():
        assert list(in_order(case)) == list(case)


def test_an_edit_fits_once_or_is_refused() -> None:
    assert edited("a\nb\n", {"edits": [{"was": "b\n", "now": "c\n"}]}) == "a\nc\n"
    for text in ("a\n", "b\nb\n"):
        with pytest.raises(ValueError, match="wanted once"):
            edited(text, {"edits": [{"was": "b\n", "now": "c\n"}]})


def test_layers_lie_over_each_other() -> None:
    own = case_of("ceph_pool", "already-right")
    assert subject(own.subject)["base"]["under"] == "checks"
    assert own.facts["alvin"].readings.keys() > {"ceph"}


def test_every_site_is_used_and_has_a_reason() -> None:
    used = {layer.get("inventory") for case in EVERY for layer in case.layers if isinstance(layer.get("inventory"), str)}
    assert sites().keys() - used == set()
    assert all(row["why"].endswith(".") for row in sites().values())
