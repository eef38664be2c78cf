"""The protocol between the command line and the keeper: one JSON line is the request, one the answer, over a UNIX socket."""

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
# Verbs that exchange several lines. The keeper's method also gets the connection.
CONVERSATIONS = ("console", "capture")
# Verbs that the keeper cancels if the client disconnects. It completes all others.
ABANDONED = ("exec", "status")
LINE_BYTES = 1 << 28


async def serve(keeper: object, path: Path) -> asyncio.Server:
    """Answer requests on the socket at `path`. Each verb is a method of the keeper."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if line := await reader.readline():
                await _answer(keeper, json.loads(line), reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):  # the client may have disconnected
                await writer.wait_closed()

    server = await asyncio.start_unix_server(answer, path, limit=LINE_BYTES)
    os.chmod(path, 0o600)  # noqa: PTH101 - ruff forbids Path's methods in an async function
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
    disconnected = asyncio.create_task(reader.read())
    await asyncio.wait((work, disconnected), return_when=asyncio.FIRST_COMPLETED)
    if not work.done() and verb in ABANDONED:
        work.cancel()
        await asyncio.wait([work])
    else:
        writer.write(json.dumps(await work).encode() + b"\n")
    disconnected.cancel()


async def _do(keeper: object, verb: str, arguments: dict[str, Any]) -> Answer:
    if verb not in VERBS + CONVERSATIONS:
        return {"error": f"unknown verb {verb!r}; the keeper has {', '.join(VERBS + CONVERSATIONS)}"}
    try:
        return {"result": await getattr(keeper, verb)(**arguments)}
    except (LabError, OSError) as problem:
        return {"error": str(problem)}


class NoLabError(LabError):
    """No lab is running."""


def call(folders: Folders) -> socket.socket:
    """A connection to the keeper. Raises NoLabError if no lab is running."""
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(folders.control))
    except (FileNotFoundError, ConnectionRefusedError):
        line.close()
        raise NoLabError("the lab is not running; `python -m lab up` boots it") from None
    return line


def ask(folders: Folders, do: str, **what: object) -> Answer:
    """Send a request to the keeper and return the result. Raises LabError if no lab is running, or if the request failed."""
    with call(folders) as line:
        line.sendall(json.dumps({"do": do, **what}).encode() + b"\n")
        with line.makefile("rb") as reader:
            answer = json.loads(reader.readline() or b'{"error": "the keeper ended; see its log in the run folder"}')
    if "error" in answer:
        raise LabError(answer["error"])
    return dict(answer["result"])


def runs(folders: Folders) -> bool:
    """Whether a lab is running."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(folders.control))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        return True
