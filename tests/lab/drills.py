"""Runs drills: the smoke drills on one lab, or all of them, or a part of them, on two labs in parallel.

    python tests/lab/drills.py smoke
    python tests/lab/drills.py all [K/N] [--since REF] [--record]

The unit is a file of drills, which may build on each other. A file begins with fresh hosts, or with a whole site that it builds if earlier
drills left none. Parts and labs get equal shares of the last measured durations (durations.json, seconds). --since runs only the drills
that a change affects (since.py). --record stores the durations, and which functions of the suite each file of drills ran (measure.py). The
second lab is in a separate network, because both labs listen on the same loopback addresses. Files that count every lost packet, or that
need both CPUs for Ceph, run last on the first lab, when the second one is down. The mutation gate is also a unit. It needs no lab but both
CPUs, and runs before any lab is up.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import measure
import since

from lab.folders import VARIABLE, Folders

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DURATIONS = HERE / "durations.json"
SMOKE = "test_smoke.py"
MUTATION = "mutation"
GATE = (sys.executable, str(ROOT / "tests" / "mutation" / "gate.py"))
# In this order: the drills of maintenance use the site that those of storage build.
ALONE = ("test_smoke.py", "test_fabric.py", "test_bring_up.py", "test_storage.py", "test_maintenance.py")
# The assumed duration of a file that was not measured yet.
UNKNOWN_S = 120
PYTEST = (sys.executable, "-m", "pytest", "-v", "--durations=10")
OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
LAB = (sys.executable, "-m", "lab")


def files() -> list[str]:
    """All files of drills, by name."""
    return sorted(path.name for path in HERE.glob("test_*.py"))


def units() -> list[str]:
    """All units: the files of drills and the mutation gate."""
    return [*files(), MUTATION]


def durations() -> dict[str, float]:
    """{unit: seconds} as last measured."""
    measured: dict[str, float] = json.loads(DURATIONS.read_text())
    return measured


def shares(names: Iterable[str], cost_s: Mapping[str, float], count: int) -> list[list[str]]:
    """The names in `count` lists of about equal cost: in order of descending cost, each is added to the list with the lowest cost."""
    lists: list[list[str]] = [[] for _ in range(count)]
    spent_s = [0.0] * count
    for name in sorted(names, key=lambda one: (-cost_s.get(one, UNKNOWN_S), one)):
        index = spent_s.index(min(spent_s))
        lists[index].append(name)
        spent_s[index] += cost_s.get(name, UNKNOWN_S)
    return lists


def part(word: str) -> list[str]:
    """The units of part K of N, written K/N. A unit that runs alone counts twice. Raises SystemExit on an invalid part."""
    number, _, of = word.partition("/")
    if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise SystemExit(f"PART: wanted K/N such as 1/3, found {word}")
    cost_s = {name: durations().get(name, UNKNOWN_S) * (2 if name in (*ALONE, MUTATION) else 1) for name in units()}
    return shares(units(), cost_s, int(of))[int(number) - 1]


def second_lab() -> Path:
    """The second lab's folder, next to the first, with the same images and kernels."""
    first = Folders.of_user()
    folder = first.root.with_name(f"second-{first.root.name}")
    folder.mkdir(exist_ok=True)
    for name in (first.images, first.kernels):
        link = folder / name.name
        if not link.is_symlink():
            link.symlink_to(name)
    return folder


def drill(names: Sequence[str], results: Path) -> list[str]:
    """The command that runs files of drills and writes their durations to a file."""
    return [*PYTEST, f"--junitxml={results}", *(str(HERE / name) for name in names)]


def measured(results: Path) -> dict[str, float]:
    """{file: seconds} of one pytest run, empty if it did not complete."""
    found: dict[str, float] = {}
    if results.exists():
        for case in ET.parse(results).iter("testcase"):
            name = f"{(case.get('classname') or '').split('.')[-1]}.py"
            found[name] = found.get(name, 0.0) + float(case.get("time") or 0)
    return found


def mutation(durations_s: dict[str, float]) -> int:
    """Run the mutation gate, add its duration, and return its exit code."""
    began = time.monotonic()
    code = subprocess.run(GATE, cwd=ROOT, check=False).returncode
    durations_s[MUTATION] = time.monotonic() - began
    return code


