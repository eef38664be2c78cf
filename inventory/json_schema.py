"""JSON schemas of the four files, for editors. `python -m inventory.json_schema` writes them."""

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
    """The schema of each file as JSON text, by file name without `.yaml`."""
    descriptions = _descriptions()
    return {name: _text(name, adapter, descriptions) for name, adapter in FILES.items()}


def _text(name: str, adapter: TypeAdapter[Any], descriptions: Mapping[tuple[str, str], str]) -> str:
    schema = adapter.json_schema()
    for part in _parts(schema):
        if "patternProperties" in part:
            part["additionalProperties"] = False
        for key, value in part.get("properties", {}).items():
            value.pop("title", None)
            value["description"] = descriptions[part["title"], key]
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": f"{name}.yaml"}, indent=2) + "\n"


def _parts(value: object) -> Iterator[dict[str, Any]]:
    """Every mapping in a schema, outer before inner."""
    if isinstance(value, dict):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(below)


def _descriptions() -> dict[tuple[str, str], str]:
    """The docstring under each field of each model, by (model, key). Fields of a model's base are included."""
    trees = [ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")) for module in (ceph_rows, nfs_rows, rows)]
    descriptions: dict[tuple[str, str], str] = {}
    for model in (node for tree in trees for node in tree.body if isinstance(node, ast.ClassDef)):
        bases = {base.id for base in model.bases if isinstance(base, ast.Name)}
        descriptions.update({(model.name, key): text for (name, key), text in descriptions.items() if name in bases})
        for field, below in zip(model.body, model.body[1:], strict=False):
            match field, below:
                case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(text))):
                    descriptions[model.name, key.rstrip("_")] = text
    return descriptions


def main() -> None:
    """Write the schemas to inventory/editors/. The first line of each YAML file names its schema."""
    EDITORS.mkdir(exist_ok=True)
    for name, text in texts().items():
        (EDITORS / f"{name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
