"""Values that are not valid names: refused in every field of the inventory, and quoted in scripts where they come from a host."""

import copy
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from inventory.errors import Problem
from inventory.files import YamlFile
from inventory.json_schema import _parts
from inventory.json_schema import texts as texts_of_schemas
from inventory.models import CablesFile, DefaultsFile, HostFields, HostRow
from inventory.structure import check, check_rows
from inventory.value_types import HOST_NAME
from tasks.network.thunderbolt.change import _rename

ROOT = Path(__file__).parents[2]
MODELS: dict[str, Any] = {"hosts": HostRow, "groups": HostFields, "defaults": DefaultsFile, "cables": CablesFile}
# Appended to a valid value: characters that end a line, a string, a word or a pattern in the grammars into which values are written.
TAILS = (
    "\n",
    "\nName=evil",
    '", RUN+="/bin/sh -c id',
    "$(reboot)",
    "`reboot`",
    ";reboot",
    "'",
    " evil",
    "|evil",
    "*",
    "\\",
    "\x00",
    "\x1b[2J",
    "\u202e",
)
Path_ = tuple[str | int, ...]
KEYS = (*DefaultsFile.model_fields, *CablesFile.model_fields)


def rows_of(name: str) -> Any:
    """A file of the shipped inventory; the defaults also with a key file."""
    data = YAML(typ="safe").load((ROOT / "inventory" / f"{name}.yaml").read_text())
    return {**data, "ospf": {**data.get("ospf", {}), "key_file": "key"}} if name == "defaults" else data


def problems(name: str, data: Any) -> tuple[Problem, ...]:
    """The problems of a file's rows by themselves."""
    file, model = YamlFile(Path(f"{name}.yaml"), data), MODELS[name]
    return (check_rows(model, file, HOST_NAME) if name in ("hosts", "groups") else check(model, file))[1]


def texts(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, bool]]:
    """The path of every text in a file, and whether it is a key."""
    if isinstance(value, dict):
        for key, below in value.items():
            yield (*path, key), True
            yield from texts(below, (*path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from texts(below, (*path, index))
    elif isinstance(value, str):
        yield path, False


def with_tail(data: Any, path: Path_, tail: str, *, key: bool) -> Any:
    """The data with `tail` appended to the text at `path`."""
    changed = copy.deepcopy(data)
    at = changed
    for part in path[:-1]:
        at = at[part]
    if key:
        at[f"{path[-1]}{tail}"] = at.pop(path[-1])
    else:
        at[path[-1]] = f"{at[path[-1]]}{tail}"
    return changed


# Below these keys is a mapping of names, of which one is enough.
NAMED = {"ports", "disks", "bonds", "arrays", "exports", "pools", "networks"}


def fields(data: Any) -> Iterator[tuple[Path_, bool]]:
    """One example of each field: its path, and whether it means the key."""
    seen = set()
    for path, key in texts(data):
        kind = tuple("*" if isinstance(part, int) or before in NAMED else part for before, part in zip(("", *path), path, strict=False))
        kind = ("*", *kind[1:]) if path[0] not in (*NAMED, *KEYS) else kind
        if (kind, key) not in seen:
            seen.add((kind, key))
            yield path, key


@pytest.mark.parametrize("name", MODELS)
def test_every_field_refuses_invalid_values(name: str) -> None:
    data = rows_of(name)
    assert problems(name, data) == ()
    tried = [(path, tail, key) for path, key in fields(data) for tail in TAILS if path[-1] != "key_file" or key or tail < " "]
    assert len(tried) > 5 * len(TAILS)
    assert [(path, tail) for path, tail, key in tried if not problems(name, with_tail(data, path, tail, key=key))] == []


def test_name_from_a_host_is_not_run_as_a_command(tmp_path: Path) -> None:
    """The script that names ports, where every command answers with hostile text."""
    name = "$(touch ran)`touch ran`"
    for argv in (_rename({"en05": name}).argv, _rename({"en05": name}).undo):
        stubs = "test() { return 1; }; ip() { :; }; udevadm() { :; }; "
        done = subprocess.run(["/bin/sh", "-c", stubs + argv[2]], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert list(tmp_path.iterdir()) == []
        assert argv is not _rename({"en05": name}).argv or f"{name} is not named en05" in done.stderr


def test_every_text_of_the_inventory_has_a_pattern() -> None:
    """So that the test above covers every later field."""
    for text in texts_of_schemas().values():
        for part in _parts(json.loads(text)):
            assert part.get("type") != "string" or part.keys() & {"pattern", "enum", "const"}, part
            assert part.get("additionalProperties", False) is False, part
