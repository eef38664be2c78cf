"""The JSON schemas for editors: current, and in agreement with the inventories."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_inventory_cases import NAMED, laid_over_base

from inventory.files import read
from inventory.json_schema import EDITORS, texts

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "inventory"
SOUND = [ROOT / "inventory", ROOT / "examples" / "home", CASES / "base"]
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}

# Cases that an editor can detect by itself, by the wrong file.
SEEN_BY_EDITORS = {
    "unknown-key": "hosts",
    "missing-key": "hosts",
    "unknown-platform": "groups",
    "wrong-type-text-for-a-number": "groups",
    "mtu-too-large": "groups",
    "host-name-invalid": "hosts",
    "address-without-prefix": "hosts",
    "end-not-host-and-port": "cables",
    "hash-policy-unknown": "defaults",
    "nfs-clients-by-pattern": "hosts",
    "nfs-mode-without-quotes": "hosts",
    "nfs-path-upwards": "hosts",
    "nfs-squash-unknown": "hosts",
}


def objections(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> Iterator[str]:
    """The errors of a value under a schema; supports only the JSON schema keywords that the suite's schemas use."""
    if "$ref" in schema:
        schema = {**root["$defs"][schema["$ref"].removeprefix("#/$defs/")], **schema}
    if "anyOf" in schema and all(any(objections(option, value, root)) for option in schema["anyOf"]):
        yield f"{value}: none of anyOf"
    if "type" in schema and (not isinstance(value, TYPES[schema["type"]]) or (schema["type"] == "integer" and isinstance(value, bool))):
        yield f"{value}: no {schema['type']}"
        return
    yield from objections_to_word(schema, value)
    if isinstance(value, list):
        for item in value:
            yield from objections(schema["items"], item, root)
    if isinstance(value, dict):
        yield from (f"{key} missing" for key in schema.get("required", ()) if key not in value)
        for key, below in value.items():
            yield from objections_to_key(schema, key, below, root)


def objections_to_word(schema: dict[str, Any], value: Any) -> Iterator[str]:
    if "enum" in schema and value not in schema["enum"]:
        yield f"{value}: not in enum"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{value}: not of pattern"
    if isinstance(value, int) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{value}: out of range"


def objections_to_key(schema: dict[str, Any], key: str, value: Any, root: dict[str, Any]) -> Iterator[str]:
    patterns = [below for pattern, below in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
    fitting = [schema["properties"][key]] if key in schema.get("properties", {}) else patterns
    other = schema.get("additionalProperties", True)
    if not fitting and other is False:
        yield f"{key} unknown"
    for below in fitting or ([other] if isinstance(other, dict) else []):
        yield from objections(below, value, root)


def test_the_schemas_in_the_repository_are_current() -> None:
    assert {path.stem: path.read_text() for path in EDITORS.glob("*.json")} == texts(), "run python -m inventory.json_schema"


@pytest.mark.parametrize("folder", SOUND, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", texts())
def test_valid_files_satisfy_their_schema(folder: Path, name: str) -> None:
    schema = json.loads(texts()[name])
    assert list(objections(schema, read(folder / f"{name}.yaml").data, schema)) == []


@pytest.mark.parametrize(("case", "name"), SEEN_BY_EDITORS.items())
def test_editors_detect_the_errors_of_a_single_row(case: str, name: str, tmp_path: Path) -> None:
    folder = laid_over_base(tmp_path, NAMED[case])
    schema = json.loads(texts()[name])
    assert len(list(objections(schema, read(folder / f"{name}.yaml").data, schema))) >= 1


@pytest.mark.parametrize("folder", SOUND[:2], ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", texts())
def test_each_file_points_editors_to_its_schema(folder: Path, name: str) -> None:
    first = (folder / f"{name}.yaml").read_text().splitlines()[0]
    assert (folder / first.removeprefix("# yaml-language-server: $schema=")).resolve() == EDITORS / f"{name}.json"


def test_every_key_has_a_description() -> None:
    for text in texts().values():
        schema = json.loads(text)
        for model in [schema, *schema.get("$defs", {}).values()]:
            assert all(value["description"] for value in model.get("properties", {}).values())
