"""Ctrl-C, SIGTERM and SIGHUP all ask the same of a run: roll back what is open, give back what is leased, write down what became of it.

A signal sets the run's `stop`, which every wait of the engine looks at, and raises nothing in the middle of a step. Another one changes
nothing: what the first began goes on to its end. Where the program waits for the operator it is ended at once.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Now:
    """What the handlers know: whether a signal has come, and whether it may raise. Only the main thread writes it."""

    watched: threading.Event | None = None
    say: Callable[[str], None] = staticmethod(lambda _: None)
    heard = False
    may_raise = False


def _handle(number: int, frame: FrameType | None) -> None:
    del number, frame
    _Now.heard = True
    if _Now.may_raise:
        _Now.may_raise = False
        raise KeyboardInterrupt


@contextmanager
def stopping(stop: threading.Event, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Inside the block a signal sets `stop`, and the first one's name is said.

    A signal that is ignored stays so (nohup, a background job of a shell). Elsewhere than in the main thread nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    told, _Now.say = _Now.say, say
    try:
        with nullcontext() if _Now.watched is stop else _installed(stop):
            yield
    finally:
        _Now.say = told


@contextmanager
def _installed(stop: threading.Event) -> Iterator[None]:
    # A handler in Python may interrupt whoever holds the event's own lock, so a thread sets it: the interpreter itself tells that thread.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    thread = threading.Thread(target=_hear, args=(reader, stop), name="signals", daemon=True)
    thread.start()
    known = {one: signal.getsignal(one) or signal.SIG_DFL for one in ENDING}
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    outer, _Now.watched, _Now.heard = _Now.watched, stop, False
    for one, handler in known.items():
        if handler is not signal.SIG_IGN:
            signal.signal(one, _handle)
    try:
        yield
    finally:
        for one, handler in known.items():
            signal.signal(one, handler)
        signal.set_wakeup_fd(before)
        _Now.watched, _Now.may_raise = outer, False
        writer.close()
        thread.join()
        reader.close()
        if _Now.heard:
            stop.set()


def _hear(reader: socket.socket, stop: threading.Event) -> None:
    while numbers := reader.recv(16):
        for number in numbers:
            if number in ENDING and not stop.is_set():
                stop.set()
                _Now.say(signal.Signals(number).name)


@contextmanager
def waiting() -> Iterator[None]:
    """Inside the block, where nothing is open, the program waits for the operator or a reader: a signal raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Now.may_raise = _Now.watched is not None
    try:
        if _Now.may_raise and _Now.heard:
            raise KeyboardInterrupt
        yield
    finally:
        _Now.may_raise = False
