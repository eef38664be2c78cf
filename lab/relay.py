"""Relays: a TCP port on this machine's loopback for each relayed port of the lab."""

import asyncio
import contextlib
import socket
import struct

from lab.errors import LabError
from lab.namespaces import listen
from lab.settings import DIAL_S

CHUNK_BYTES = 1 << 16


class Relay:
    """Listens outside, connects to the lab for each client, and resets the client's connection if that fails."""

    def __init__(self, outside: str, inside: str) -> None:
        self.outside = outside
        self.inside = inside
        self._server: asyncio.Server | None = None

    async def open(self, outer: int) -> None:
        """Listen in the network namespace `outer`."""
        address, _, port = self.outside.rpartition(":")
        try:
            self._server = await asyncio.start_server(self._forward, sock=listen(outer, address, int(port)))
        except OSError as problem:
            what = f"wanted to listen on {self.outside} for {self.inside}: {problem.strerror}"
            raise LabError(f"{what}; does another lab run on this machine? `python -m lab down` ends it") from problem

    async def close(self) -> None:
        """Stop listening. Open connections stay open."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        address, _, port = self.inside.rpartition(":")
        try:
            async with asyncio.timeout(DIAL_S):
                far_reader, far_writer = await asyncio.open_connection(address, int(port))
        except (OSError, TimeoutError):
            _reset(writer)
            return
        for end in (writer, far_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(_pump(reader, far_writer))
                pumps.create_task(_pump(far_reader, writer))
        except* OSError:
            _reset(writer)
            _reset(far_writer)
        finally:
            for end in (writer, far_writer):
                end.close()
                with contextlib.suppress(ConnectionError):  # it was reset
                    await end.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, as a closed port does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
