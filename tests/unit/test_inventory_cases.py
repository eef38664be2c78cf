"""Invalid inventories: each case lays a few files over one small sound inventory and says the one line that must come back."""

import shutil
from pathlib import Path

import pytest

from inventory.draft import draft_of
from inventory.errors import InventoryError
from inventory.rules import RULES
from inventory.typed import load

FOLDER = Path(__file__).parents[1] / "cases" / "inventory"
BASE = FOLDER / "_base"
CASES = sorted(case for case in FOLDER.iterdir() if case != BASE)


def lay_over_base(folder: Path, *cases: Path) -> Path:
    """The base with the files of `cases` over it, without those that their absent.txt names."""
    for source in (BASE, *cases):
        shutil.copytree(source, folder, dirs_exist_ok=True)
    for key in folder.glob("*.key"):
        key.chmod(0o600)  # git keeps no such mode
    if (absent := folder / "absent.txt").exists():
        for name in absent.read_text().split():
            (folder / name).unlink()
    return folder


def problems_of(folder: Path) -> list[str]:
    with pytest.raises(InventoryError) as raised:
        load(folder)
    return str(raised.value).replace(f"{folder}/", "").splitlines()


def test_base_is_sound(tmp_path: Path) -> None:
    load(lay_over_base(tmp_path))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_invalid_inventory_gives_its_one_message(case: Path, tmp_path: Path) -> None:
    expected = (case / "error.txt").read_text().splitlines()
    assert len(expected) == 1
    assert problems_of(lay_over_base(tmp_path, case)) == expected


def test_every_problem_of_every_file_is_reported_at_once(tmp_path: Path) -> None:
    cases = [FOLDER / name for name in ("vmid-twice", "duplicate-key", "gateway-of-the-operator-outside", "network-unknown")]
    expected = [line for case in cases for line in (case / "error.txt").read_text().splitlines()]
    assert sorted(problems_of(lay_over_base(tmp_path, *cases))) == sorted(expected)


def test_rows_that_rest_on_an_unsound_one_are_silent(tmp_path: Path) -> None:
    folder = lay_over_base(tmp_path, FOLDER / "unknown-platform")
    assert len(problems_of(folder)) == 1


def test_every_rule_has_a_case(tmp_path: Path) -> None:
    unproven = set(RULES)
    for case in CASES:
        draft, _ = draft_of(lay_over_base(tmp_path / case.name, case))
        unproven -= {rule for rule in unproven if any(rule(draft))}
    assert not unproven