def both_labs(names: Sequence[str], folder: Path) -> int:
    """Run the files on two labs, then those that run alone on the first. Returns the first exit code that is not 0."""
    subprocess.run([*LAB, "up"], cwd=ROOT, check=True)  # it builds the image, which both labs use
    first, second = shares((name for name in names if name not in ALONE), durations(), 2)
    alone = [name for name in ALONE if name in names]
    codes = [in_parallel(first, second, folder)] if first else []
    codes += [subprocess.run(drill(alone, folder / "alone.xml"), cwd=ROOT, check=False).returncode] if alone else []
    return next((code for code in codes if code), 0)


def in_parallel(first: Sequence[str], second: Sequence[str], folder: Path) -> int:
    """Run two lists of files in parallel, each on its own lab."""
    if not second:
        return subprocess.run(drill(first, folder / "first.xml"), cwd=ROOT, check=False).returncode
    environment = {**os.environ, VARIABLE: str(second_lab())}
    log = folder / "second.log"
    with log.open("wb") as output:
        other = subprocess.Popen(
            [*OWN_NETWORK, *drill(second, folder / "second.xml")], cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            codes = [subprocess.run(drill(first, folder / "first.xml"), cwd=ROOT, check=False).returncode, other.wait()]
        finally:
            if other.poll() is None:
                other.terminate()
                other.wait()
            subprocess.run([*LAB, "down"], cwd=ROOT, env=environment, check=False)
    print(f"\n== on the second lab\n{log.read_text()}", flush=True)
    return next((code for code in codes if code), 0)


def show(durations_s: Mapping[str, float]) -> None:
    """Print each unit's duration, and its former duration."""
    before = durations()
    for name, seconds in sorted(durations_s.items()):
        print(f"{name:34} {seconds:6.0f} s, was {before.get(name, 0):.0f} s")


def keep(durations_s: Mapping[str, float]) -> None:
    """Store each unit's duration. Units that were not measured keep theirs; removed units are dropped."""
    cost_s = {**durations(), **durations_s}
    DURATIONS.write_text(json.dumps({name: round(cost_s[name]) for name in units() if name in cost_s}, indent=1) + "\n")


def chosen(part_wanted: str | None, since_ref: str | None) -> list[str]:
    """The units to run, of one part or of all. With a commit, only those that the changes since then affect, and it prints the reasons."""
    names = part(part_wanted) if part_wanted else units()
    if since_ref is None:
        return names
    record = measure.kept()
    why = since.touched(since_ref, record["ran"], record["drills"], units(), MUTATION)
    for name in names:
        print(f"{name:34} {why.get(name, 'not affected')}", flush=True)
    return [name for name in names if name in why]


def all_drills(names: Sequence[str], folder: Path, durations_s: dict[str, float], *, record: bool) -> int:
    """Run the units, and measure them if the result is recorded. Returns the first exit code that is not 0."""
    code = mutation(durations_s) if MUTATION in names else 0
    drills = [one for one in names if one != MUTATION]
    if record:
        os.environ |= measure.environment(folder)
    return (both_labs(drills, folder) if drills else 0) or code


def main(words: Sequence[str]) -> int:
    """Run the command line, and return its exit code: 0 if every drill passed."""
    parser = argparse.ArgumentParser(prog="drills.py")
    parser.add_argument("what", choices=("smoke", "all"))
    parser.add_argument("part", nargs="?", metavar="K/N")
    parser.add_argument("--since", metavar="REF")
    parser.add_argument("--record", action="store_true")
    wanted = parser.parse_args(words)
    durations_s: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if wanted.what == "smoke":
            code = subprocess.run(drill([SMOKE], folder / "smoke.xml"), cwd=ROOT, check=False).returncode
        else:
            names = chosen(wanted.part, wanted.since)
            code = all_drills(names, folder, durations_s, record=wanted.record)
        for path in sorted(folder.glob("*.xml")):
            durations_s |= measured(path)
        show(durations_s)
        if wanted.record:
            keep(durations_s)
            measure.keep(folder, set(durations_s) - {MUTATION})
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
