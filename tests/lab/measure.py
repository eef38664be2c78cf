"""Measures with coverage.py which functions of the suite each file of drills runs, and stores them in ran.json.

It measures every process of the suite that a drill starts, under the name of the file of drills. It does not measure the lab and the host
agent, which every drill runs, nor a controller that a drill kills, because its measurement is lost.
"""

import ast
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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


Ran = Mapping[str, Mapping[str, list[str]]]
"""{module: {function: files of drills that ran it}}."""


def measured(folder: Path) -> Ran:
    """{module: {function: files of drills that ran it}} of the whole suite, by the measurements in the folder."""
    measuring = coverage.Coverage(config_file=str(folder / CONFIG_FILE))
    measuring.combine()
    data = measuring.get_data()
    paths = sorted(path for name in SUITE for path in (ROOT / name).rglob("*.py"))
    return {str(path.relative_to(ROOT)): by_function(path.read_text(), data.contexts_by_lineno(str(path))) for path in paths}


def merged(before: Mapping[str, Any], now: Ran, drills: set[str]) -> dict[str, Any]:
    """The record after some files of drills were measured: {`drills`: all measured ones, `ran`: what they ran}.

    A function that is new since the others were measured is left out: whether they would run it is unknown.
    """
    others = set(before["drills"]) - drills
    ran: dict[str, dict[str, list[str]]] = {}
    for module, functions_of in now.items():
        old = before["ran"].get(module, {})
        known = {name: found for name, found in functions_of.items() if not others or name in old}
        ran[module] = {name: sorted({*found, *(others & set(old.get(name, ())))}) for name, found in known.items()}
    return {"drills": sorted(others | drills), "ran": ran}


def keep(folder: Path, drills: set[str]) -> None:
    """Keep what those files of drills ran, as measured into the folder; one line a function."""
    record = merged(kept(), measured(folder), drills)
    modules = (
        f"{json.dumps(module)}: {{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(found)}" for name, found in ran.items()) + "\n}"
        for module, ran in record["ran"].items()
        if ran
    )
    RAN.write_text(f'{{"drills": {json.dumps(record["drills"])},\n"ran": {{\n' + ",\n".join(modules) + "\n}}\n")


def kept() -> dict[str, Any]:
    """The record: {`drills`: files of drills that were measured, `ran`: {module: {function: those that ran it}}}."""
    found: dict[str, Any] = json.loads(RAN.read_text()) if RAN.exists() else {"drills": [], "ran": {}}
    return found
