"""Builds the host agent that is sent: one Python program from the package. The same package gives the same bytes."""

import ast
import threading
import zlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "agent"
PACKAGE = "tasks.core.agent"
# The operations that change nothing. Every other operation needs the whole package.
READING = ("read", "outcome")
# One thread builds at a time: in CPython 3.11, `ast.parse` in two threads at once can raise SystemError (the depth is counted per process).
_BUILDING = threading.Lock()
# The program holds each module as readable text, after the modules that it imports. `compile` applies the import from __future__ to every
# module, because Python 3.9 on a host does not know all types.
PROGRAM = '''\
#!/usr/bin/python3 -I
"""Burrow's host agent, as one program that needs only Python's standard library. It is generated: change tasks/core/agent instead."""
from __future__ import annotations

import sys
from types import ModuleType

ROOT = {root!r}
MODULES = {{
{modules}}}
for name, source in MODULES.items():
    module = sys.modules[name] = ModuleType(name)
    if "." in name:
        setattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2], module)
    exec(compile(source, f"<{{name}}>", "exec"), vars(module))

from tasks.core.agent.state import PATHS

PATHS.start(ROOT, globals().get("SOURCE") or open(__file__).read())
if "REQUEST" in globals():
    from tasks.core.agent.requests import answer

    answer(REQUEST)
else:
    import os

    from tasks.core.agent.console import main

    os.umask(0o077)
    sys.stdout.reconfigure(errors="backslashreplace")  # a text on the host may have bytes that are not UTF-8
    main(sys.argv[1:])
'''


def program(*entries: str, root: str = "/") -> str:
    """The program with these modules and those that they import at their top. Only tests use another `root` than `/`."""
    names: list[str] = []
    for entry in entries:
        _add(entry, names)
    parents = ("tasks", "tasks.core", PACKAGE)
    texts = [*((name, "") for name in parents), *((f"{PACKAGE}.{name}", _source(name)) for name in names)]
    return PROGRAM.format(root=root, modules="".join(f"{name!r}: r'''{text}''',\n" for name, text in texts))


def whole(root: str = "/") -> str:
    """The program with all modules, which a host installs."""
    return program(*sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"), root=root)


def compressed(op: str) -> bytes:
    """The compressed program for an operation: reading needs a few modules, a change needs all."""
    with _BUILDING:
        return _compressed(reading=op in READING)


@cache
def _compressed(*, reading: bool) -> bytes:
    return zlib.compress((program("requests") if reading else whole()).encode(), 9)


def _source(name: str) -> str:
    """A module's text. Raises ValueError if it cannot be quoted by three single quotes."""
    text = (FOLDER / f"{name}.py").read_text()
    if "'''" in text:
        raise ValueError(f"tasks/core/agent/{name}.py: three single quotes in a row cannot be sent; use double ones")
    return text


def _add(name: str, names: list[str]) -> None:
    """Add a module to the names, after those that it imports."""
    if name in names:
        return
    for node in ast.parse(_source(name)).body:
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            for alias in node.names:
                _add(alias.name, names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(f"{PACKAGE}."):
            _add(node.module.rpartition(".")[2], names)
    names.append(name)
