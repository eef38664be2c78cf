"""The whole bootstrap of a fresh lab: its time, by stage and by phase. Resets the lab."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from timing import ROOT, table, wall_s

# Event -> the work of the time before it, within its set.
PHASES = {
    "prepared": "lease, host agent, packages (apt on the hosts)",
    "armed": "candidate checked, backups on disk, timer armed",
    "applied": "files, units, `ifreload` on the hosts",
    "reachable": "a new connection answers",
    "checked": "after-checks: the time of LACP and chrony, and one second in which they must pass",
    "confirmed": "confirmations",
}

# Event -> the column of its wait.
WAITS = {"applied": "commands at work", "checked": "until its checks pass"}


def stages(events: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    """(stage, seconds) from the end of the reading, or of the stage before, to the end of the stage."""
    since = max(event["at_s"] for event in events if event["kind"] == "read" and event["at_s"] < _first_set(events))
    for event in events:
        if event["kind"] == "stage" and event["text"].endswith(" done"):
            yield event["text"].removesuffix(" done"), event["at_s"] - since
            since = event["at_s"]


def _first_set(events: list[dict[str, Any]]) -> float:
    return min(float(event["at_s"]) for event in events if event["change_set"])


def parts(events: list[dict[str, Any]], stage: str) -> None:
    """Print the time that each set of a stage spent on its own work, on its commands, and on waiting for its checks."""
    ends = [event["at_s"] for event in events if event["kind"] == "stage" and event["text"].endswith(" done")]
    names = [event["text"].removesuffix(" done") for event in events if event["kind"] == "stage" and event["text"].endswith(" done")]
    since, until = ends[names.index(stage) - 1], ends[names.index(stage)]
    last: dict[str, float] = {}
    spent: dict[str, dict[str, float]] = {}
    for event in events:
        name, at_s = event["change_set"], event["at_s"]
        if name and since < at_s <= until:
            column = WAITS.get(event["kind"], "itself")
            row = spent.setdefault(name, dict.fromkeys(("itself", *WAITS.values()), 0.0))
            row[column] += at_s - last.get(name, at_s)
            last[name] = at_s
    total = [sum(row[column] for row in spent.values()) for column in ("itself", *WAITS.values())]
    rows = [[name, *(f"{seconds:.1f}" for seconds in row.values())] for name, row in spent.items()]
    sys.stdout.write(f"\n{stage}, seconds of each set:\n")
    table([["set", "itself", *WAITS.values()], *rows, ["total", *(f"{seconds:.1f}" for seconds in total)]])


def main() -> None:
    """Print the tables."""
    wall_s([sys.executable, "-m", "lab", "reset"])
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "run.json"
        whole_s = wall_s([sys.executable, "runbooks/bootstrap.py", "--json", str(report)])
        events = json.loads(report.read_text())["events"]
    spent: dict[str, dict[str, float]] = {}
    last: dict[str, float] = {}
    for event in events:
        name, at_s = event["change_set"], event["at_s"]
        if name:
            stage = name.split()[0]
            spent.setdefault(stage, {}).setdefault(event["kind"], 0.0)
            spent[stage][event["kind"]] += at_s - last.get(name, at_s)
            last[name] = at_s
    table(
        [
            ["what", "seconds"],
            ["whole run", f"{whole_s:.1f}"],
            ["including start, imports, inventory", f"{whole_s - (events[-1]['at_s'] - events[0]['at_s']):.1f}"],
            *([f"including stage {name}", f"{length_s:.1f}"] for name, length_s in stages(events)),
        ]
    )
    parts(events, "storage")
    for stage, phases in spent.items():
        sets = len({event["change_set"] for event in events if event["change_set"].startswith(stage)})
        sys.stdout.write(f"\n{stage}: mean of {sets} sets\n")
        table(
            [["phase", "seconds a set"], *([PHASES[kind], f"{seconds / sets:.1f}"] for kind, seconds in phases.items() if kind in PHASES)]
        )
    subprocess.run([sys.executable, "runbooks/audit.py"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
