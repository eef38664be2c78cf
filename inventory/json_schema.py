"""JSON schemas of the four files, which editors check and complete them with: `python -m inventory.json_schema` writes them."""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from inventory import ceph_models as ceph_rows
from inventory import models as rows
from inventory import nfs_models as nfs_rows
from inventory.value_types import HostName

EDITORS = Path(__file__).parent / "editors"

FILES: Mapping[str, TypeAdapter[Any]] = {
    "hosts": TypeAdapter(Mapping[HostName, rows.HostRow]),
    "groups": TypeAdapter(Mapping[HostName, rows.HostFields]),
    "defaults": TypeAdapter(rows.DefaultsFile),
    "cables": TypeAdapter(rows.CablesFile),
}


def texts() -> dict[str, str]:
    """The schema of each file as JSON text, by the file's name without `.yaml`."""
    words = _words_of_fields()
    return {name: _text(name, adapter, words) for name, adapter in FILES.items()}


def _text(name: str, adapter: TypeAdapter[Any], words: Mapping[tuple[str, str], str]) -> str:
    made = adapter.json_schema()
    for part in _parts(made):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for key, value in part.get("properties", {}).items():
            value.pop("title", None)
            value["description"] = words[part["title"], key]
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **made, "title": f"{name}.yaml"}, indent=2) + "\n"


def _parts(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema, outermost first."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(below)


def _words_of_fields() -> dict[tuple[str, str], str]:
    """What the docstring under each field of the models says, by model and key, those of a model's base included."""
    trees = [ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")) for module in (ceph_rows, nfs_rows, rows)]
    words: dict[tuple[str, str], str] = {}
    for model in (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)):
        bases = {base.id for base in model.bases if isinstance(base, ast.Name)}
        words.update({(model.name, key): text for (name, key), text in words.items() if name in bases})
        for field, below in zip(model.body, model.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                    words[model.name, key.rstrip("_")] = text
    return words


def main() -> None:
    """Write the schemas beside the inventory, where the first line of each YAML file points to."""
    EDITORS.mkdir(exist_ok=True)
    for name, text in texts().items():
        (EDITORS / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
