"""The keeper's end of a machine's serial line: out-of-band commands, several at the same time."""

import asyncio
import contextlib
import itertools
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.errors import LabError

# An answer is one line, whatever the size of the command's output.
LINE_BYTES = 1 << 28
ANSWER_S = 5.0


@dataclass(frozen=True)
class Terminal:
    """A command's terminal in a machine: its answers, and a function that sends it a message (`input`, `size`, `took`)."""

    answers: asyncio.Queue[dict[str, Any]]
    tell: Callable[[dict[str, Any]], Awaitable[None]]


class SerialLine:
    """The connection to a machine's agent. `ready` is set while the agent listens. `ports_on` holds the indexes of ports that are up."""

    def __init__(self, name: str, greeted: Callable[[], None], switched: Callable[[], None]) -> None:
        self.name = name
        self.ready = asyncio.Event()
        self.boot = ""
        self.ports_on: frozenset[int] = frozenset()
        self._greeted = greeted
        self._switched = switched
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._terminals: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None

    async def attach(self, end: socket.socket) -> None:
        """Read answers from a new line, until the machine is switched off."""
        reader, self._writer = await asyncio.open_unix_connection(sock=end, limit=LINE_BYTES)
        self._listener = asyncio.create_task(self._listen(reader, self._writer))

    async def closed(self) -> None:
        """Wait until the line is closed, soon after its machine is switched off."""
        await asyncio.wait([self._listener])

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                self._handle(line)
        except ConnectionError:
            pass  # the machine was switched off while it sent: treat this as the end of the line
        finally:
            writer.close()
            self.ready.clear()
            self._fail("was switched off")
            self._switch(frozenset())

    def _handle(self, line: bytes) -> None:
        try:
            answer = json.loads(line)
        except ValueError:
            return  # the kernel's output on the line, before the agent uses it
        if "bye" in answer:
            self.ready.clear()
            self._switch(frozenset())
        elif "ready" in answer:
            self._fail("booted again")
            self.boot = answer["ready"]
            self.ready.set()
            self._greeted()
        elif "ports" in answer:
            self._switch(frozenset(int(index) for index, on in answer["ports"].items() if on))
        elif ("output" in answer or "rc" in answer) and (terminal := self._terminals.get(answer["id"])):
            terminal.put_nowait(answer)
        elif "rc" in answer and (waiting := self._waiting.pop(answer["id"], None)):
            # A line without an exit code is our own request, which the line of a booting machine echoes.
            waiting.set_result(answer)

    def _switch(self, ports_on: frozenset[int]) -> None:
        self.ports_on = ports_on
        self._switched()

    def _fail(self, what: str) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(LabError(f"{self.name} {what} before it answered"))
        self._waiting.clear()
        for terminal in self._terminals.values():
            terminal.put_nowait({"error": f"{self.name} {what}"})

    async def run(self, argv: Sequence[str], *, wait_s: float, stdin: str = "") -> dict[str, Any]:
        """Run a command and return its exit code and output. Raises LabError if the machine does not answer in time."""
        loop = asyncio.get_running_loop()
        until = loop.time() + wait_s
        await self._wait_ready(wait_s)
        number = next(self._ids)
        waiting = self._waiting[number] = loop.create_future()
        await self._send({"id": number, "argv": list(argv), "wait_s": max(until - loop.time(), 1.0), "stdin": stdin})
        try:
            async with asyncio.timeout_at(until + ANSWER_S):
                answer: dict[str, Any] = await waiting
        except TimeoutError:
            raise LabError(f"{self.name} did not answer {argv!r} within {wait_s:g} s on its serial line") from None
        except asyncio.CancelledError:
            await self._send({"cancel": number})
            raise
        finally:
            self._waiting.pop(number, None)
        if answer.get("timeout"):
            raise LabError(f"{self.name}: {argv!r} ran longer than {wait_s:g} s and was ended; give it more with --wait")
        return answer

    def wake(self) -> None:
        """Interrupt the machine's kernel with an empty line, which its agent ignores. The kernel then handles all devices with data."""
        if self._writer and self.ready.is_set():
            self._writer.write(b"\n")

    async def _wait_ready(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self.ready.wait()
        except TimeoutError:
            raise LabError(f"{self.name} does not answer on its serial line after {wait_s:g} s: see its console log") from None

    @contextlib.asynccontextmanager
    async def terminal(self, argv: Sequence[str], size: Sequence[int], term: str, *, wait_s: float) -> AsyncIterator["Terminal"]:
        """Run a command on a terminal in the machine. The command ends with the block."""
        await self._wait_ready(wait_s)
        number = next(self._ids)
        answers = self._terminals[number] = asyncio.Queue()
        await self._send({"id": number, "argv": list(argv), "size": list(size), "term": term})
        try:
            yield Terminal(answers, lambda words: self._send({"id": number, **words}))
        finally:
            del self._terminals[number]
            if self.ready.is_set():
                await self._send({"cancel": number})

    async def _send(self, request: dict[str, Any]) -> None:
        assert self._writer
        self._writer.write(json.dumps(request | {"boot": self.boot}).encode() + b"\n")
        await self._writer.drain()
