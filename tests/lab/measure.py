"""What each file of drills runs of the suite, measured by coverage.py while the drills run, and kept by function in ran.json.

Every process of the suite that a drill starts is measured, under the name of its file of drills. Not measured: the lab and the host
agent, which every drill runs, and a controller that a drill kills, because its measurement dies with it.
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
# The drill that a process runs for; coverage.py reads it from the environment as the process starts.
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
    """What a measured process has in its environment; the measurements are written to the folder."""
    path = folder / CONFIG_FILE
    include = "\n".join(f"    {ROOT / name}/*" for name in SUITE)
    path.write_text(CONFIG.format(folder=folder, drill=DRILL, include=include))
    return {"COVERAGE_PROCESS_START": str(path)}


def begin(name: str) -> None:
    """From here on, what this process and those that it starts run is that file of drills."""
    os.environ[DRILL] = name
    measuring = coverage.Coverage.current()
    if measuring is not None:
        measuring.switch_context(name)


def functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(name, function) of every function and every method as Class.method; one inside a function belongs to that."""
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
    """{module: {function: files of drills that ran it}} of the whole suite, by what was measured into the folder."""
    measuring = coverage.Coverage(config_file=str(folder / CONFIG_FILE))
    measuring.combine()
    data = measuring.get_data()
    paths = sorted(path for name in SUITE for path in (ROOT / name).rglob("*.py"))
    return {str(path.relative_to(ROOT)): by_function(path.read_text(), data.contexts_by_lineno(str(path))) for path in paths}


def keep(folder: Path) -> None:
    """Keep what was measured into the folder, one line a function."""
    lines = (
        f"{json.dumps(module)}: {{\n" + ",\n".join(f" {json.dumps(name)}: {json.dumps(drills)}" for name, drills in ran.items()) + "\n}"
        for module, ran in measured(folder).items()
        if ran
    )
    RAN.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def kept() -> dict[str, dict[str, list[str]]]:
    """What was measured when it was last kept."""
    found: dict[str, dict[str, list[str]]] = json.loads(RAN.read_text())
    return found
