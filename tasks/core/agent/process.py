"""Other programs, and the clock."""

import os
import signal
import time
from subprocess import DEVNULL, PIPE, Popen, TimeoutExpired

from tasks.core.agent.state import PATHS

# A unit with an init script beside it is enabled by its links alone: the script's own tool takes seconds and decides nothing.
ENVIRONMENT = {**os.environ, "SYSTEMCTL_SKIP_SYSV": "1", "LC_ALL": "C.UTF-8"}
# What brings a program that may be missing.
PACKAGES = {"ifup": "ifupdown2", "ifreload": "ifupdown2", "systemd-run": "systemd", "chronyc": "chrony"}
# A unit of its own, which ends also where nobody waits any more.
DETACHED = ["systemd-run", "--quiet", "--collect"]


def run(argv: list[str], deadline_s: float = 60) -> tuple[int, str, str]:
    """(exit code, stdout, stderr); as a shell has it 127 where the program is not there, 124 at the deadline, when its whole group ends."""
    try:
        # The umask is that of a boot: what a package or a tool makes is not the state's own.
        child = Popen(argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True, env=ENVIRONMENT, umask=0o022)
    except FileNotFoundError:
        return 127, "", f"{argv[0]} is not on this host; install {PACKAGES.get(argv[0], argv[0])}"
    with child:
        try:
            out, err = child.communicate(timeout=deadline_s)
            code = child.returncode
        except TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
            code, err = 124, err + f"no end after {deadline_s} s".encode()
    return code, out.decode(errors="surrogateescape"), err.decode(errors="replace")


def called(argv: list[str]) -> str:
    """A command for somebody to read: a script by its name, which stands after it (sh(1): -c SCRIPT NAME)."""
    return argv[3] if argv[1:2] == ["-c"] and len(argv) > 3 else " ".join(argv)


def failure(argv: list[str], deadline_s: float = 60, shown: str = "") -> str:
    """Run a command; nothing where it ended with 0, else a clause that says how it ended."""
    code, out, err = run(argv, deadline_s)
    return f"`{shown or called(argv)}` ended with {code}: {(err or out).strip()[-600:]}" if code else ""


def systemctl(*words: str) -> int:
    """Its exit code."""
    return run(["systemctl", "-q", *words])[0]


def now() -> float:
    """Monotonic seconds: a clock that is set changes nothing."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def boot_id() -> str:
    """Changes with each boot."""
    return PATHS.sysctl("kernel/random/boot_id").read_text().strip()
