"""Measures with coverage.py which functions of the suite each file of drills runs, and stores them in ran.json.

It measures every process of the suite that a drill starts, under the name of the file of drills. It does not measure the lab and the host
agent, which every drill runs, nor a controller that a drill kills, because its measurement is lost.
"""

import ast
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import coverage

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
RAN = HERE / "ran.json"
SUITE = ("drivers", "inventory", "runbooks", "tasks")
# The environment variable with the file of drills for which a process runs. coverage.py reads it when the process starts.
DRILL = "BURROW_DRILL"
CONFIG_FILE = "measure.ini"
CONFIG = """\
[run]
parallel = true
data_file = {folder}/ran
context = ${{{drill}-}}
include =
{include}
disable_warnings =
    module-not-measured
    no-data-collected
"""


def environment(folder: Path) -> dict[str, str]:
    """The environment of a measured process, which writes its measurements to the folder."""
    path = folder / CONFIG_FILE
    include = "\n".join(f"    {ROOT / name}/*" for name in SUITE)
    path.write_text(CONFIG.format(folder=folder, drill=DRILL, include=include))
    return {"COVERAGE_PROCESS_START": str(path)}


def begin(name: str) -> None:
    """Attribute what this process and its child processes run from now on to a file of drills."""
    os.environ[DRILL] = name
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(name)


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(name, function) of every function, and of every method as Class.method. A nested function belongs to its outer function."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{one.name}", one) for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


def by_function(text: str, drills_by_line: Mapping[int, list[str]]) -> dict[str, list[str]]:
    """{function: files of drills that ran its body} of a module's text."""
    found = {}
    for name, node in functions(ast.parse(text)):
        lines = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
        found[name] = sorted({drill for line in lines for drill in drills_by_line.get(line, ()) if drill})
    return found


def measured(folder: Path) -> dict[str, dict[str, list[str]]]:
    """{module: {function: files of drills that ran it}} of the whole suite, by the measurements in the folder."""
    measuring = coverage.Coverage(config_file=str(folder / CONFIG_FILE))
    measuring.combine()
    data = measuring.get_data()
    paths = sorted(path for name in SUITE for path in (ROOT / name).rglob("*.py"))
    return {str(path.relative_to(ROOT)): by_function(path.read_text(), data.contexts_by_lineno(str(path))) for path in paths}


def keep(folder: Path) -> None:
    """Write the measurements in the folder to ran.json, one line for each function."""
    lines = (
        f"{json.dumps(module)}: {{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(drills)}" for name, drills in ran.items()) + "\n}"
        for module, ran in measured(folder).items()
        if ran
    )
    RAN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def kept() -> dict[str, dict[str, list[str]]]:
    """The measurements in ran.json."""
    found: dict[str, dict[str, list[str]]] = json.loads(RAN.read_text())
    return found
