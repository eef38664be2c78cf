"""The parts of the drills: every file of drills, and the mutation gate, is in exactly one of them, and they take about the same time."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import pytest
from cases import ROOT


@pytest.fixture
def drills(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tests" / "lab")
    return importlib.import_module("drills")


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 100])
def test_every_unit_is_in_one_part(drills: ModuleType, count: int) -> None:
    parts = [drills.part(f"{number}/{count}") for number in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == sorted(drills.units())


def test_shares_cost_about_the_same(drills: ModuleType) -> None:
    cost_s = {"long": 100.0, "a": 40.0, "b": 35.0, "c": 30.0}
    assert drills.shares(cost_s, cost_s, 2) == [["long"], ["a", "b", "c"]]


@pytest.mark.parametrize("word", ["", "0/3", "4/3", "1", "1/0", "one/3", "-1/3"])
def test_invalid_part_is_named(drills: ModuleType, word: str) -> None:
    with pytest.raises(SystemExit, match=f"wanted K/N such as 1/3, found {word}"):
        drills.part(word)


def test_only_existing_units_are_measured(drills: ModuleType) -> None:
    assert set(drills.durations()) <= set(drills.units())


def test_the_mutation_gate_is_a_unit_without_a_lab(drills: ModuleType) -> None:
    assert drills.units() == [*drills.files(), drills.MUTATION]
    assert Path(drills.GATE[-1]).is_file()
    assert Path(drills.GATE[-1]).is_relative_to(ROOT / "tests" / "mutation")


def test_files_that_run_alone_exist(drills: ModuleType) -> None:
    assert {*drills.ALONE, drills.SMOKE} <= set(drills.files())


def test_recorded_run_keeps_durations_and_what_each_file_ran(drills: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also a run of one part: the others keep theirs."""
    kept: list[set[str]] = []

    def ran(names: list[str], folder: Path, durations_s: dict[str, float], *, record: bool) -> int:
        assert (names, folder.is_dir(), record) == (["test_smoke.py", drills.MUTATION], True, True)
        durations_s |= {"test_smoke.py": 7.4, drills.MUTATION: 9.6}
        return 0

    monkeypatch.setattr(drills, "all_drills", ran)
    monkeypatch.setattr(drills, "chosen", lambda *_: ["test_smoke.py", drills.MUTATION])
    monkeypatch.setattr(drills.measure, "keep", lambda _, names: kept.append(names))
    monkeypatch.setattr(drills, "DURATIONS", tmp_path / "durations.json")
    (tmp_path / "durations.json").write_text('{"test_smoke.py": 1, "test_nfs.py": 5, "test_gone.py": 3}')
    assert drills.main(("all", "1/1", "--record")) == 0
    assert kept == [{"test_smoke.py"}]
    assert json.loads((tmp_path / "durations.json").read_text()) == {"test_nfs.py": 5, "test_smoke.py": 7, drills.MUTATION: 10}
