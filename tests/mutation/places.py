"""The places for mutants: the code that makes steps, and the engine's modules with decisions."""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mutants import Kinds, Mutant, Source, mutants_of, parts_of

STEPS, ENGINE = "steps", "engine"
ENGINE_MODULES = (
    *("engine.apply", "engine.schedule", "engine.coordinated", "engine.planning", "engine.rollback", "engine.verify"),
    *("engine.maintenance", "engine.execute", "engine.selection", "engine.procedure", "engine.as_shown", "model.outcome", "model.plan"),
    *("connectors.base", "connectors.connection", "connectors.napalm_link", "cli.maintain"),
)
# Steps, and the classes inside them.
PARTS = frozenset(
    {"Action", "Command", "Call", "Operation", "FilePart", "FileWrite", "Unit", "Sysctl", "Candidate", "Package", "Preparation"}
)
MADE = re.compile(rf"\b({'|'.join(sorted(PARTS | {'Step'}))})\b")
# The other methods of a change. They compare, and have their own cases.
COMPARES = frozenset({"intend", "observe", "diff", "needs"})
PLAIN_CALLS = PARTS | {"frozenset", "tuple", "dict"}


@dataclass
class Module:
    """A source with its definitions, {name: node} with methods as CLASS.METHOD, and its imports, {name: (module, name)}."""

    source: Source
    functions: dict[str, ast.AST] = field(default_factory=dict)
    constants: dict[str, ast.stmt] = field(default_factory=dict)
    parts: dict[str, ast.ClassDef] = field(default_factory=dict)
    imported: dict[str, tuple[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for node in self.source.tree.body:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.functions |= {f"{node.name}.{one.name}": one for one in node.body if isinstance(one, ast.FunctionDef)}
                self.parts |= {node.name: node} if node.name in PARTS else {}
            elif isinstance(node, ast.ImportFrom):
                self.imported |= {one.asname or one.name: (node.module or "", one.name) for one in node.names}
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.constants |= {one.id: node for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}


def tasks_of(root: Path) -> dict[str, Source]:
    """{module: source} of what can hold mutants."""
    paths = (path for path in sorted((root / "tasks").rglob("*.py")) if path.parent.name != "agent")
    names = (str(path.relative_to(root)) for path in paths)
    return {name.removesuffix(".py").replace("/", "."): Source(name, (root / name).read_text()) for name in names}


def all_mutants(root: Path) -> dict[str, list[Mutant]]:
    """{steps or engine: the mutants} of a tree."""
    sources = tasks_of(root)
    engine = [sources[f"tasks.core.{name}"] for name in ENGINE_MODULES if f"tasks.core.{name}" in sources]
    return {STEPS: list(of_steps(sources)), ENGINE: [one for source in engine for one in of_engine(source)]}


def of_engine(source: Source) -> Iterator[Mutant]:
    """Mutants of decisions, numbers and single words, not of messages to operators."""
    kinds = Kinds(decisions=True)
    for node in parts_of(source.tree):
        yield from mutants_of(source, _assigned(node), node, kinds)


def of_steps(sources: Mapping[str, Source]) -> Iterator[Mutant]:
    """Mutants of the strings and numbers from which steps are made."""
    modules = {name: Module(source) for name, source in sources.items()}
    kinds = Kinds(sentences=True)
    done: set[int] = set()
    for module in modules.values():
        for node in module.parts.values():
            done |= {id(one) for one in node.body}
            yield from mutants_of(module.source, "", node, kinds)
    found = sorted(_reached(modules), key=lambda one: (one[0], _line(modules[one[0]], one[1])))
    for name, what in found:
        module = modules[name]
        node = module.functions.get(what) or module.constants[what]
        if id(node) not in done and name.removeprefix("tasks.core.") not in ENGINE_MODULES:
            done.add(id(node))
            yield from mutants_of(module.source, _owner(what) if what in module.functions else _assigned(node), node, kinds)


def _line(module: Module, what: str) -> int:
    return getattr(module.functions.get(what) or module.constants[what], "lineno", 0)


def _owner(what: str) -> str:
    return what.rpartition(".")[0]


def _assigned(node: ast.AST) -> str:
    """The names on the left of an assignment."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return ", ".join(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))


def _reached(modules: Mapping[str, Module]) -> set[tuple[str, str]]:
    """(module, name) of the code that makes steps, and of what it uses: functions of the same module, and constants of any module."""
    found: set[tuple[str, str]] = set()
    pending = [(name, what) for name, module in modules.items() for what in _makes_steps(module)]
    while pending:
        name, what = pending.pop()
        if (name, what) not in found:
            found.add((name, what))
            pending += _used(modules, name, what)
    return found


def _makes_steps(module: Module) -> Iterator[str]:
    for what, node in module.functions.items():
        assert isinstance(node, ast.FunctionDef)
        returned = ast.unparse(node.returns) if node.returns else ""
        if node.name == "steps" or _owner(what) in module.parts or MADE.search(returned) or _builds(node):
            yield what
    yield from (what for what, node in module.constants.items() if _builds(node))


def _builds(node: ast.AST) -> bool:
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return any(isinstance(called, ast.Name) and called.id in PARTS for called in calls)


def _used(modules: Mapping[str, Module], name: str, what: str) -> Iterator[tuple[str, str]]:
    module = modules[name]
    node = module.functions.get(what) or module.constants[what]
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield from _named(modules, name, one.id)
        elif isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self":
            method = f"{_owner(what)}.{one.attr}"
            if method in module.functions and one.attr not in COMPARES:
                yield name, method


def _named(modules: Mapping[str, Module], name: str, word: str) -> Iterator[tuple[str, str]]:
    module = modules[name]
    if word in module.functions or (word in module.constants and _is_plain(module.constants[word])):
        yield name, word
    elif word in module.imported:
        where, what = module.imported[word]
        if where in modules and what in modules[where].constants and _is_plain(modules[where].constants[what]):
            yield where, what


def _is_plain(node: ast.stmt) -> bool:
    """Whether a constant consists of literals only, not of values that are read."""
    calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return all(isinstance(called, ast.Attribute) or (isinstance(called, ast.Name) and called.id in PLAIN_CALLS) for called in calls)
