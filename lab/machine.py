"""One machine: a User-Mode Linux kernel as a process group, with its disk, its seed and its serial line."""

import asyncio
import itertools
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import arrays
from lab.blueprint import OPERATOR_PORT, MachinePlan
from lab.cables import Cables, is_tap
from lab.errors import LabError
from lab.jail import IN_JAIL
from lab.netem import lifting, netem_batch
from lab.ports import insertion, removal, vectors, write_ports
from lab.seed import write_carrier
from lab.serial import SerialLine
from lab.settings import CARRIER_S, EXEC_S, EXTRA_DISK_BYTES

# Is told a machine's name.
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Box:
    """What all machines run in: the jail with the kernel, and the run folder that it sees as /lab."""

    jail: Path
    machines: Path
    kernel_words: tuple[str, ...]


class Machine:
    """A machine that can be switched on and off; the cables at its ports are the lab's."""

    def __init__(self, plan: MachinePlan, box: Box, cables: Cables, greeted: Tell, switched: Tell) -> None:
        self.plan = plan
        self.serial = SerialLine(plan.name, lambda: greeted(plan.name), lambda: switched(plan.name))
        self.started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.off = asyncio.Event()
        self.off.set()
        self._insertions = itertools.count(1)
        self._plugging = asyncio.Lock()
        self._told: tuple[str, str] | None = None
        self._box = box
        self._cables = cables

    @property
    def folder(self) -> Path:
        """Its disk, seed and console log."""
        return self._box.machines / self.plan.name

    def has_on(self, port: str) -> bool:
        """Whether it has a port switched on: a cable's other end has no carrier where it has not."""
        return next((index for index, plan in enumerate(self.plan.ports) if plan.name == port), None) in self.serial.ports_on

    @property
    def extra_disks(self) -> list[Path]:
        """Its disks beside the first, in the order of the kernel's names: /dev/ubdb and on."""
        return [self.folder / f"disk{number}.raw" for number, _ in enumerate(self.plan.disks, 1)]

    def wipe(self) -> None:
        """Make its disks those of a fresh install: forget what it has written over the base image, on its arrays and its other disks."""
        for path in (*self.folder.glob("*.cow"), *self.extra_disks):
            path.unlink(missing_ok=True)

    async def start(self) -> None:
        """Switch it on."""
        self._cables.drain(self.plan.name)
        for path in self.extra_disks:
            if not path.exists():
                with path.open("wb") as file:
                    file.truncate(EXTRA_DISK_BYTES)
        ours, theirs = socket.socketpair()
        with theirs:
            await self.serial.attach(ours)
            self.process = self._spawn(theirs.fileno())
        self.started_at = time.monotonic()
        self.off.clear()

    def _spawn(self, serial: int) -> subprocess.Popen[bytes]:
        with (self.folder / "console.log").open("ab") as console:
            return subprocess.Popen(
                self._command(serial),
                pass_fds=[serial, *self._descriptors()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=IN_JAIL,
                start_new_session=True,
            )

    def _descriptors(self) -> list[int]:
        return [
            self._cables.descriptor(self.plan.name, self.plan.ports[index].name)
            for index, cable in vectors(self.plan)
            if not is_tap(self._cables.plans[cable])
        ]

    def _command(self, serial: int) -> list[str]:
        inside = f"/lab/machines/{self.plan.name}"
        return [
            *(
                "chroot",
                str(self._box.jail),
                "/linux",
                f"mem={self.plan.memory}",
                f"ubd0={inside}/disk.cow,/image/base.ext4",
                *arrays.words(self.plan, inside),
                "root=/dev/ubda",
                "rw",
            ),
            *(f"ubd{number}={inside}/{path.name}" for number, path in enumerate(self.extra_disks, 1)),
            "lab.pve=/lab/pve",
            f"sysctl.vm.min_free_kbytes={self.plan.reserve_kib}",
            *("init=/usr/lib/lab/init", f"lab.seed={inside}/seed", "con=null", "con0=null,fd:1", "console=tty0", f"umid={self.plan.name}"),
            *self._box.kernel_words,
            f"ssl0=fd:{serial},fd:{serial}",
            *(self._vector(index, cable) for index, cable in vectors(self.plan)),
        ]

    def _vector(self, index: int, cable: str) -> str:
        port = self.plan.ports[index]
        tap = is_tap(self._cables.plans[cable])
        way = f"transport=tap,ifname={OPERATOR_PORT}" if tap else f"transport=fd,fd={self._cables.descriptor(self.plan.name, port.name)}"
        return f"vec{index}:{way},mac={port.mac},vec=0,mtu={port.carries_bytes},depth=64"

    async def kill(self) -> None:
        """Pull its plug: what it had not synced is lost."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.off.wait()
            await self.serial.closed()

    def ended(self, status: int) -> None:
        """Its process is gone, by our hand or its own."""
        assert self.process
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process = None
        self.off.set()

    async def plug(self, carrier: Callable[[str], bool]) -> None:
        """Bring the carrier of its ports in line with their cables: at once where it runs, and for its next boot."""
        async with self._plugging:
            out = self._cables.fitting(self.plan).out
            carriers = {index: carrier(cable) for index, cable in vectors(self.plan) if index not in out}
            batch = write_carrier(self.folder / "seed", carriers)
            now = (self.serial.boot, batch)
            if not self.serial.ready.is_set() or now == self._told:
                return  # it is off or boots, and is told when its agent greets
            self._told = None
            try:
                await self.serial.run(["ip", "-n", "cables", "-batch", "-"], wait_s=CARRIER_S, stdin=batch)
            except LabError:
                if self.serial.ready.is_set():
                    raise
            else:
                self._told = now

    async def refit(self, index: int) -> None:
        """Put a NIC in or take it out, as the lab's cables say: at once where it runs, and for its next boot."""
        fitting = self._cables.fitting(self.plan)
        await self._change(removal(index) if index in fitting.out else insertion(self.plan, index, fitting, next(self._insertions)))

    async def impair(self, index: int) -> None:
        """Do to the frames of a port's cable what the lab's cables say: at once where it runs, and for its next boot."""
        how = self._cables.fitting(self.plan).impaired.get(index)
        batch = netem_batch(self.plan, index, how) if how else ""
        await self._change(f"tc -n cables -batch - <<'END'\n{batch}END\n" if how else lifting(index))

    async def _change(self, script: str) -> None:
        """Write what the next boot makes of its ports, and bring a boot that may not have seen it to the same."""
        async with self._plugging:
            write_ports(self.folder / "seed", self.plan, self._cables.fitting(self.plan))
            self._told = None
            if self.off.is_set():
                return
            try:
                answer = await self.serial.run(["sh", "-c", script], wait_s=EXEC_S)
            except LabError:
                if not self.off.is_set():
                    raise
                return
        if answer["rc"]:
            raise LabError(f"{self.plan.name} could not change its ports: {answer['err'].strip() or answer['out'].strip()}")

    async def name_of(self, index: int) -> str:
        """What the machine calls a port now; empty where it has none, or does not run."""
        if self.off.is_set():
            return ""
        script = f"ip -n cables -j link show dev far{index} && ip -j link"
        answer = await self.serial.run(["sh", "-c", script], wait_s=EXEC_S)
        if answer["rc"]:
            return ""
        (far,), links = (json.loads(line) for line in answer["out"].splitlines())
        return next((str(link["ifname"]) for link in links if link["ifindex"] == far["link_index"]), "")
