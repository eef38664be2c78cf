"""Reads YAML files into plain data and records the line of each value, so that every problem can name its line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode
from ruamel.yaml.reader import ReaderError

from inventory.errors import Place, Problem

Keys = tuple[str | int, ...]

# Rows have six levels. An alias repeats a value; aliases of aliases repeat it exponentially often.
MOST_LEVELS, MOST_REPEATED = 30, 250_000

# YAML 1.2's core schema (chapter 10.3), without its octal and hexadecimal forms, which no value here uses.
SCALARS: Mapping[str, Callable[[str], object]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}


@dataclass(frozen=True)
class YamlFile:
    """A file as read: its data, the line of each of its keys and list items, and its problems as YAML.

    The data of an empty file is an empty mapping. The data of a file that cannot be read or parsed is None.
    """

    path: Path
    data: Any = None
    lines: Mapping[Keys, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def place(self, *path: str | int) -> Place:
        """The line of `path`, else of its innermost parent that the file contains."""
        while path and path not in self.lines:
            path = path[:-1]
        return Place(self.path, self.lines.get(path, 1))

    def sets(self, *path: str | int) -> bool:
        """Whether the file sets `path`."""
        return path in self.lines


def read(path: Path) -> YamlFile:
    """The file at `path`; `problems` holds its YAML errors."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Shallow
    try:
        if path.exists() and not path.is_file():
            return YamlFile(path, problems=(Problem(Place(path, 1), path.stem, "a file", "no regular file", "put a YAML file there"),))
        node = yaml.compose(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        return YamlFile(path, problems=(_unreadable(path, error),))
    reading = _Reading(path)
    data = reading.value(node, ()) if node is not None else {}
    return YamlFile(path, None if reading.refused else data, reading.lines, tuple(reading.problems))


def _unreadable(path: Path, error: OSError | UnicodeDecodeError | YAMLError) -> Problem:
    match error:
        case OSError():
            absent = isinstance(error, FileNotFoundError)
            remedy = "add it: docs/inventory.md shows its keys" if absent else "give your user read permission"
            return Problem(Place(path, 1), path.stem, "a readable file", error.strerror or str(error), remedy)
        case UnicodeDecodeError():
            line, found = error.object[: error.start].count(b"\n") + 1, f"the byte 0x{error.object[error.start]:02x}"
            return Problem(Place(path, line), path.stem, "UTF-8 text", found, "save the file as UTF-8")
        case MarkedYAMLError():
            mark, found = error.problem_mark or error.context_mark, str(error.problem or error.context).removeprefix("found ")
            return Problem(Place(path, mark.line + 1 if mark else 1), path.stem, "YAML", found, "correct this line or the one above")
        case ReaderError():
            line = path.read_text(encoding="utf-8").count("\n", 0, error.position) + 1
            found = f"the character U+{error.character:04X}"
            return Problem(Place(path, line), path.stem, "YAML", found, "remove it, or write its escape in double quotes")
        case _:
            return Problem(Place(path, 1), path.stem, "YAML", str(error).splitlines()[0], "correct the file")


class _Shallow(Composer):
    """Refuses deep nesting, which would overflow the stack."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The node at `index` of its parent. Raises ComposerError if it is nested too deeply."""
        self.depth += 1
        try:
            if self.depth > MOST_LEVELS:
                raise ComposerError(None, None, f"found more than {MOST_LEVELS} levels", self.parser.peek_event().start_mark)
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Reading:
    """Converts a file's nodes to plain data, and records lines and problems."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines: dict[Keys, int] = {}
        self.problems: list[Problem] = []
        self.refused = False
        self._open: list[Node] = []
        self._seen: set[int] = set()
        self._repeated = 0

    def value(self, node: Node, path: Keys) -> Any:
        """The value of `node`, as dict, list, str, int, float, bool or None."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if self.refused or not self._may_expand(node, path):
            return None
        self._open.append(node)
        data = self._mapping(node, path) if isinstance(node, MappingNode) else self._list(node, path)
        self._open.pop()
        return data

    def _may_expand(self, node: Node, path: Keys) -> bool:
        """Whether the node is neither part of itself nor repeated too often by aliases; otherwise records a problem."""
        if any(node is outer for outer in self._open):
            self._problem(node, path, "a value", "an alias (*) to a value that contains it", "write the value out")
            self.refused = True
        elif id(node) in self._seen:
            self._repeated += len(node.value) + 1
            if self._repeated > MOST_REPEATED:
                self._problem(node, path[:1], f"at most {MOST_REPEATED} values by alias (*)", "more", "write the values out")
                self.refused = True
        self._seen.add(id(node))
        return not self.refused

    def _list(self, node: Node, path: Keys) -> list[Any]:
        return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]

    def _mapping(self, node: Node, path: Keys) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, ScalarNode):
                self._problem(key_node, path, "a name as the key", "a list or a mapping", "write the key as plain text")
                continue
            key = str(key_node.value)
            below = (*path, key)
            if key in found:
                wanted = f"{key} once, as on line {self.lines[below]}"
                self._problem(key_node, below, wanted, "it a second time", "remove or rename one of the two")
                continue
            self.lines[below] = key_node.start_mark.line + 1
            found[key] = self.value(value_node, below)
        return found

    def _problem(self, node: Node, path: Keys, wanted: str, found: str, remedy: str) -> None:
        place = Place(self.path, node.start_mark.line + 1)
        self.problems.append(Problem(place, path_text(path) or self.path.stem, wanted, found, remedy))


def _scalar(node: ScalarNode) -> object:
    text = str(node.value)
    try:
        return SCALARS.get(str(node.tag), str)(text)
    except ValueError:
        return text


def path_text(path: Keys) -> str:
    """A path as messages write it: `alvin ports.eno1.mtu_bytes`, `cables row 3 from`."""
    if not path:
        return ""
    head, *rest = path
    if rest and isinstance(rest[0], int):
        head, rest = f"{head} row {rest[0] + 1}", rest[1:]
    return " ".join(filter(None, (str(head), ".".join(str(part) for part in rest))))
