"""What a run says while it works: one stream that the live view, the record and a user's own watchers read."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from inventory.printable import LINES, printable


@dataclass(frozen=True)
class Event:
    """One thing that happened. `kind` is a word of the list below; `at_s` is monotonic.

    read, planned, queued, prepared, armed, applied, reachable, checked, confirmed, reverted, failed, refused, done, stage; of hosts that
    are out of service: ready, put back, rebooting
    """

    kind: str
    host: str = ""
    change_set: str = ""
    text: str = ""
    at_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Watchers print it: a host's words are made printable here."""
        object.__setattr__(self, "text", printable(self.text, keep=LINES))


Watcher = Callable[[Event], None]
