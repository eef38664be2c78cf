"""Waits until machines answer over SSH, in-band: through the relay and the lab's own switches."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.blueprint import Blueprint
from lab.errors import LabError
from lab.folders import Folders
from lab.settings import BOOT_S

Report = Callable[[str], None]
# A relay's connection to a booting machine fails only after seconds, so try another connection meanwhile.
ATTEMPT_EVERY_S = 0.4
LAST_LINES = 15


async def wait_for_ssh(folders: Folders, blueprint: Blueprint, hosts: Iterable[str], report: Report) -> None:
    """Wait until each machine sends an SSH greeting. Raises LabError with the console logs of the machines that do not."""
    started = time.monotonic()
    pending = {asyncio.create_task(_greeted(blueprint, name), name=name) for name in hosts}
    try:
        async with asyncio.timeout(BOOT_S):
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                    report(f"{task.get_name()}: up after {time.monotonic() - started:.1f} s")
    except TimeoutError:
        late = sorted(task.get_name() for task in pending)
        logs = "".join(_console(folders, name) for name in late)
        raise LabError(f"no SSH within {BOOT_S:g} s at: {', '.join(late)}; `python -m lab exec` may still reach them{logs}") from None
    finally:
        for task in pending:
            task.cancel()


def _console(folders: Folders, name: str) -> str:
    path: Path = folders.machine(name) / "console.log"
    text = path.read_text(errors="replace") if path.exists() else ""
    tail = "\n".join(text.splitlines()[-LAST_LINES:])
    return f"\n--- {name}: the end of {path}\n{tail or '(nothing)'}"


async def _greeted(blueprint: Blueprint, name: str) -> None:
    outside = next(out for out, inside in blueprint.machines[name].relays.items() if inside.endswith(":22"))
    address, _, port = outside.rpartition(":")
    attempts: set[asyncio.Task[bool]] = set()
    try:
        while not any(attempt.done() and attempt.result() for attempt in attempts):
            attempts = {attempt for attempt in attempts if not attempt.done()}
            attempts.add(asyncio.create_task(_greets(address, int(port))))
            await asyncio.wait(attempts, timeout=ATTEMPT_EVERY_S)
    finally:
        for attempt in attempts:
            attempt.cancel()


async def _greets(address: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(address, port)
    except OSError:
        return False
    try:
        return (await reader.read(8)).startswith(b"SSH-2.0")
    except OSError:
        return False
    finally:
        writer.close()
