"""The machine's serial console server: runs what a JSON line asks, as many at once as are asked for, and answers with a JSON line.

A request is {"id", "boot", "argv", "stdin", "wait_s"}, or {"id", "boot", "cancel": ID}; an answer is {"id", "rc", "out", "err"}. Bytes that
are no UTF-8 travel as surrogates. What was asked of an earlier boot is not done.
"""

import json
import os
import signal
import subprocess
import threading
import tty

BOOT = open("/proc/sys/kernel/random/boot_id").read().strip()
LINE = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
WRITING = threading.Lock()
RUNNING = {}
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def say(answer):
    """Put one JSON line on the serial line."""
    data = json.dumps(answer).encode() + b"\n"
    with WRITING:
        while data:
            data = data[os.write(LINE, data):]


def kill(process):
    """End a command with all it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(request):
    """Run one command and answer with its exit code and output."""
    answer = {"id": request["id"]}
    try:
        process = subprocess.Popen(
            request["argv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            start_new_session=True, env=ENVIRONMENT, cwd="/root",
        )
    except OSError as problem:
        say(answer | {"rc": 127, "out": "", "err": f"{request['argv'][0]}: {problem.strerror}\n"})
        return
    RUNNING[request["id"]] = process
    try:
        out, err = process.communicate(request["stdin"].encode(errors="surrogateescape"), timeout=request["wait_s"])
    except subprocess.TimeoutExpired:
        kill(process)
        out, err = process.communicate()
        answer["timeout"] = True
    del RUNNING[request["id"]]
    say(answer | {"rc": process.returncode, "out": out.decode(errors="surrogateescape"), "err": err.decode(errors="surrogateescape")})


def leave(*_):
    """Say that the machine goes down: nothing is to be asked until it is up again."""
    os.write(LINE, json.dumps({"bye": BOOT}).encode() + b"\n")
    os._exit(0)


def serve():
    """Take requests for ever."""
    tty.setraw(LINE)
    signal.signal(signal.SIGTERM, leave)
    say({"ready": BOOT})
    rest = b""
    while data := os.read(LINE, 65536):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            try:
                request = json.loads(line)
            except ValueError:
                continue
            if request.get("boot") != BOOT:
                continue
            if "cancel" in request:
                if process := RUNNING.get(request["cancel"]):
                    kill(process)
            else:
                threading.Thread(target=run, args=(request,), daemon=True).start()


serve()
