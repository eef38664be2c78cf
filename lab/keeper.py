"""The keeper: the process that owns a running lab. It is PID 1 of its namespaces, so the lab ends with it."""

import asyncio
import itertools
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Coroutine, Iterable
from pathlib import Path
from typing import Any

from lab import pve
from lab.blueprint import OPERATOR, Blueprint, CablePlan
from lab.cables import Cables
from lab.control import Answer, serve
from lab.errors import LabError
from lab.folders import Folders
from lab.image import hold
from lab.jail import mount_jail
from lab.machine import Box, Machine
from lab.memory import pss_by_group
from lab.namespaces import set_operator_carrier, set_up_operator
from lab.netem import Impairment
from lab.recording import command, record, send_capture, whole_records
from lab.relay import Relay
from lab.settings import EXEC_S, WAKE_S
from lab.terminal import connect_terminal

SHELL = ("bash", "--login")
LOG = logging.getLogger("keeper")


class Keeper:
    """The machines and cables of a lab. Each verb of lab.control is a method."""

    def __init__(self, folders: Folders, blueprint: Blueprint, image: Path, kernel: dict[str, Any]) -> None:
        self.folders = folders
        self.blueprint = blueprint
        self.kernel = kernel
        self.stopping = asyncio.Event()
        self.cables = Cables(blueprint)
        box = Box(image / "jail", folders.run / "machines", tuple(kernel["words"]))
        self.machines = {name: Machine(plan, box, self.cables, self._greeted, self._switched) for name, plan in blueprint.machines.items()}
        self._power = asyncio.Lock()
        self._captures = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    def reap(self) -> None:
        """Reap every process that ended: machines, and orphans, whose parent is PID 1."""
        while ended := self._ended():
            pid, status = ended
            for machine in self.machines.values():
                if machine.process and machine.process.pid == pid:
                    machine.ended(status)
                    self._start_task(self._plug(self._neighbors([machine.plan.name])))

    @staticmethod
    def _ended() -> tuple[int, int] | None:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        return (pid, status) if pid else None

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (problem := task.exception()):
            LOG.error("plugging cables: %s", problem)

    async def wake_machines(self) -> None:
        """Wake all machines every WAKE_S, until the lab ends."""
        while True:
            await asyncio.sleep(WAKE_S)
            for machine in self.machines.values():
                machine.serial.wake()

    def _greeted(self, name: str) -> None:
        self._start_task(self._plug([name]))

    def _switched(self, name: str) -> None:
        self._start_task(self._plug(self._neighbors([name])))

    def _carrier(self, cable: str) -> bool:
        ends = self.blueprint.cables[cable].ends
        return self.cables.whole(cable) and all(host == OPERATOR or self.machines[host].has_port_up(port) for host, port in ends)

    def _neighbors(self, names: Iterable[str]) -> list[str]:
        names = set(names)
        ends = {host for cable in self.blueprint.cables.values() for host, _ in cable.ends if names & {name for name, _ in cable.ends}}
        return sorted((ends | names) - {OPERATOR})

    async def _plug(self, names: Iterable[str]) -> None:
        """Set the carrier of all ports of these machines by the state of their cables and neighbors."""
        await asyncio.gather(*(self.machines[name].plug(self._carrier) for name in names))

    def _chosen(self, names: Iterable[str]) -> list[Machine]:
        chosen = list(names) or list(self.machines)
        if unknown := [name for name in chosen if name not in self.machines]:
            raise LabError(f"no machine {', '.join(unknown)} in the lab; there are {', '.join(self.machines)}")
        return [self.machines[name] for name in chosen]

    async def start(self, hosts: list[str]) -> Answer:
        """Switch machines on. Running machines keep running. Answers with the names of those that were off."""
        async with self._power:
            return await self._start(hosts)

    async def _start(self, hosts: list[str]) -> Answer:
        machines = [machine for machine in self._chosen(hosts) if machine.off.is_set()]
        for machine in machines:
            await machine.start()
        return {"started": [machine.plan.name for machine in machines]}

    async def kill(self, hosts: list[str]) -> Answer:
        """Cut the power of machines."""
        async with self._power:
            return await self._kill(hosts)

    async def _kill(self, hosts: list[str]) -> Answer:
        machines = self._chosen(hosts)
        await asyncio.gather(*(machine.kill() for machine in machines))
        await self._plug(self._neighbors(machine.plan.name for machine in machines))
        return {}

    async def reset(self, hosts: list[str]) -> Answer:
        """Reset machines to a fresh install, and switch them on."""
        async with self._power:
            await self._kill(hosts)
            machines = self._chosen(hosts)
            for machine in machines:
                machine.wipe()
            pve.forget(self.folders.run, [machine.plan.name for machine in machines])
            return await self._start(hosts)

    async def exec(self, host: str, argv: list[str], wait_s: float, stdin: str = "") -> Answer:
        """Run a command on a machine, out of band."""
        return await self._running(host).serial.run(argv, wait_s=wait_s, stdin=stdin)

    async def console(self, host: str, size: list[int], term: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Answer:
        """Run a shell on a terminal of a machine, out of band, until the shell ends or the client disconnects."""
        async with self._running(host).serial.terminal(SHELL, size, term, wait_s=EXEC_S) as terminal:
            await connect_terminal(terminal, reader, writer)
        return {}

    async def capture(
        self, host: str, port: str, for_s: float | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        """Capture frames at the end of a cable, in both directions, for `for_s` seconds or until the client stops it."""
        self._cable(host, port)
        machine, index = self._port(host, port)
        path = self._running(host).folder / "seed" / f"{port}-{next(self._captures)}.pcap"
        try:
            async with machine.serial.terminal(command(index, path.name), (24, 200), "dumb", wait_s=EXEC_S) as terminal:
                summary = await record(terminal, reader, writer, for_s)
            await send_capture(whole_records(path.read_bytes()), summary, writer)
        finally:
            path.unlink(missing_ok=True)
        return {}

    def _running(self, host: str) -> Machine:
        (machine,) = self._chosen([host])
        if machine.off.is_set():
            raise LabError(f"{host} is switched off; `python -m lab start {host}` switches it on")
        return machine

    async def cut(self, host: str, port: str) -> Answer:
        """Pull a cable: neither end has a carrier."""
        return await self._set_plugged(host, port, plugged=False)

    async def splice(self, host: str, port: str) -> Answer:
        """Plug a cable in."""
        return await self._set_plugged(host, port, plugged=True)

    def _cable(self, host: str, port: str) -> CablePlan:
        if cable := self.blueprint.cable_at(host, port):
            return cable
        ends = sorted(f"{name}:{end}" for one in self.blueprint.cables.values() for name, end in one.ends)
        raise LabError(f"no cable is plugged in at {host}:{port}; there are cables at {', '.join(ends)}")

    def _port(self, host: str, port: str) -> tuple[Machine, int]:
        (machine,) = self._chosen([host])
        names = [plan.name for plan in machine.plan.ports]
        if port not in names:
            raise LabError(f"{host} has no port {port}; it has {', '.join(names)}")
        return machine, names.index(port)

    async def _set_plugged(self, host: str, port: str, *, plugged: bool) -> Answer:
        cable = self._cable(host, port)
        (self.cables.pulled.discard if plugged else self.cables.pulled.add)(cable.name)
        hosts = [name for name, _ in cable.ends]
        if OPERATOR in hosts:
            set_operator_carrier(up=plugged)
        await self._plug(set(hosts) - {OPERATOR})
        return {"ends": [f"{name}:{end}" for name, end in cable.ends]}

    async def unplug(self, host: str, port: str) -> Answer:
        """Remove a NIC from a machine: its network device disappears, and the far end of its cable loses its carrier."""
        machine, index = self._port(host, port)
        name = await machine.name_of(index)
        self.cables.unplugged.add((host, port))
        await machine.refit(index)
        await self._plug(self._neighbors([host]))
        return {"name": name}

    async def plug(self, host: str, port: str) -> Answer:
        """Put a NIC back into its machine, whose udev names it."""
        machine, index = self._port(host, port)
        self.cables.unplugged.discard((host, port))
        await machine.refit(index)
        await self._plug(self._neighbors([host]))
        return {"name": await machine.name_of(index)}

    async def impair(self, host: str, port: str, loss_percent: float = 0, delay_ms: float = 0) -> Answer:
        """Drop and delay frames of a cable in both directions. Zeros end that."""
        cable = self._cable(host, port)
        how = Impairment(loss_percent, delay_ms)
        if how.is_none:
            self.cables.impaired.pop(cable.name, None)
        else:
            self.cables.impaired[cable.name] = how
        machine, index = self._port(*cable.ends[0])
        await machine.impair(index)
        return {"ends": [f"{name}:{end}" for name, end in cable.ends], "what": how.text}

    async def status(self) -> Answer:
        """The state of the lab."""
        pss = pss_by_group()
        return {
            "kernel": self.kernel,
            "ssh_config": str(self.folders.ssh_config),
            "run": str(self.folders.run),
            "cut": sorted(self.cables.pulled),
            "unplugged": sorted(f"{host}:{port}" for host, port in self.cables.unplugged),
            "impaired": {name: how.to_json() for name, how in sorted(self.cables.impaired.items())},
            "hosts": {name: self._state(machine, pss) for name, machine in self.machines.items()},
        }

    def _state(self, machine: Machine, pss: dict[int, int]) -> dict[str, Any]:
        on = not machine.off.is_set() and machine.process
        state = ("up" if machine.serial.ready.is_set() else "booting") if on else "off"
        return {
            "state": state,
            "address": machine.plan.address,
            "relays": dict(machine.plan.relays),
            "pss_bytes": pss.get(machine.process.pid, 0) if machine.process else 0,
            "uptime_s": round(time.monotonic() - machine.started_at, 1) if on else 0,
            "boot": machine.serial.boot if on else "",
            "console": str(machine.folder / "console.log"),
            "ports": {
                port.name: {"mac": port.mac, "mtu_bytes": port.mtu_bytes, "carrier": bool(port.cable and self._carrier(port.cable))}
                for port in machine.plan.ports
            },
        }

    async def stop(self) -> Answer:
        """End the lab."""
        self.stopping.set()
        return {}


async def keep(folders: Folders, image: Path, outer: int, ready: int) -> None:
    """Run a lab until `stop` or a signal."""
    blueprint = Blueprint.from_json(folders.blueprint.read_text())
    hold(image)
    mount_jail(image / "jail", image, folders.run)
    set_up_operator(blueprint.operator)
    keeper = Keeper(folders, blueprint, image, json.loads((folders.run / "kernel.json").read_text()))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGCHLD, keeper.reap)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, keeper.stopping.set)
    relays = [Relay(outside, inside) for plan in blueprint.machines.values() for outside, inside in plan.relays.items()]
    for relay in relays:
        await relay.open(outer)
    await serve(keeper, folders.control)
    waking = asyncio.create_task(keeper.wake_machines())
    os.write(ready, b"ready\n")
    os.close(ready)
    await keeper.stopping.wait()
    waking.cancel()
    await asyncio.gather(*(machine.kill() for machine in keeper.machines.values()))
    keeper.cables.close()


if __name__ == "__main__":
    logging.basicConfig(format="%(asctime)s %(message)s")
    root, image, outer, ready = sys.argv[1:]
    try:
        asyncio.run(keep(Folders(Path(root)), Path(image), int(outer), int(ready)))
    except LabError as problem:
        sys.exit(str(problem))
