"""What each file of drills runs of the suite, measured by coverage.py while the drills run, and kept by function in ran.json.

Every process of the suite that a drill starts is measured, under the name of its file of drills. Not measured: the lab and the host
agent, which every drill runs, and a controller that a drill kills, because its measurement dies with it.
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
# The drill that a process runs for; coverage.py reads it from the environment as the process starts.
DRILL = "BURROW_DRILL"
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
    path = folder / "measure.ini"
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
    """{function: files of drills that ran its body} of a module's text; a function that none ran is left out."""
    found = {}
    for name, node in functions(ast.parse(text)):
        lines = range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
        if drills := sorted({drill for line in lines for drill in drills_by_line.get(line, ()) if drill}):
            found[name] = drills
    return found


def measured(folder: Path) -> dict[str, dict[str, list[str]]]:
    """{module: {function: files of drills that ran it}} of what was measured into the folder."""
    config = folder / "measure.ini"
    if not any(folder.glob("ran.*")):
        return {}
    measuring = coverage.Coverage(config_file=str(config))
    measuring.combine()
    data = measuring.get_data()
    found = {}
    for path in sorted(data.measured_files()):
        if ran := by_function(Path(path).read_text(), data.contexts_by_lineno(path)):
            found[str(Path(path).relative_to(ROOT))] = ran
    return found


def kept() -> dict[str, dict[str, list[str]]]:
    """What was measured when it was last recorded."""
    found: dict[str, dict[str, list[str]]] = json.loads(RAN.read_text())
    return found


def keep(folder: Path, drills: set[str]) -> None:
    """Keep what those files of drills ran; of the others, what was measured before."""
    before = kept() if RAN.exists() else {}
    RAN.write_text(json.dumps(merged(before, measured(folder), drills), indent=1) + "\n")


def merged(before: Mapping[str, Mapping[str, list[str]]], now: Mapping[str, Mapping[str, list[str]]], ran: set[str]) -> dict[str, Any]:
    """The two together: of files of drills that ran just now, only what they ran just now."""
    found: dict[str, dict[str, list[str]]] = {}
    for module in sorted({*before, *now}):
        old, new = before.get(module, {}), now.get(module, {})
        for name in sorted({*old, *new}):
            if drills := sorted({*(one for one in old.get(name, ()) if one not in ran), *new.get(name, ())}):
                found.setdefault(module, {})[name] = drills
    return found
