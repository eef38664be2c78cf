"""How the command line speaks with the keeper: one JSON line asks, one JSON line answers, over a UNIX socket."""

import asyncio
import json
import os
import socket
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.folders import Folders

Answer = dict[str, Any]
VERBS = ("start", "kill", "reset", "exec", "cut", "splice", "status", "stop")
LINE_BYTES = 1 << 28


async def serve(keeper: object, path: Path) -> asyncio.Server:
    """Answer requests on the socket at `path`; a verb is a method of the keeper."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = await reader.readline()
        if not line:
            writer.close()
            return
        work = asyncio.create_task(_do(keeper, json.loads(line)))
        gone = asyncio.create_task(reader.read())
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            writer.write(json.dumps(work.result()).encode() + b"\n")
            await writer.drain()
        work.cancel()
        gone.cancel()
        writer.close()

    server = await asyncio.start_unix_server(answer, path, limit=LINE_BYTES)
    path.chmod(0o600)
    owner = os.environ.get("SUDO_UID")
    if owner:
        os.chown(path, int(owner), -1)
    return server


async def _do(keeper: object, request: dict[str, Any]) -> Answer:
    verb = request.pop("do")
    try:
        if verb not in VERBS:
            raise LabError(f"no such thing as {verb!r}; there are {', '.join(VERBS)}")
        return {"result": await getattr(keeper, verb)(**request)}
    except (LabError, OSError) as problem:
        return {"error": str(problem)}


def ask(folders: Folders, do: str, **what: object) -> Answer:
    """Ask the keeper. Raises LabError where there is none, or where it could not do it."""
    with socket.socket(socket.AF_UNIX) as line:
        try:
            line.connect(str(folders.control))
        except (FileNotFoundError, ConnectionRefusedError):
            raise LabError("the lab does not run; `python -m lab up` boots it") from None
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
