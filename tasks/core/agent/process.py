"""Other programs, and the clock."""

import os
import selectors
import signal
import time
from subprocess import DEVNULL, PIPE, Popen

from tasks.core.agent.secrets import last
from tasks.core.agent.state import PATHS

# The links alone enable a unit that also has an init script. The script's own tool would take seconds and change nothing.
ENVIRONMENT = {**os.environ, "SYSTEMCTL_SKIP_SYSV": "1", "LC_ALL": "C.UTF-8"}
# The packages of programs that may be missing.
PACKAGES = {"ifup": "ifupdown2", "ifreload": "ifupdown2", "systemd-run": "systemd", "chronyc": "chrony"}
# The bytes that all commands of one request may print together.
LIMIT_BYTES = 2**24
# How long the pipes of a killed command may stay open: a process of its own group may hold them.
KILLED_S = 5
# Run a command as a transient unit, which finishes even if the connection breaks.
DETACHED = ["systemd-run", "--quiet", "--collect"]


def run(argv: list[str], deadline_s: float = 60, limit_bytes: int = LIMIT_BYTES) -> tuple[int, str, str]:
    """Run a command; returns (exit code, stdout, stderr).

    The exit code is 127 if the program is missing, as in a shell, and 124 if the command's process group is killed, because of the deadline
    or because it printed more than `limit_bytes`.
    """
    try:
        # The umask of a boot: files that a package or a tool creates are not as private as the agent's state.
        child = Popen(argv, stdin=DEVNULL, stdout=PIPE, stderr=PIPE, start_new_session=True, env=ENVIRONMENT, umask=0o022)
    except FileNotFoundError:
        return 127, "", f"{argv[0]} is not installed on this host; install {PACKAGES.get(argv[0], argv[0])}"
    assert child.stdout
    assert child.stderr
    outputs = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    with child, selectors.DefaultSelector() as waiting:
        killed, deadline = "", now() + deadline_s
        for stream in outputs:
            waiting.register(stream, selectors.EVENT_READ)
        while waiting.get_map() and now() < deadline + KILLED_S:
            for key, _ in waiting.select(max(0, deadline + (KILLED_S if killed else 0) - now())):
                part = os.read(key.fd, 65536)
                outputs[key.fd] += part
                if not part:
                    waiting.unregister(key.fileobj)
            size = sum(map(len, outputs.values()))
            if not killed and (size > limit_bytes or now() > deadline):
                killed = f"killed after {deadline_s:g} s" if size <= limit_bytes else f"killed: it printed more than {limit_bytes} bytes"
                os.killpg(child.pid, signal.SIGKILL)
    out, err = (bytes(output[:limit_bytes]) for output in outputs.values())
    code = 124 if killed else child.returncode
    return code, out.decode(errors="surrogateescape"), err.decode(errors="replace") + killed


def called(argv: list[str]) -> str:
    """A command as messages show it: a script by its name, the word after the script (sh(1): -c SCRIPT NAME)."""
    return argv[3] if argv[1:2] == ["-c"] and len(argv) > 3 else " ".join(argv)


def failure(argv: list[str], deadline_s: float = 60, shown: str = "") -> str:
    """Run a command; returns a clause that says how it failed, or an empty text if its exit code is 0."""
    code, out, err = run(argv, deadline_s)
    return f"`{shown or called(argv)}` ended with {code}: {last((err or out).strip(), 600)}" if code else ""


def systemctl(*words: str) -> int:
    """Run systemctl; returns its exit code."""
    return run(["systemctl", "-q", *words])[0]


def now() -> float:
    """Monotonic seconds, which setting the clock does not change."""
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def boot_id() -> str:
    """The id of this boot; each boot has another one."""
    return PATHS.sysctl("kernel/random/boot_id").read_text().strip()
