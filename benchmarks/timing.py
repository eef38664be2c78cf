"""Helpers of the benchmarks: a command's wall time, and figures as a Markdown table."""

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]


def wall_s(command: Sequence[str], stdin: bytes = b"") -> float:
    """Seconds that one command takes; the command has to succeed."""
    started = time.monotonic()
    subprocess.run(command, cwd=ROOT, input=stdin, capture_output=True, check=True)
    return time.monotonic() - started


def together_s(commands: Sequence[tuple[Sequence[str], bytes]]) -> float:
    """Seconds until the last of several parallel commands has ended."""
    started = time.monotonic()
    running = [subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for words, _ in commands]
    for process, (_, stdin) in zip(running, commands, strict=True):
        assert process.stdin is not None
        process.stdin.write(stdin)
        process.stdin.close()
    assert all(process.wait() == 0 for process in running)
    return time.monotonic() - started


def median(figures: Sequence[float]) -> str:
    """Median and range, in seconds."""
    return f"{statistics.median(figures):.2f} s ({min(figures):.2f} to {max(figures):.2f})"


def table(rows: Sequence[Sequence[str]]) -> None:
    """Print rows as a table; the first row is the head."""
    head, *body = rows
    for row in (head, ["---"] * len(head), *body):
        sys.stdout.write("| " + " | ".join(row) + " |\n")
