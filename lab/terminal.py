"""The keeper's side of a console: forwards JSON lines between the client and the terminal in the machine, until either side ends."""

import asyncio
import json

from lab.serial import Terminal


async def connect_terminal(terminal: Terminal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward in both directions until the command ends or the client disconnects."""
    directions = [asyncio.create_task(_typed(terminal, reader)), asyncio.create_task(_printed(terminal, writer))]
    try:
        done, _ = await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in done:
            direction.result()
    except ConnectionError:
        pass  # the client disconnected, which also ends the console
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.wait(directions)


async def _typed(terminal: Terminal, reader: asyncio.StreamReader) -> None:
    while line := await reader.readline():
        message = json.loads(line)
        await terminal.tell({key: message[key] for key in ("input", "size") if key in message})


async def _printed(terminal: Terminal, writer: asyncio.StreamWriter) -> None:
    while True:
        answer = await terminal.answers.get()
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        if "output" not in answer:
            return
        # Only after the write: a client that does not read stops the command, not the serial line.
        await terminal.tell({"took": True})
