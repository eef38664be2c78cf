"""Ctrl-C, SIGTERM and SIGHUP ask a run to stop: roll back open transactions, release leases, write the record.

A signal sets the run's `stop`, which every wait of the engine watches; it raises nothing in the middle of a step. Further signals change
nothing. While the program waits for the operator, a signal ends it at once.
"""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Now:
    """State of the handlers: whether a signal has arrived, and whether it may raise. Only the main thread writes it."""

    watched: threading.Event | None = None
    say: Callable[[str], None] = staticmethod(lambda _: None)
    received = False
    may_raise = False


def _handle(number: int, frame: FrameType | None) -> None:
    del number, frame
    _Now.received = True
    if _Now.may_raise:
        _Now.may_raise = False
        raise KeyboardInterrupt


@contextmanager
def stopping(stop: threading.Event, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Inside the block a signal sets `stop`, and `say` gets the name of the first one.

    An ignored signal stays ignored (nohup, a background job of a shell). Outside the main thread this does nothing.
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
    # A handler may interrupt code that holds the event's lock, so a thread sets the event; the interpreter wakes it through a socket.
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    thread = threading.Thread(target=_listen, args=(reader, stop), name="signals", daemon=True)
    thread.start()
    known = {one: signal.getsignal(one) or signal.SIG_DFL for one in ENDING}
    before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    outer, _Now.watched, _Now.received = _Now.watched, stop, False
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
        if _Now.received:
            stop.set()


def _listen(reader: socket.socket, stop: threading.Event) -> None:
    while numbers := reader.recv(16):
        for number in numbers:
            if number in ENDING and not stop.is_set():
                stop.set()
                _Now.say(signal.Signals(number).name)


@contextmanager
def waiting() -> Iterator[None]:
    """Inside the block the program waits for the operator and has no open transaction: a signal raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _Now.may_raise = _Now.watched is not None
    try:
        if _Now.may_raise and _Now.received:
            raise KeyboardInterrupt
        yield
    finally:
        _Now.may_raise = False
