"""Counts lost packets: sends echo requests (RFC 792) from loopback to loopback, and lists those without a reply.

It does not use ping: if two replies arrive while iputils' ping waits for the CPU, it loses one, as a simultaneous capture shows.
"""

import json
import threading
from typing import Self

from rehearsal import Lab

LOOPBACKS = {"alvin": "10.103.0.1", "simon": "10.103.0.2", "theodore": "10.103.0.3"}
# Wait this long for the last reply.
LAST_S = 1.0
ECHO = """
import json, os, select, socket, struct, sys, time

source, target, count, interval_s, last_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5])
mine = os.getpid() & 0xFFFF

def request(number):
    words = [0x0800, 0, mine, number] + [0] * 28
    total = sum(words)
    total = (total & 0xFFFF) + (total >> 16)
    words[1] = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
    return struct.pack("!32H", *words)

with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as link:
    link.bind((source, 0))
    sent, answered, due = 0, set(), time.monotonic()
    while sent < count or (len(answered) < count and time.monotonic() < due + last_s):
        if sent < count and time.monotonic() >= due:
            sent += 1
            try:
                link.sendto(request(sent), (target, 0))
            except OSError:
                pass  # no route: it is lost
            due = time.monotonic() + (interval_s if sent < count else 0)
        wait_s = due - time.monotonic() + (0 if sent < count else last_s)
        if select.select([link], [], [], max(0, wait_s))[0]:
            packet = link.recv(2048)
            kind, _, _, whose, number = struct.unpack("!BBHHH", packet[20:28])
            if kind == 0 and whose == mine:
                answered.add(number)
    print(json.dumps(sorted(set(range(1, count + 1)) - answered)))
"""


def lost(lab: Lab, source: str, target: str, count: int, interval_s: float = 0.05) -> list[int]:
    """The numbers of the echo requests without a reply, of `count` from loopback to loopback."""
    return _unanswered(lab, source, LOOPBACKS[source], LOOPBACKS[target], count, interval_s)


def answered(lab: Lab, host: str, address: str, count: int = 5, interval_s: float = 0.05) -> int:
    """How many of `count` echo requests from a host to an address have a reply."""
    return count - len(_unanswered(lab, host, "0.0.0.0", address, count, interval_s))


def _unanswered(lab: Lab, host: str, source: str, target: str, count: int, interval_s: float) -> list[int]:
    words = ("python3", "-", source, target, str(count), str(interval_s), str(LAST_S))
    numbers: list[int] = json.loads(lab.command("exec", "--stdin", host, "--", *words, stdin=ECHO).out)
    return numbers


class Flow:
    """Echo requests from loopback to loopback while a block runs. `lost` is valid after it."""

    def __init__(self, lab: Lab, source: str, target: str, count: int) -> None:
        self.lost = list(range(1, count + 1))
        self._thread = threading.Thread(target=self._send, args=(lab, source, target, count))

    def _send(self, lab: Lab, source: str, target: str, count: int) -> None:
        self.lost = lost(lab, source, target, count)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join()
