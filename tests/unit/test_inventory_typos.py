"""One typing error in a right inventory is one problem: the error itself, and nothing that follows from it. The errors are from a seed."""

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cases import BASES, ROOT
from test_inventory_words import models
from whole_site import read_once

from inventory.errors import InventoryError, Problem
from inventory.load import load

FILES = ("hosts", "groups", "defaults", "cables")
RIGHT = {name: yaml.safe_load((ROOT / "inventory" / f"{name}.yaml").read_text()) for name in FILES}
KEYS = {info.alias or name for model in models() for name, info in model.model_fields.items()}
# In the place of a value: no two of its parts are wrong.
VALUES: tuple[Any, ...] = (None, [], {}, 7, -1, "surprise", "", True, ["surprise"], [None])
EACH = 25
# Below these keys, and at the top of two files, names stand where other rows have keys.
NAMED = ("ports", "disks", "bonds", "arrays", "exports", "pools", "networks")


def parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part."""
    for step, below in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield (*path, step)
        yield from parts(below, (*path, step))


def is_key(name: str, path: tuple[Any, ...]) -> bool:
    is_name = len(path) == 1 and name in ("hosts", "groups")
    return isinstance(path[-1], str) and path[-1] in KEYS and not is_name and (len(path) < 2 or path[-2] not in NAMED)


def misspelt(key: str, chance: random.Random) -> str:
    at = chance.randrange(len(key))
    return chance.choice(
        [key[:at] + key[at + 1 :], key[:at] + key[at] + key[at:], key[:at] + key[at + 1 : at + 2] + key[at] + key[at + 2 :]]
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("inventory.draft.read", read_once)
    for name, data in RIGHT.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    assert load(tmp_path) == load(BASES["shipped"])
    return tmp_path


def problems(folder: Path, name: str, data: Any) -> tuple[Problem, ...]:
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))
    try:
        load(folder)
    except InventoryError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("name", FILES)
def test_misspelt_key_is_the_one_problem_and_its_remedy_the_right_one(name: str, folder: Path) -> None:
    chance = random.Random(name)
    keys = [path for path in parts(RIGHT[name]) if is_key(name, path)]
    for path in chance.sample(keys, min(EACH, len(keys))):
        wrong = misspelt(path[-1], chance)
        if wrong in KEYS or not wrong:
            continue
        data = copy.deepcopy(RIGHT[name])
        node = data
        for step in path[:-1]:
            node = node[step]
        rows = [(wrong if key == path[-1] else key, below) for key, below in node.items()]
        node.clear()
        node.update(rows)
        (problem,) = problems(folder, name, data)
        assert (problem.place.file.name, problem.found) == (f"{name}.yaml", f"'{wrong}'"), str(problem)
        assert f"{wrong}:" in (folder / f"{name}.yaml").read_text().splitlines()[problem.place.line - 1]
        assert problem.remedy == f"did you mean '{path[-1]}'?", str(problem)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["other value", "missing"])
def test_other_value_or_missing_key_is_at_most_one_problem(name: str, kind: str, folder: Path) -> None:
    """None where the key is optional, or the value is possible."""
    chance, found = random.Random(name + kind), 0
    paths = [*parts(RIGHT[name])]
    for path in chance.sample(paths, min(EACH, len(paths))):
        data = copy.deepcopy(RIGHT[name])
        node = data
        for step in path[:-1]:
            node = node[step]
        if kind == "missing" and not is_key(name, path):
            continue
        if kind == "missing":
            del node[path[-1]]
        else:
            node[path[-1]] = chance.choice(VALUES)
        one = problems(folder, name, data)
        assert len(one) <= 1, (path, [str(problem) for problem in one])
        found += len(one)
    assert found
