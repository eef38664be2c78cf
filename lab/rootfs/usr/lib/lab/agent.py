# ruff: noqa: INP001, PTH123, PTH208, SIM115 - runs by itself in a machine that boots: no module that is not needed
"""The machine's serial console server: runs the command in each JSON line, concurrently, and answers each with a JSON line.

A request is {"id", "boot", "argv", "stdin", "wait_s"}, or {"boot", "cancel": ID}. An answer is {"id", "rc", "out", "err"}, and "timeout"
if the command was killed after `wait_s`. Bytes that are not UTF-8 are sent as surrogates. The agent ignores requests to an earlier boot.

With "size" (rows, columns) and "term" in place of "stdin" and "wait_s", the command gets a terminal. The agent sends its output as
{"id", "output"}, and the client acknowledges each with {"id", "boot", "took"}, so that it does not fill the line. {"id", "boot", "input"}
is typed, {"id", "boot", "size"} resizes.

The agent also sends {"ports": {INDEX: whether it is up}}, at its start and after each change: the far end of a cable loses its carrier
when a port is set down.
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
# The number of chunks that a terminal may send without an acknowledgement.
AHEAD = 16
CHUNK_BYTES = 4096
# After a command has ended, wait this long for the thread that types into it.
TYPIST_S = 1.0
# The interface index of the first port (lab/settings.py), far above those that the kernel assigns itself. Each time a NIC is plugged in
# again, its index grows by MOST_PORTS.
FIRST_PORT, MOST_PORTS = 10000, 100
NETWORK = "/sys/class/net"
IFF_UP, RTMGRP_LINK = 1, 1


def send(answer: dict[str, object]) -> None:
    """Write one JSON line to the serial line."""
    data = json.dumps(answer).encode() + b"\n"
    with WRITING:
        while data:
            data = data[os.write(LINE, data) :]


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a command and all processes that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def run(number: int, argv: list[str], stdin: str, wait_s: float) -> None:
    """Run one command and answer with its exit code and output."""
    try:
        process = subprocess.Popen(argv, stdin=PIPE, stdout=PIPE, stderr=PIPE, start_new_session=True, env=ENVIRONMENT, cwd="/root")
    except (OSError, ValueError) as problem:
        send({"id": number, "rc": 127, "out": "", "err": f"{argv[0]}: {problem}\n"})
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
    texts = {"out": out.decode(errors="surrogateescape"), "err": err.decode(errors="surrogateescape")}
    send({"id": number, "rc": process.returncode, "timeout": timeout, **texts})


class Terminal:
    """A command on its own terminal."""

    def __init__(self, number: int, argv: list[str], size: list[int], term: str) -> None:
        self.number = number
        self.room = threading.Semaphore(AHEAD)
        self.typed: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.disconnected = False
        self.master, slave = os.openpty()
        self.resize(size)
        try:
            command = ["setsid", "--ctty", *argv]
            self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=ENVIRONMENT | {"TERM": term}, cwd="/root")
        finally:
            os.close(slave)
        self.ended = os.pidfd_open(self.process.pid)

    def resize(self, size: list[int]) -> None:
        """Set the terminal's window size."""
        with contextlib.suppress(OSError):  # it has ended
            termios.tcsetwinsize(self.master, (size[0], size[1]))

    def forward(self) -> None:
        """Send the command's output, then its exit code."""
        typist = threading.Thread(target=self._type, daemon=True)
        typist.start()
        with contextlib.suppress(OSError):  # no process has the terminal open any more
            while self._send_chunk():
                pass
        kill(self.process)
        del TERMINALS[self.number]
        self.typed.put(None)
        typist.join(TYPIST_S)
        os.close(self.master)
        os.close(self.ended)
        send({"id": self.number, "rc": self.process.wait()})

    def _send_chunk(self) -> bool:
        self.room.acquire()
        # A background process of the command may hold the terminal open after the command ends.
        ready, _, _ = select.select([self.master, self.ended], [], [])
        data = os.read(self.master, CHUNK_BYTES) if self.master in ready and not self.disconnected else b""
        if data:
            send({"id": self.number, "output": data.decode(errors="surrogateescape")})
        return bool(data)

    def _type(self) -> None:
        # In its own thread: writing to a command that does not read blocks, and must not block the line.
        with contextlib.suppress(OSError):
            while (text := self.typed.get()) is not None:
                data = text.encode(errors="surrogateescape")
                while data:
                    data = data[os.write(self.master, data) :]

    def leave(self) -> None:
        """End the command: the client has disconnected."""
        self.disconnected = True
        self.room.release()
        kill(self.process)

    def take(self, request: dict[str, object]) -> None:
        """Handle a request: type, resize, or allow more output."""
        if "input" in request:
            self.typed.put(str(request["input"]))
        elif "size" in request:
            self.resize(request["size"])  # type: ignore[arg-type]
        elif "took" in request:
            self.room.release()


def ports() -> dict[int, bool]:
    """{index: whether it is up} of the machine's ports."""
    found = {}
    for name in os.listdir(NETWORK):
        with contextlib.suppress(OSError):  # it has just disappeared, or is no device
            index = int(open(f"{NETWORK}/{name}/ifindex").read()) - FIRST_PORT
            if index >= 0:
                found[index % MOST_PORTS] = bool(int(open(f"{NETWORK}/{name}/flags").read(), 16) & IFF_UP)
    return found


def watch_ports() -> None:
    """Send which ports are up, at each change."""
    changes = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    changes.bind((0, RTMGRP_LINK))
    reported = None
    while True:
        if (now := ports()) != reported:
            reported = now
            send({"ports": now})
        with contextlib.suppress(OSError):  # the socket's buffer overflowed: ports() reads the state anyway
            changes.recv(65536)


TERMINALS: dict[int, Terminal] = {}


def run_terminal(number: int, argv: list[str], size: list[int], term: str) -> None:
    """Run one command on a terminal."""
    try:
        terminal = TERMINALS[number] = Terminal(number, argv, size, term)
    except (OSError, ValueError) as problem:
        send({"id": number, "rc": 127, "error": f"{argv[0]}: {problem}"})
        return
    terminal.forward()


def leave(*_: object) -> None:
    """Report that the machine goes down, so the client sends no requests until it is up again."""
    os.write(LINE, json.dumps({"bye": BOOT}).encode() + b"\n")
    os._exit(0)


def take(line: bytes) -> None:
    """Handle one line."""
    try:
        request = json.loads(line)
    except ValueError:
        return  # output on the line from before the agent's start
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
        arguments = (request["id"], request["argv"], request["size"], request["term"])
        threading.Thread(target=run_terminal, args=arguments, daemon=True).start()
    else:
        arguments = (request["id"], request["argv"], request["stdin"], request["wait_s"])
        threading.Thread(target=run, args=arguments, daemon=True).start()


def serve() -> None:
    """Handle requests until the line ends."""
    tty.setraw(LINE)
    # Python handles a signal only after a blocking call returns, so systemd would wait 90 s for the agent at shutdown. The wakeup pipe ends
    # the call.
    wakeup_reader, wakeup_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.set_wakeup_fd(wakeup_writer)
    signal.signal(signal.SIGTERM, leave)
    send({"ready": BOOT})
    threading.Thread(target=watch_ports, daemon=True).start()
    rest = b""
    while True:
        ready, _, _ = select.select([LINE, wakeup_reader], [], [])
        if LINE not in ready:
            os.read(wakeup_reader, CHUNK_BYTES)
            continue
        if not (data := os.read(LINE, 65536)):
            return
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            take(line)


serve()
