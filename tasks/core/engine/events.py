"""Events of a run: one stream for the screen, the record and a user's own watchers."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.core.model.shown import shown


@dataclass(frozen=True)
class Event:
    """One event; `at_s` is monotonic time.

    `kind` is one of: read, queued, preparing, prepared, applying, armed, applied, reachable, checked, confirming, confirmed, reverted,
    failed, refused, done, stage; of the operations of procedures: performing, running, performed, undoing, undone; and of hosts in
    maintenance: ready, put back, rebooting. `operation` is an operation's id, `handle` what it is called where it runs.
    """

    kind: str
    host: str = ""
    change_set: str = ""
    text: str = ""
    operation: str = ""
    handle: str = ""
    at_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        """Make text that came from hosts fit to be shown, because watchers print it."""
        object.__setattr__(self, "text", shown(self.text))


Watcher = Callable[[Event], None]
