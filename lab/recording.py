"""The keeper's side of a capture: tcpdump in the machine, at the cable, writes to a folder that the keeper and the machine share."""

import asyncio
import json

from lab.errors import LabError
from lab.serial import Terminal

# The path of the seed in the machine. The seed is a folder of this machine.
SEEN_AT = "/run/lab/seed"
LISTENS = "listening on"
INTERRUPT = "\x03"
HEADER_BYTES = 24
RECORD_BYTES = 16
LENGTH = slice(8, 12)


def command(index: int, name: str) -> list[str]:
    """The command that captures the frames at a port's vector device, as they are on the cable, to a file in the seed."""
    arguments = ["tcpdump", "-i", f"vec{index}", "--immediate-mode", "-U", "-Z", "root", "-w", f"{SEEN_AT}/{name}"]
    return ["nsenter", "--net=/run/netns/cables", *arguments]


async def record(terminal: Terminal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, for_s: float | None) -> str:
    """Report the begin of a capture, end it after `for_s` seconds or when the client stops it, and return tcpdump's summary."""
    output = await _read_until(terminal, LISTENS)
    writer.write(json.dumps({"began": True}).encode() + b"\n")
    await writer.drain()
    stopped = asyncio.create_task(reader.read())
    ended = asyncio.create_task(_read_until(terminal, None))
    try:
        await asyncio.wait((stopped, ended), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await terminal.tell({"input": INTERRUPT})
        output += await ended
    finally:
        stopped.cancel()
        ended.cancel()
    return output.partition(LISTENS)[2].partition("\n")[2].replace("^C", "").strip()


async def _read_until(terminal: Terminal, word: str | None) -> str:
    """The command's output up to that word, or up to its end if `word` is None."""
    output = ""
    while word is None or word not in output:
        answer = await terminal.answers.get()
        if "error" in answer:
            raise LabError(answer["error"])
        if "rc" in answer:
            if answer["rc"] or word:
                raise LabError(f"tcpdump ended with {answer['rc']}: {output.strip()}")
            return output
        output += answer["output"]
        await terminal.tell({"took": True})
    return output


async def send_capture(data: bytes, summary: str, writer: asyncio.StreamWriter) -> None:
    """Send a capture to the client: a JSON line with its length, then its bytes."""
    writer.write(json.dumps({"bytes": len(data), "output": summary.splitlines()}).encode() + b"\n" + data)
    await writer.drain()


def whole_records(data: bytes) -> bytes:
    """A capture without an incomplete record at its end."""
    end = HEADER_BYTES
    while end + RECORD_BYTES <= len(data):
        length = int.from_bytes(data[end:][LENGTH], "little")
        if end + RECORD_BYTES + length > len(data):
            break
        end += RECORD_BYTES + length
    return data[:end]
