"""The graph of names in the suite and its drills: which functions, classes, constants and imports use which names."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from measure import functions

Name = tuple[str, str]
"""(module's path, name in it): a function, Class.method, a class, a constant, or an imported name."""


@dataclass
class Module:
    """The definitions of a module's names, and the names that they use."""

    definitions: dict[str, str] = field(default_factory=dict)
    """{name: a text that changes with the name's code, but not with comments, docstrings or line numbers}."""
    uses: dict[str, set[str]] = field(default_factory=dict)
    """{name: the names and attributes that occur in it}."""
    strings: dict[str, set[str]] = field(default_factory=dict)
    """{name: the strings that occur in it}."""
    imports: dict[str, tuple[str, str]] = field(default_factory=dict)
    """{name: (module, name there)}. For an imported module, the name there is empty."""

    def add(self, name: str, node: ast.AST) -> None:
        """Add a statement that defines a name of the module."""
        _without_docstrings(node)
        nodes = list(ast.walk(node))
        self.definitions[name] = self.definitions.get(name, "") + ast.dump(node)
        self.uses.setdefault(name, set()).update(one.id for one in nodes if isinstance(one, ast.Name))
        self.uses[name].update(one.attr for one in nodes if isinstance(one, ast.Attribute))
        texts = (one.value for one in nodes if isinstance(one, ast.Constant))
        self.strings.setdefault(name, set()).update(one for one in texts if isinstance(one, str))


def _without_docstrings(node: ast.AST) -> None:
    for one in ast.walk(node):
        body = getattr(one, "body", None)
        if isinstance(body, list):
            one.body = [at for at in body if not (isinstance(at, ast.Expr) and isinstance(at.value, ast.Constant))]  # type: ignore[attr-defined]


def read(text: str) -> Module:
    """The names in a module's text. Raises SyntaxError if it is not Python."""
    found, tree = Module(), ast.parse(text)
    for name, function in functions(tree):
        found.add(name, function)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            found.imports |= {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found.imports |= {alias.asname or alias.name: (alias.name, "") for alias in node.names}
        elif isinstance(node, ast.ClassDef):
            found.add(node.name, _without_methods(node))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for name in _assigned(node) or [""]:
                found.add(name, node)
    found.definitions |= {name: f"import {what}" for name, what in found.imports.items()}
    return found


def _without_methods(node: ast.ClassDef) -> ast.ClassDef:
    rest = [one for one in node.body if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    return ast.ClassDef(node.name, node.bases, node.keywords, rest, node.decorator_list)


def _assigned(node: ast.stmt) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)]


def changed(was: str, now: str) -> set[str]:
    """The changed and new names of a module."""
    before, after = read(was).definitions, read(now).definitions
    return {name for name in after if before.get(name) != after[name]}


class Names:
    """All current modules, by path."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.modules = {path: read(text) for path, text in texts.items()}
        self._paths = {_dotted(path): path for path in texts}
        self._users: dict[Name, set[Name]] = {}
        for path, module in self.modules.items():
            referents = self._referents(path, module)
            for user, words in module.uses.items():
                for name in {name for word in words for name in referents.get(word, ())}:
                    self._users.setdefault(name, set()).add((path, user))

    def _referents(self, path: str, module: Module) -> dict[str, list[Name]]:
        """{word: the names that it may refer to in the module}: its own names, imported names, and names of imported modules."""
        found: dict[str, list[Name]] = {}
        for name in module.uses:
            found.setdefault(name.rpartition(".")[2], []).append((path, name))
        for word, (source, name) in module.imports.items():
            found.setdefault(word, []).append((path, word))
            whole = self._paths.get(f"{source}.{name}" if name else source)
            if whole is not None:
                for inner in self.modules[whole].uses:
                    found.setdefault(inner, []).append((whole, inner))
            elif source in self._paths:
                found[word].append((self._paths[source], name))
        return found

    def users(self, name: Name) -> set[Name]:
        """The names that a change of a name may affect: for a method or a class, the class, its methods and all their users."""
        path, word = name
        owner = word.partition(".")[0]
        methods = {(path, one) for one in self.modules[path].uses if one.startswith(f"{owner}.")} if path in self.modules else set()
        return self._users.get(name, set()) | self._users.get((path, owner), set()) | methods

    def with_string(self, words: Iterable[str]) -> Iterator[Name]:
        """The names that contain one of these strings."""
        wanted = set(words)
        for path, module in self.modules.items():
            yield from ((path, name) for name, strings in module.strings.items() if strings & wanted)


def _dotted(path: str) -> str:
    """The import name of a module."""
    short = path.removesuffix(".py").removesuffix("/__init__").removeprefix("drivers/").removeprefix("tests/lab/")
    return short.replace("/", ".")
