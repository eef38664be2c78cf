"""A drill's controller: the bootstrap runbook with an additional watcher, which dies, waits or cuts power at an event.

    python controller.py DEED KIND HOST SET -- FLAGS

HOST may be `*`, and SET the id of an operation.

DEED: `die` (by SIGKILL), `wait:FILE` (until FILE exists), `kill:HOST` (cut the power of a lab machine, and switch it on again at once,
while this run continues), `sh:HOST:SCRIPT` (run a shell script on a host, out of band). The deed is reported in a line that ends with its
monotonic time.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from runbooks.bootstrap import RUNBOOK
from tasks.core.cli.command_line import main
from tasks.core.engine.events import Event

deed, kind, host, change_set = sys.argv[1:5]
done = False


def act(event: Event) -> None:
    global done  # noqa: PLW0603
    if done or event.kind != kind or host not in ("*", event.host) or change_set not in (event.change_set, event.operation):
        return
    done = True
    word, _, what = deed.partition(":")
    # On a separate line, in one write: the screen writes from another thread.
    os.write(1, f"\ndrill: {deed} at {kind} of {host} at {time.monotonic()}\n".encode())
    if word == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "wait":
        while not Path(what).exists():
            time.sleep(0.1)
    elif word == "sh":
        host_of_it, _, script = what.partition(":")
        subprocess.run(
            [sys.executable, "-m", "lab", "exec", host_of_it, "--", "sh", "-c", script], check=True, cwd=Path(__file__).parents[2]
        )
    else:
        root, lab = Path(__file__).parents[2], [sys.executable, "-m", "lab"]
        subprocess.run([*lab, "kill", what], check=True, cwd=root)
        subprocess.Popen([*lab, "start", what], cwd=root, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK, sys.argv[6:], watchers=(act,)))
