"""A drill's controller: `python killing.py KIND HOST SET -- RUNBOOK FLAGS` runs the bootstrap and dies at that event, as by SIGKILL."""

import os
import signal
import sys

from runbooks.bootstrap import RUNBOOK
from tasks.core.events import Event
from tasks.core.runbook import main

kind, host, change_set = sys.argv[1:4]


def die_there(event: Event) -> None:
    if event.kind == kind and event.host == host and change_set in ("", event.change_set):
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK, sys.argv[5:], watchers=(die_there,)))
