# ruff: noqa: INP001, PTH123, PTH208, SIM115 - runs by itself in a machine that boots: no module that is not needed
"""The machine's serial console server: runs what a JSON line asks, as many at once as are asked for, and answers with a JSON line.

A request is {"id", "boot", "argv", "stdin", "wait_s"}, or {"boot", "cancel": ID}; an answer is {"id", "rc", "out", "err"}, and "timeout"
where the command was ended for its length. Bytes that are no UTF-8 travel as surrogates. What was asked of an earlier boot is not done.

With "size" (rows, columns) and "term" in place of "stdin" and "wait_s" the command gets a terminal: what it prints comes as {"id", "said"},
each to be acknowledged by {"id", "boot", "took"}, so that no flood fills the line; {"id", "boot", "input"} is typed, {"id", "boot", "size"}
resizes.

Unasked it says {"ports": {INDEX: whether it is switched on}}, at first and when that changes: the other end of a cable loses its carrier
when a port is switched off.
"""

import contextlib
import json
import os
import queue
import select
import signal
import socket
import subprocess
import termios
import threading
import tty

BOOT = open("/proc/sys/kernel/random/boot_id").read().strip()
LINE = os.open("/dev/ttyS0", os.O_RDWR | os.O_NOCTTY)
WRITING = threading.Lock()
RUNNING: dict[int, "subprocess.Popen[bytes]"] = {}
ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
PIPE = subprocess.PIPE
# What a terminal may say before the first of it is acknowledged, in chunks.
AHEAD = 16
CHUNK_BYTES = 4096
# What is typed to a command that has ended and was reading nothing is waited for no longer.
TYPIST_S = 1.0
# The kernel's index of the first port (lab/settings.py), far above those that it gives by itself; a NIC that is plugged in again is
# MOST_PORTS further on.
FIRST_PORT, MOST_PORTS = 10000, 100
NETWORK = "/sys/class/net"
IFF_UP, RTMGRP_LINK = 1, 1


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


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, number: int, argv: list[str], size: list[int], term: str) -> None:
        self.number = number
        self.room = threading.Semaphore(AHEAD)
        self.typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.left = False
        self.master, slave = os.openpty()
        self.resize(size)
        try:
            command = ["setsid", "--ctty", *argv]
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=ENVIRONMENT | {"TERM": term}, cwd="/root")
        finally:
            os.close(slave)
        self.ended = os.pidfd_open(self.process.pid)

    def resize(self, size: list[int]) -> None:
        """Tell the command how large the window is."""
        with contextlib.suppress(OSError):  # it has ended
            termios.tcsetwinsize(self.master, (size[0], size[1]))

    def apply_set(self) -> None:
        """Say what the command prints, and in the end how it ended."""
        typist = threading.Thread(target=self._type, daemon=True)
        typist.start()
        with contextlib.suppress(OSError):  # nobody has the terminal open any more
            while self._say_some():
                pass
        kill(self.process)
        del TERMINALS[self.number]
        self.typed.put(None)
        typist.join(TYPIST_S)
        os.close(self.master)
        os.close(self.ended)
        say({"id": self.number, "rc": self.process.wait()})

    def _say_some(self) -> bool:
        self.room.acquire()
        # What the command left in the background may hold the terminal open for long.
        ready, _, _ = select.select([self.master, self.ended], [], [])
        data = os.read(self.master, CHUNK_BYTES) if self.master in ready and not self.left else b""
        if data:
            say({"id": self.number, "said": data.decode(errors="surrogateescape")})
        return bool(data)

    def _type(self) -> None:
        # By itself: a command that does not read blocks who types, and must not block the line.
        with contextlib.suppress(OSError):
            while (text := self.typed.get()) is not None:
                data = text.encode(errors="surrogateescape")
                while data:
                    data = data[os.write(self.master, data) :]

    def leave(self) -> None:
        """End it: nobody listens any more."""
        self.left = True
        self.room.release()
        kill(self.process)

    def take(self, request: dict[str, object]) -> None:
        """Type, resize, or go on saying."""
        if "input" in request:
            self.typed.put(str(request["input"]))
        elif "size" in request:
            self.resize(request["size"])  # type: ignore[arg-type]
        elif "took" in request:
            self.room.release()


def ports() -> dict[int, bool]:
    """{index: whether it is switched on} of the machine's ports."""
    found = {}
    for name in os.listdir(NETWORK):
        with contextlib.suppress(OSError):  # it has just gone, or it is no device
            index = int(open(f"{NETWORK}/{name}/ifindex").read()) - FIRST_PORT
            if index >= 0:
                found[index % MOST_PORTS] = bool(int(open(f"{NETWORK}/{name}/flags").read(), 16) & IFF_UP)
    return found


def watch_ports() -> None:
    """Say which ports are switched on, whenever that changes."""
    changes = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    changes.bind((0, RTMGRP_LINK))
    said = None
    while True:
        if (now := ports()) != said:
            said = now
            say({"ports": now})
        with contextlib.suppress(OSError):  # more changes than it could hold: they are looked at all the same
            changes.recv(65536)


TERMINALS: dict[int, Terminal] = {}


def run_terminal(number: int, argv: list[str], size: list[int], term: str) -> None:
    """Run one command on a terminal."""
    try:
        terminal = TERMINALS[number] = Terminal(number, argv, size, term)
    except (OSError, ValueError) as problem:
        say({"id": number, "rc": 127, "error": f"{argv[0]}: {problem}"})
        return
    terminal.apply_set()


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
        elif terminal := TERMINALS.get(request["cancel"]):
            terminal.leave()
    elif "argv" not in request:
        if terminal := TERMINALS.get(request["id"]):
            terminal.take(request)
    elif "size" in request:
        words = (request["id"], request["argv"], request["size"], request["term"])
        threading.Thread(target=run_terminal, args=words, daemon=True).start()
    else:
        words = (request["id"], request["argv"], request["stdin"], request["wait_s"])
        threading.Thread(target=run, args=words, daemon=True).start()


def serve() -> None:
    """Take requests for ever."""
    tty.setraw(LINE)
    # A signal that comes right before a call that blocks is only noted, the call goes on, and systemd would wait 90 s for us at shutdown.
    # The note goes into a pipe too, which ends the wait.
    woken, wakes = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakes)
    signal.signal(signal.SIGTERM, leave)
    say({"ready": BOOT})
    threading.Thread(target=watch_ports, daemon=True).start()
    rest = b""
    while True:
        ready, _, _ = select.select([LINE, woken], [], [])
        if LINE not in ready:
            os.read(woken, CHUNK_BYTES)
            continue
        if not (data := os.read(LINE, 65536)):
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(line)


serve()
