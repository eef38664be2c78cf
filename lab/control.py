"""How the command line speaks with the keeper: one JSON line asks, one JSON line answers, over a UNIX socket."""

import asyncio
import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.folders import Folders

Answer = dict[str, Any]
VERBS = ("start", "kill", "reset", "exec", "cut", "splice", "unplug", "plug", "impair", "status", "stop")
# What goes on as long as both sides have something to say; such a method of the keeper gets the connection too.
CONVERSATIONS = ("console", "capture")
# What is given up when the one who asked goes away; everything else is done to its end.
ABANDONED = ("exec", "status")
LINE_BYTES = 1 << 28


async def serve(keeper: object, path: Path) -> asyncio.Server:
    """Answer requests on the socket at `path`; a verb is a method of the keeper."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if line := await reader.readline():
                await _answer(keeper, json.loads(line), reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):  # who asked may be gone
                await writer.wait_closed()

    server = await asyncio.start_unix_server(answer, path, limit=LINE_BYTES)
    os.chmod(path, 0o600)  # noqa: PTH101 - a Path's methods may not be called here, says ruff
    if owner := os.environ.get("SUDO_UID"):
        os.chown(path, int(owner), -1)
    return server


async def _answer(keeper: object, request: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    verb = request.pop("do")
    if verb in CONVERSATIONS:
        if "error" in (answer := await _do(keeper, verb, {**request, "reader": reader, "writer": writer})):
            writer.write(json.dumps(answer).encode() + b"\n")
        return
    work = asyncio.create_task(_do(keeper, verb, request))
    gone = asyncio.create_task(reader.read())
    await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
    if not work.done() and verb in ABANDONED:
        work.cancel()
        await asyncio.wait([work])
    else:
        writer.write(json.dumps(await work).encode() + b"\n")
    gone.cancel()


async def _do(keeper: object, verb: str, words: dict[str, Any]) -> Answer:
    if verb not in VERBS + CONVERSATIONS:
        return {"error": f"the keeper knows no {verb!r}; it knows {', '.join(VERBS + CONVERSATIONS)}"}
    try:
        return {"result": await getattr(keeper, verb)(**words)}
    except (LabError, OSError) as problem:
        return {"error": str(problem)}


class NoLabError(LabError):
    """No lab runs."""


def call(folders: Folders) -> socket.socket:
    """A connection with the keeper. Raises LabError where there is none."""
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(folders.control))
    except (FileNotFoundError, ConnectionRefusedError):
        line.close()
        raise NoLabError("the lab does not run; `python -m lab up` boots it") from None
    return line


def ask(folders: Folders, do: str, **what: object) -> Answer:
    """Ask the keeper. Raises LabError where there is none, or where it could not do it."""
    with call(folders) as line:
        line.sendall(json.dumps({"do": do, **what}).encode() + b"\n")
        with line.makefile("rb") as reader:
            answer = json.loads(reader.readline() or b'{"error": "the keeper ended; see its log in the run folder"}')
    if "error" in answer:
        raise LabError(answer["error"])
    return dict(answer["result"])


def runs(folders: Folders) -> bool:
    """Whether a lab runs."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(folders.control))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True
