"""A host's open connections: one step at a time uses them, and closing them makes the next step open new ones."""

import threading
from contextlib import suppress

from nornir.core.task import Result, Task


def disconnect(task: Task) -> Result:
    """Close the host's connections, so that the next step opens a new one."""
    with alone(task):
        for name in tuple(task.host.connections):
            with suppress(Exception):  # nornir drops it in any case; the error of a dead connection tells nothing
                task.host.close_connection(name)
    return Result(host=task.host)


def alone(task: Task) -> "threading.RLock":
    """The host's lock: its steps run in sequence, because they share its connection."""
    lock: threading.RLock = task.host.data.setdefault("burrow_lock", threading.RLock())
    return lock
