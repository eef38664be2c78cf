"""Bring a lab up and take it down: everything that happens outside of the keeper."""

import asyncio
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lab import control, image, kernel
from lab.blueprint import Blueprint
from lab.errors import LabError
from lab.folders import Folders
from lab.keys import write_ssh
from lab.seed import write_seed
from lab.settings import BOOT_S, KERNEL_WORDS

Say = Callable[[str], None]
RETRY_S = 0.1
STOP_S = 10.0


def up(folders: Folders, inventory: Path, hosts: Iterable[str], say: Say) -> list[str]:
    """Boot machines and wait until each answers over SSH; gives the names of those that were asked for."""
    from inventory.typed import load  # noqa: PLC0415 - it takes a while to import, and only `up` needs it
    from lab.blueprint import draw  # noqa: PLC0415

    site = load(inventory)
    blueprint = draw(site)
    chosen = list(hosts) or list(blueprint.machines)
    if unknown := [name for name in chosen if name not in blueprint.machines]:
        raise LabError(f"no machine {', '.join(unknown)} in {inventory}; there are {', '.join(blueprint.machines)}")
    if control.runs(folders):
        if folders.blueprint.read_text() != blueprint.to_json():
            raise LabError(f"the lab that runs was built from another inventory than {inventory} is now: `python -m lab down` first")
    else:
        core = kernel.newest(folders, say)
        base = image.ensure(folders, core, say)
        down(folders)
        folders.run.mkdir(parents=True)
        write_ssh(folders, blueprint.machines.values())
        for machine in blueprint.machines.values():
            write_seed(folders, site, machine)
        _start_keeper(folders, blueprint, base, core)
    started = control.ask(folders, "start", hosts=chosen)["started"]
    say(f"switched on: {', '.join(started) or 'nothing, all run'}")
    asyncio.run(wait_for_ssh(folders, blueprint, chosen, say))
    return chosen


def _start_keeper(folders: Folders, blueprint: Blueprint, base: image.Image, core: kernel.Kernel) -> None:
    folders.blueprint.write_text(blueprint.to_json())
    words = [*KERNEL_WORDS, *(["seccomp=on"] if core.seccomp else [])]
    (folders.run / "kernel.json").write_text(json.dumps({"release": core.release, "version": core.version, "suite": core.suite, "words": words}))
    outer = os.open("/proc/self/ns/net", os.O_RDONLY)
    hear, ready = os.pipe()
    with folders.keeper_log.open("ab") as log:
        process = subprocess.Popen(
            [
                *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", sys.executable, "-m", "lab.keeper"),
                *(str(folders.root), str(base.folder), str(outer), str(ready)),
            ],
            pass_fds=[outer, ready],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=Path(__file__).parent.parent,
        )
    folders.keeper_pid.write_text(str(process.pid))
    os.close(ready)
    os.close(outer)
    with os.fdopen(hear) as pipe:
        if pipe.readline() != "ready\n":  # unshare, the parent, keeps its end open: there is no end of file
            raise LabError(f"the keeper of the lab did not start; it said:\n{folders.keeper_log.read_text()}")


def down(folders: Folders) -> None:
    """End the lab, whatever state it is in, and remove what it left."""
    if control.runs(folders):
        control.ask(folders, "stop")
    if folders.keeper_pid.exists():
        _end(int(folders.keeper_pid.read_text()), str(folders.root))
    shutil.rmtree(folders.run, ignore_errors=True)


def _end(pid: int, folder: str) -> None:
    """Wait until the keeper is gone; where it does not go by itself, end it by force."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if folder not in command:
            return  # the number belongs to another process by now
        if not select.select([handle], [], [], STOP_S)[0]:
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [], STOP_S)
    finally:
        os.close(handle)


async def wait_for_ssh(folders: Folders, blueprint: Blueprint, hosts: Iterable[str], say: Say) -> None:
    """Wait until each machine answers as an SSH server through its relay, over the lab's own switches."""
    started = time.monotonic()
    pending = {asyncio.create_task(_answers(blueprint, name), name=name) for name in hosts}
    try:
        async with asyncio.timeout(BOOT_S):
            while pending:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    say(f"{task.get_name()}: up after {time.monotonic() - started:.1f} s")
    except TimeoutError:
        late = sorted(task.get_name() for task in pending)
        logs = "".join(f"\n--- {name}: end of {folders.machine(name)}/console.log\n{_tail(folders.machine(name) / 'console.log')}" for name in late)
        raise LabError(f"{', '.join(late)}: no SSH within {BOOT_S:g} s of `up`{logs}") from None


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-15:]) if path.exists() else "(nothing)"


async def _answers(blueprint: Blueprint, name: str) -> None:
    outside = next(out for out, inside in blueprint.machines[name].relays.items() if inside.endswith(":22"))
    address, _, port = outside.rpartition(":")
    while not await _greets(address, int(port)):
        await asyncio.sleep(RETRY_S)


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


def status(folders: Folders) -> dict[str, Any]:
    """What the keeper knows of the lab."""
    return control.ask(folders, "status")
