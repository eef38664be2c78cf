"""The operator's side of a console: connects this terminal, in raw mode, to one in a machine."""

import json
import os
import select
import signal
import socket
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager

import click

from lab import control
from lab.errors import LabError
from lab.folders import Folders

# Ctrl-], as in telnet.
LEAVE = b"\x1d"
CHUNK_BYTES = 1 << 16
ENDING = (signal.SIGTERM, signal.SIGHUP)


def run_console(folders: Folders, host: str) -> int:
    """Run a machine's console. Returns the exit code of its shell, 0 if the operator pressed Ctrl-]."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise LabError(f"a console needs a terminal; `python -m lab exec {host} -- COMMAND` needs none")
    with control.call(folders) as line:
        _send(line, do="console", host=host, size=_size(), term=os.environ.get("TERM", "dumb"))
        click.echo(f"{host}: console; press Ctrl-] to leave it", err=True)
        with _raw(sys.stdin.fileno()), _resized() as resized:
            code = _exchange(line, resized)
    click.echo(f"\n{host}: left the console", err=True)
    return code


def _send(line: socket.socket, **fields: object) -> None:
    line.sendall(json.dumps(fields).encode() + b"\n")


def _size() -> tuple[int, int]:
    columns, rows = os.get_terminal_size(sys.stdin.fileno())
    return rows, columns


@contextmanager
def _raw(terminal: int) -> Iterator[None]:
    """Put the terminal into raw mode. However the block ends, the terminal's settings are restored."""
    before = termios.tcgetattr(terminal)
    handlers = {number: signal.signal(number, lambda number, _: sys.exit(128 + number)) for number in ENDING}
    try:
        tty.setraw(terminal)
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextmanager
def _resized() -> Iterator[socket.socket]:
    """A socket that becomes readable when the window size changes."""
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    with receiver, sender:
        handler = signal.signal(signal.SIGWINCH, lambda *_: None)
        wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
        try:
            yield receiver
        finally:
            signal.set_wakeup_fd(wakeup)
            signal.signal(signal.SIGWINCH, handler)


def _exchange(line: socket.socket, resized: socket.socket) -> int:
    keys, rest = sys.stdin.fileno(), b""
    while True:
        ready, _, _ = select.select([keys, line, resized], [], [])
        if resized in ready:
            resized.recv(CHUNK_BYTES)
            _send(line, size=_size())
        if keys in ready:
            typed, leave, _ = os.read(keys, CHUNK_BYTES).partition(LEAVE)
            _send(line, input=typed.decode(errors="surrogateescape"))
            if leave or not typed:
                return 0
        if line in ready:
            data = line.recv(CHUNK_BYTES)
            if not data:
                raise LabError("the keeper ended; see its log in the run folder")
            *answers, rest = (rest + data).split(b"\n")
            for answer in answers:
                code = _show(json.loads(answer))
                if code is not None:
                    return code


def _show(answer: control.Answer) -> int | None:
    """Print a machine's answer. Returns the exit code if the shell ended, else None."""
    if "error" in answer:
        raise LabError(answer["error"])
    if "output" in answer:
        sys.stdout.buffer.write(answer["output"].encode(errors="surrogateescape"))
        sys.stdout.buffer.flush()
        return None
    return int(answer["rc"])
