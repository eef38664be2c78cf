# ruff: noqa: INP001, PTH123, SIM115 - runs by itself in a machine that boots: no module that is not needed
"""The machine's serial console server: runs what a JSON line asks, as many at once as are asked for, and answers with a JSON line.

A request is {"id", "boot", "argv", "stdin", "wait_s"}, or {"boot", "cancel": ID}; an answer is {"id", "rc", "out", "err"}, and "timeout"
where the command was ended for its length. Bytes that are no UTF-8 travel as surrogates. What was asked of an earlier boot is not done.
"""

import contextlib
import json
import os
import signal
import subprocess
import threading
import tty

BOOT = open("/proc/sys/kernel/random/boot_id").read().strip()
LINE = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
WRITING = threading.Lock()
RUNNING: dict[int, "subprocess.Popen[bytes]"] = {}
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
PIPE = subprocess.PIPE


def say(answer: dict[str, object]) -> None:
    """Put one JSON line on the serial line."""
    data = json.dumps(answer).encode() + b"\n"
    with WRITING:
        while data:
            data = data[os.write(LINE, data) :]


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a command with all it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(number: int, argv: list[str], stdin: str, wait_s: float) -> None:
    """Run one command and answer with its exit code and output."""
    try:
        process = subprocess.Popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, env=ENVIRONMENT, cwd="/root")
    except (OSError, ValueError) as problem:
        say({"id": number, "rc": 127, "out": "", "err": f"{argv[0]}: {problem}\n"})
        return
    RUNNING[number] = process
    timeout = False
    try:
        out, err = process.communicate(stdin.encode(errors="surrogateescape"), timeout=wait_s)
    except subprocess.TimeoutExpired:
        timeout = True
        kill(process)
        out, err = process.communicate()
    del RUNNING[number]
    words = {"out": out.decode(errors="surrogateescape"), "err": err.decode(errors="surrogateescape")}
    say({"id": number, "rc": process.returncode, "timeout": timeout, **words})


def leave(*_: object) -> None:
    """Say that the machine goes down: nothing is to be asked until it is up again."""
    os.write(LINE, json.dumps({"bye": BOOT}).encode() + b"\n")
    os._exit(0)


def take(line: bytes) -> None:
    """Do what one line asks."""
    try:
        request = json.loads(line)
    except ValueError:
        return  # what was on the line before we were
    if request.pop("boot", None) != BOOT:
        return
    if "cancel" in request:
        if process := RUNNING.get(request["cancel"]):
            kill(process)
    else:
        words = (request["id"], request["argv"], request["stdin"], request["wait_s"])
        threading.Thread(target=run, args=words, daemon=True).start()


def serve() -> None:
    """Take requests for ever."""
    tty.setraw(LINE)
    signal.signal(signal.SIGTERM, leave)
    say({"ready": BOOT})
    rest = b""
    while data := os.read(LINE, 65536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(line)


serve()
