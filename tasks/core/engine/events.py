"""Events of a run: one stream for the screen, the record and a user's own watchers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inventory.printable import LINES, printable


@dataclass(frozen=True)
class Event:
    """One event; `at_s` is monotonic time.

    `kind` is one of: read, planned, queued, prepared, armed, applied, reachable, checked, confirmed, reverted, failed, refused, done,
    stage; and of hosts in maintenance: ready, put back, rebooting.
    """

    kind: str
    host: str = ""
    change_set: str = ""
    text: str = ""
    at_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Make text that came from hosts printable, because watchers print it."""
        object.__setattr__(self, "text", printable(self.text, keep=LINES))


Watcher = Callable[[Event], None]
