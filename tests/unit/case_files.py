"""The files of cases: SUBJECT.yaml holds a subject's base and its small cases; a case with long facts has its own folder, SUBJECT/CASE/.

In a folder, `case.yaml` has what SUBJECT.yaml has below a case's name, and HOST/FACT is an answer of that host. Where HOST is the kind of a
cluster, each of its endpoints answers this. A fact, or a file of an inventory, is a whole text, or the difference from the layer below:

        {edits: [{was: TEXT, now: TEXT}]}    each `was` occurs exactly once
        {json: {PATH: VALUE}}                other values at paths such as `osd dump/osds/0/up`; null removes one
        {failed: CODE, stderr: TEXT}         a command that failed

A file of an inventory that is null does not exist; one that is not text is written in base64.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases"
# The keys of a case, in this order.
KEYS = ("why", "drill", "under", "inventory", "change", "limit", "arguments", "session", "facts", "silent")
EXPECTED = ("error", "findings", "picture", "result", "diff", "impact", "steps")
WIDTH = 140
# The files in an inventory's folder; the shipped folder also holds the Python package.
DATA = (".yaml", ".key")


@cache
def subject(path: Path) -> dict[str, dict[str, Any]]:
    """{case: its keys} of SUBJECT.yaml and the folders of SUBJECT, including `base`; the path has no suffix."""
    file, found = path.with_suffix(".yaml"), {}
    if file.is_file():
        read = loaded(file)
        found = {"base": read.get("base") or {}, **(read.get("cases") or {})}
    for folder in sorted(path.iterdir()) if path.is_dir() else ():
        own = folder / "case.yaml"
        if own.is_file() or folder.name == "base":
            found[folder.name] = {**found.get(folder.name, {}), **(loaded(own) if own.is_file() else {})}
            found[folder.name]["facts"] = _with_answers(folder, found[folder.name].get("facts") or {})
    return found


def loaded(path: Path) -> dict[str, Any]:
    """The content of a YAML file."""
    read: dict[str, Any] = yaml.load(path.read_text(), Loader=yaml.CSafeLoader) or {}
    return read


def _with_answers(folder: Path, facts: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {host: dict(answers) for host, answers in facts.items()}
    for path in sorted(folder.glob("*/*")):
        found.setdefault(path.parent.name, {})[path.name] = path.read_text()
    return found


def edited(text: str, what: Any) -> str:
    """The text of the layer below with a layer's changes. Raises ValueError where an edit does not fit."""
    if isinstance(what, str):
        return what
    if "json" in what:
        return otherwise(text, what["json"])
    for edit in what["edits"]:
        if text.count(edit["was"]) != 1:
            raise ValueError(f"{edit['was']!r} occurs {text.count(edit['was'])} times, wanted once")
        text = text.replace(edit["was"], edit["now"])
    return text


def otherwise(text: str, changes: Mapping[str, Any]) -> str:
    """A JSON reading with other values at some paths (`osd dump/osds/0/up`); null removes one, the index after the last appends one."""
    data = json.loads(text)
    for path, value in changes.items():
        node = data
        *way, last = (int(step) if step.isdigit() else step for step in path.split("/"))
        for step in way:
            node = node[step]
        if isinstance(node, list) and last == len(node):
            node.append(value)
        elif value is None:
            del node[last]
        else:
            node[last] = value
    return json.dumps(data)


def with_edits(base: Path, files: Mapping[str, Any], folder: Path) -> Path:
    """An inventory folder that differs from a base in some files; null removes a file."""
    texts = {path.name: path.read_bytes() for path in base.iterdir() if path.suffix in DATA}
    for name, what in files.items():
        if what is None:
            del texts[name]
            (folder / name).unlink(missing_ok=True)
        else:
            texts[name] = what if isinstance(what, bytes) else edited(texts.get(name, b"").decode(), what).encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_bytes(text)
        (folder / name).chmod(0o600 if name.endswith(".key") else 0o644)  # git does not keep this mode
    return folder


class _Dumper(yaml.SafeDumper):
    """Indents lists, and writes texts of several lines as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's own)
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def analyze_scalar(self, scalar: str) -> Any:
        """Also allows a block for a text with tabs or trailing spaces, which PyYAML would quote."""
        found = super().analyze_scalar(scalar.replace("\t", "x"))
        found.scalar = scalar
        found.allow_block = found.multiline and all(letter in "\n\t" or letter.isprintable() for letter in scalar)
        if "\t" in scalar:
            found.allow_flow_plain = found.allow_block_plain = found.allow_single_quoted = False
        return found

    def determine_block_hints(self, text: str) -> str:
        """Also adds an indentation hint for a text that begins with a tab, as PyYAML does for a space."""
        hints: str = super().determine_block_hints(text)
        return f"{self.best_indent}{hints}" if text.startswith("\t") else hints


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dumped(content: Mapping[str, Any]) -> str:
    """The canonical form of the files of cases."""
    return yaml.dump(dict(content), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)


def in_order(one: Mapping[str, Any]) -> dict[str, Any]:
    """A case with its keys in order. Raises ValueError on an unknown key."""
    if unknown := one.keys() - {*KEYS, *EXPECTED}:
        raise ValueError(f"no key of a case: {', '.join(sorted(unknown))}")
    return {key: one[key] for key in (*KEYS, *EXPECTED) if key in one}


def save(path: Path, name: str, expected: Mapping[str, Any]) -> None:
    """Write the expected results of a case into its file; everything else stays."""
    own = path / name / "case.yaml"
    file = own if own.is_file() else path.with_suffix(".yaml")
    whole = loaded(file)
    one = whole if file == own else whole["cases"][name]
    now = in_order({key: value for key, value in one.items() if key not in EXPECTED} | dict(expected))
    if now == one:
        return
    if file == own:
        whole = now
    else:
        whole["cases"][name] = now
    file.write_text(dumped(whole))
