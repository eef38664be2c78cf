"""The keeper's part in a capture: tcpdump in the machine, at the cable, writing into a folder that both sides see."""

import asyncio
import json

from lab.errors import LabError
from lab.serial import Terminal

# Where a machine sees its seed, a folder of this machine.
SEEN_AT = "/run/lab/seed"
LISTENS = "listening on"
INTERRUPT = "\x03"
HEADER_BYTES = 24
RECORD_BYTES = 16
LENGTH = slice(8, 12)


def command(index: int, name: str) -> list[str]:
    """What captures the frames at a port's vector device, as they are on the cable, into a file of the seed."""
    words = ["tcpdump", "-i", f"vec{index}", "--immediate-mode", "-U", "-Z", "root", "-w", f"{SEEN_AT}/{name}"]
    return ["nsenter", "--net=/run/netns/cables", *words]


async def record(terminal: Terminal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, for_s: float | None) -> str:
    """Say when it begins, end it when the time is over or who asked has had enough, and give what tcpdump said last."""
    said = await _heard(terminal, LISTENS)
    writer.write(json.dumps({"began": True}).encode() + b"\n")
    await writer.drain()
    enough = asyncio.create_task(reader.read())
    ended = asyncio.create_task(_heard(terminal, None))
    try:
        await asyncio.wait((enough, ended), timeout=for_s, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            await terminal.tell({"input": INTERRUPT})
        said += await ended
    finally:
        enough.cancel()
        ended.cancel()
    return said.partition(LISTENS)[2].partition("\n")[2].replace("^C", "").strip()


async def _heard(terminal: Terminal, word: str | None) -> str:
    """What the command says until that word, or to its end."""
    said = ""
    while word is None or word not in said:
        answer = await terminal.answers.get()
        if "error" in answer:
            raise LabError(answer["error"])
        if "rc" in answer:
            if answer["rc"] or word:
                raise LabError(f"tcpdump ended with {answer['rc']}: {said.strip()}")
            return said
        said += answer["said"]
        await terminal.tell({"took": True})
    return said


async def hand_over(data: bytes, said: str, writer: asyncio.StreamWriter) -> None:
    """Send a capture to who asked for it: a line that says how long it is, then its bytes."""
    writer.write(json.dumps({"bytes": len(data), "said": said.splitlines()}).encode() + b"\n" + data)
    await writer.drain()


def whole(data: bytes) -> bytes:
    """A capture without the record at its end that is not all there."""
    end = HEADER_BYTES
    while end + RECORD_BYTES <= len(data):
        length = int.from_bytes(data[end:][LENGTH], "little")
        if end + RECORD_BYTES + length > len(data):
            break
        end += RECORD_BYTES + length
    return data[:end]
