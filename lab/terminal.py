"""The keeper's part in a console: carries JSON lines between who types and the terminal in the machine, until one side has enough."""

import asyncio
import json

from lab.serial import Terminal


async def apply_set(terminal: Terminal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry both ways until the command ends or who types goes away."""
    ways = [asyncio.create_task(_typed(terminal, reader)), asyncio.create_task(_printed(terminal, writer))]
    try:
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in done:
            way.result()
    except ConnectionError:
        pass  # who typed is gone, which is an end too
    finally:
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)


async def _typed(terminal: Terminal, reader: asyncio.StreamReader) -> None:
    while line := await reader.readline():
        words = json.loads(line)
        await terminal.tell({key: words[key] for key in ("input", "size") if key in words})


async def _printed(terminal: Terminal, writer: asyncio.StreamWriter) -> None:
    while True:
        answer = await terminal.answers.get()
        writer.write(json.dumps(answer).encode() + b"\n")
        await writer.drain()
        if "said" not in answer:
            return
        # Only now: a window that does not scroll stops the command, not the serial line.
        await terminal.tell({"took": True})
