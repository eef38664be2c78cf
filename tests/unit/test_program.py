"""A runbook as a program: its output, its readers, and signals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from engine import World, uplink
from fake_host import FRESH, FakeHost
from test_main import records

from tasks.core.cli.report import Screen
from tasks.core.engine.runbook import INTERRUPTED, OK

pytestmark = pytest.mark.usefixtures("home")
ALVIN = uplink("alvin")

PROGRAM = """
import signal
import sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
sys.path[:0] = [{unit!r}, {root!r}]
from tasks.core.cli.command_line import main
from test_main import NAMED
raise SystemExit(main(NAMED, sys.argv[1:]))
"""

ROOT = Path(__file__).parents[2]


def program(*words: str, stdout: Any = subprocess.PIPE, **more: Any) -> subprocess.Popen[str]:
    script = PROGRAM.format(unit=str(Path(__file__).parent), root=str(ROOT))
    return subprocess.Popen([sys.executable, "-c", script, *words], stdout=stdout, stderr=subprocess.PIPE, text=True, **more)


@pytest.fixture
def full_disk() -> Iterator[Any]:
    with Path("/dev/full").open("w") as file:
        yield file


@pytest.mark.parametrize("flags", [(), ("--json", "-")], ids=["screen", "json"])
def test_reader_that_disconnects_changes_nothing(site: Path, home: Path, alvin: FakeHost, flags: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = program("--site", str(site), "--yes", *flags, stdout=writer)
    os.close(writer)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == OK
    assert "Exception ignored" not in err
    assert "Traceback" not in err
    assert err.count("Broken pipe") == 1
    assert alvin.files["/etc/network/interfaces"] != FRESH
    (record,) = records(home)
    assert (record["exit_code"], record["stages"][0]["sets"][0]["state"]) == (OK, "done")


def test_full_disk_changes_nothing(site: Path, home: Path, full_disk: Any) -> None:
    process = program("--site", str(site), "--yes", "--json", "/dev/full", stdout=full_disk)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == OK
    assert "No space left on device" in err
    assert "Exception ignored" not in err
    assert "Traceback" not in err
    (record,) = records(home)
    assert record["stages"][0]["sets"][0]["state"] == "done"
    assert "the screen is switched off" in record["switched_off"][0]


def test_closed_standard_output_and_error_change_nothing(site: Path, home: Path) -> None:
    script = PROGRAM.format(unit=str(Path(__file__).parent), root=str(ROOT))
    words = ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, "-c", script, "--site", str(site), "--yes"]
    assert subprocess.run(words, check=False).returncode == OK
    assert [record["exit_code"] for record in records(home)] == [OK]


@pytest.fixture
def full_pipe() -> Iterator[tuple[int, int]]:
    """Both ends of a full pipe."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while os.write(writer, b"x" * 4096):
            pass
    os.set_blocking(writer, True)
    yield reader, writer
    os.close(reader)


def test_reader_that_does_not_read_does_not_block_the_run(world: World, full_pipe: tuple[int, int], monkeypatch) -> None:
    """As behind a pager: the timers of open transactions run meanwhile."""
    reader, writer = full_pipe
    with open(writer, "w", encoding="utf-8") as stream:  # noqa: PTH123 (a handle)
        monkeypatch.setattr(sys, "stdout", stream)
        screen = Screen()
        result = world.execute(ALVIN, run=world.run(ALVIN, watchers=(screen.watch,)))
        assert result.exit_code == OK
        heard = b""
        while b"done" not in heard:
            heard = os.read(reader, 65536)
        screen.close()
    assert screen.lost == ""


def test_signals_end_a_run_with_a_blocked_reader(site: Path, home: Path, alvin: FakeHost, full_pipe: tuple[int, int]) -> None:
    """The plan cannot be shown, so nothing is applied."""
    process = program("--site", str(site), "--yes", stdout=full_pipe[1])
    os.close(full_pipe[1])
    deadline, again_at = time.monotonic() + 60, 0.0
    while process.poll() is None and time.monotonic() < deadline:
        if alvin.journal and time.monotonic() > again_at:  # one signal ends the plan, another the results
            process.send_signal(signal.SIGTERM)
            again_at = time.monotonic() + 3
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert process.returncode == INTERRUPTED
    assert {verb for _, verb in alvin.journal} == {"read"}
    assert [record["exit_code"] for record in records(home)] == [INTERRUPTED]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_signal_at_the_program_rolls_back_and_ends_with_130(site: Path, home: Path, alvin: FakeHost, number: int) -> None:
    def send(_: FakeHost) -> None:
        for _ in range(2):
            process.send_signal(number)
        time.sleep(0.5)

    alvin.happens["after begin"] = send
    process = program("--site", str(site), "--yes")
    err = process.communicate(timeout=60)[1]
    assert (process.returncode, "Traceback" in err) == (INTERRUPTED, False)
    assert (alvin.files["/etc/network/interfaces"], alvin.pending, alvin.lease) == (FRESH, None, None)
    (record,) = records(home)
    assert (record["exit_code"], record["stages"][0]["sets"][0]["state"]) == (INTERRUPTED, "interrupted")
