"""Runs of the bootstrap in which something happens at an event: the controller dies or waits, or a host loses power (see controller.py)."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rehearsal import ROOT


def words(deed: str, kind: str, host: str, change_set: str, *flags: str) -> list[str]:
    """The command line of a controller that does `deed` at an event."""
    return [sys.executable, str(Path(__file__).with_name("controller.py")), deed, kind, host, change_set, "--", *flags]


def run_with(
    deed: str, kind: str, host: str, change_set: str, *flags: str, state: Path | None = None
) -> tuple[subprocess.CompletedProcess[str], float]:
    """The ended run, and the monotonic time of the deed. The drill fails if the event never occurs.

    `state` is the folder of its journal, by default the operator's own.
    """
    environment = {**os.environ, **({"XDG_STATE_HOME": str(state)} if state else {})}
    done = subprocess.run(
        words(deed, kind, host, change_set, *flags), cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    deeds = [line for line in done.stdout.splitlines() if line.startswith("drill: ")]
    assert deeds, f"the event {kind} of {host} never occurred:\n{done.stdout[-3000:]}\n{done.stderr}"
    return done, float(deeds[0].split()[-1])


@contextlib.contextmanager
def open_set(gate: Path, kind: str, host: str, change_set: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """A run that pauses in the middle of a set until the file `gate` exists."""
    command = words(f"wait:{gate}", kind, host, change_set, *flags)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("drill: "):
                break
        try:
            yield run
        finally:
            gate.touch()
            run.stdout.read()
