"""A console is a terminal in a machine, over the serial line. Afterwards the operator's terminal has its former settings."""

import os
import select
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rehearsal import ROOT, Lab

pytestmark = pytest.mark.lab

PROMPT = "root@alvin:~# "
WAIT_S = 15.0


class Operator:
    """An operator at a terminal who runs `python -m lab console`."""

    def __init__(self, master: int, slave: int, console: "subprocess.Popen[bytes]") -> None:
        self._master = master
        self._slave = slave
        self._seen = ""
        self.console = console

    def sees(self, words: str) -> None:
        """Wait until a text appears on the screen, after the one before."""
        until = time.monotonic() + WAIT_S
        while words not in self._seen:
            ready, _, _ = select.select([self._master], [], [], max(until - time.monotonic(), 0))
            assert ready, f"not within {WAIT_S:g} s: {words!r}; there was {self._seen[-500:]!r}"
            self._seen += os.read(self._master, 65536).decode(errors="replace")
        self._seen = self._seen.partition(words)[2]

    def types(self, text: str) -> None:
        """Type a text."""
        os.write(self._master, text.encode())

    def resizes(self, rows: int, columns: int) -> None:
        """Resize the window."""
        termios.tcsetwinsize(self._master, (rows, columns))

    def mode(self) -> list[object]:
        """The terminal's settings."""
        return list(termios.tcgetattr(self._slave))


@contextmanager
def console(host: str) -> Iterator[Operator]:
    """A console on a host, in a window of 30 rows and 90 columns. The process is killed at the end."""
    master, slave = os.openpty()
    termios.tcsetwinsize(master, (30, 90))
    command = ["setsid", "--ctty", sys.executable, "-m", "lab", "console", host]
    with subprocess.Popen(command, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave) as process:
        try:
            yield Operator(master, slave, process)
        finally:
            process.kill()
            os.close(master)
            os.close(slave)


def test_a_console_is_a_terminal_with_every_cable_cut(lab: Lab) -> None:
    ports = [f"alvin:eno{number}" for number in (1, 2)]
    try:
        for port in ports:
            lab.command("cut", port)
        with console("alvin") as operator:
            before = operator.mode()
            operator.sees(PROMPT)
            assert operator.mode() != before
            operator.types("stty size; tty\r")
            operator.sees("30 90")
            operator.sees("/dev/pts/")
            operator.resizes(50, 120)
            operator.types("sleep 60\r")
            lab.wait("it runs", lambda: "60" in lab.sh("alvin", "pgrep -ax sleep", check=False), WAIT_S)
            operator.types("\x03")
            operator.sees(PROMPT)
            operator.types("echo $? in $(stty size)\r")
            operator.sees("130 in 50 120")
            operator.types("exit 7\r")
            assert operator.console.wait(WAIT_S) == 7
            assert operator.mode() == before
    finally:
        for port in ports:
            lab.command("splice", port)


def test_a_flood_on_a_console_keeps_nobody_waiting_and_leaving_it_ends_its_shell(lab: Lab) -> None:
    with console("alvin") as operator:
        before = operator.mode()
        operator.sees(PROMPT)
        operator.types("yes\r")
        operator.sees("y\r\ny\r\n")
        assert lab.sh("alvin", "pgrep -c yes") == "1\n"
        operator.types("\x03")
        operator.sees(PROMPT)
        operator.types("\x1d")
        assert operator.console.wait(WAIT_S) == 0
        assert operator.mode() == before
    lab.wait("its shell ends", lambda: lab.sh("alvin", "pgrep -x bash", check=False) == "", 10)


def test_a_console_ends_with_its_machine(lab: Lab) -> None:
    with console("alvin") as operator:
        before = operator.mode()
        operator.sees(PROMPT)
        lab.command("kill", "alvin")
        operator.sees("lab: alvin was switched off")
        assert operator.console.wait(WAIT_S) == 1
        assert operator.mode() == before
    lab.command("start", "alvin")
