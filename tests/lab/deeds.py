"""Runs of the bootstrap in which something happens at an event: the controller dies or waits, or a plug is pulled (see controller.py)."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from rehearsal import ROOT


def words(deed: str, kind: str, host: str, change_set: str, *flags: str) -> list[str]:
    """The command line of a controller that does `deed` at an event."""
    return [sys.executable, str(Path(__file__).with_name("controller.py")), deed, kind, host, change_set, "--", *flags]


def run_with(deed: str, kind: str, host: str, change_set: str, *flags: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """The run as it ended, and the monotonic time of the deed; the drill fails where the event never came."""
    done = subprocess.run(words(deed, kind, host, change_set, *flags), cwd=ROOT, capture_output=True, text=True, check=False)
    said = [line for line in done.stdout.splitlines() if line.startswith("drill: ")]
    assert said, f"the drill never came to {kind} of {host}:\n{done.stdout[-3000:]}\n{done.stderr}"
    return done, float(said[0].split()[-1])


@contextlib.contextmanager
def open_set(gate: Path, kind: str, host: str, change_set: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """A run that stands still in the middle of a set until `gate` is there."""
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
