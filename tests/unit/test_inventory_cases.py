"""Invalid inventories: each case has its difference from one small valid inventory, and the one line that must be reported."""

from pathlib import Path

import pytest
from case_files import with_edits
from cases import BASES, CASES, Case, cases_of

from inventory.draft import draft_of
from inventory.errors import InventoryError
from inventory.load import load
from inventory.rules import RULES

FOLDER = CASES / "inventory"
EVERY = [case for path in sorted(FOLDER.glob("*.yaml")) for case in cases_of(path.with_suffix(""))]
NAMED = {case.name: case for case in EVERY}


def laid_over_base(folder: Path, *cases: Case) -> Path:
    """The base with the changes of `cases`."""
    with_edits(BASES["small"], {}, folder)
    for case in cases:
        with_edits(folder, case.own["inventory"], folder)
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(InventoryError) as raised:
        load(folder)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_base_is_valid(tmp_path: Path) -> None:
    load(laid_over_base(tmp_path))


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_invalid_inventory_gives_its_one_message(case: Case, tmp_path: Path, expect) -> None:
    (problem,) = problems_of(laid_over_base(tmp_path, case))
    expect(case, {"error": problem})


def test_every_problem_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    cases = [NAMED[name] for name in ("vmid-twice", "duplicate-key", "gateway-of-the-operator-outside", "network-unknown")]
    assert sorted(problems_of(laid_over_base(tmp_path, *cases))) == sorted(case.own["error"] for case in cases)


def test_rows_that_depend_on_an_invalid_one_report_nothing(tmp_path: Path) -> None:
    folder = laid_over_base(tmp_path, NAMED["unknown-platform"])
    assert len(problems_of(folder)) == 1


def test_every_rule_has_a_case(tmp_path: Path) -> None:
    unproven = set(RULES)
    for case in EVERY:
        draft, _ = draft_of(laid_over_base(tmp_path / case.name, case))
        unproven -= {rule for rule in unproven if any(rule(draft))}
    assert not unproven
