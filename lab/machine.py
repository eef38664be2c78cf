"""A machine: a User-Mode Linux kernel as a process group, with its disk, its seed and its serial line."""

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
from lab.netem import end_impairment, netem_batch
from lab.ports import insertion, removal, vectors, write_ports
from lab.seed import write_carrier
from lab.serial import SerialLine
from lab.settings import CARRIER_S, EXEC_S, EXTRA_DISK_BYTES

# Takes a machine's name.
NameCallback = Callable[[str], None]


@dataclass(frozen=True)
class Box:
    """The environment of all machines: the jail with the kernel, and the run folder, which is /lab in the jail."""

    jail: Path
    machines: Path
    kernel_parameters: tuple[str, ...]


class Machine:
    """A machine that can be switched on and off. The lab owns the cables at its ports."""

    def __init__(self, plan: MachinePlan, box: Box, cables: Cables, greeted: NameCallback, switched: NameCallback) -> None:
        self.plan = plan
        self.serial = SerialLine(plan.name, lambda: greeted(plan.name), lambda: switched(plan.name))
        self.started_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        self.off = asyncio.Event()
        self.off.set()
        self._insertions = itertools.count(1)
        self._plugging = asyncio.Lock()
        self._applied: tuple[str, str] | None = None
        self._box = box
        self._cables = cables

    @property
    def folder(self) -> Path:
        """The folder of the machine's disk, seed and console log."""
        return self._box.machines / self.plan.name

    def has_port_up(self, port: str) -> bool:
        """Whether the machine has set a port up. If not, the far end of the port's cable has no carrier."""
        return next((index for index, plan in enumerate(self.plan.ports) if plan.name == port), None) in self.serial.ports_on

    @property
    def extra_disks(self) -> list[Path]:
        """The machine's extra disks, in the order of the kernel's names: /dev/ubdb and later."""
        return [self.folder / f"disk{number}.raw" for number, _ in enumerate(self.plan.disks, 1)]

    def wipe(self) -> None:
        """Reset the disks to a fresh install: remove all writes to the base image, the arrays and the extra disks."""
        for path in (*self.folder.glob("*.cow"), *self.extra_disks):
            path.unlink(missing_ok=True)

    async def start(self) -> None:
        """Switch the machine on."""
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
                *arrays.kernel_parameters(self.plan, inside),
                "root=/dev/ubda",
                "rw",
            ),
            *(f"ubd{number}={inside}/{path.name}" for number, path in enumerate(self.extra_disks, 1)),
            "lab.pve=/lab/pve",
            f"sysctl.vm.min_free_kbytes={self.plan.reserve_kib}",
            *("init=/usr/lib/lab/init", f"lab.seed={inside}/seed", "con=null", "con0=null,fd:1", "console=tty0", f"umid={self.plan.name}"),
            *self._box.kernel_parameters,
            f"ssl0=fd:{serial},fd:{serial}",
            *(self._vector(index, cable) for index, cable in vectors(self.plan)),
        ]

    def _vector(self, index: int, cable: str) -> str:
        port = self.plan.ports[index]
        tap = is_tap(self._cables.plans[cable])
        way = f"transport=tap,ifname={OPERATOR_PORT}" if tap else f"transport=fd,fd={self._cables.descriptor(self.plan.name, port.name)}"
        return f"vec{index}:{way},mac={port.mac},vec=0,mtu={port.max_mtu_bytes},depth=64"

    async def kill(self) -> None:
        """Cut the machine's power. Writes that are not synced are lost."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            await self.off.wait()
            await self.serial.closed()

    def ended(self, status: int) -> None:
        """Record that the machine's process has ended, with the wait status of `waitpid`."""
        assert self.process
        self.process.returncode = os.waitstatus_to_exitcode(status)
        self.process = None
        self.off.set()

    async def plug(self, carrier: Callable[[str], bool]) -> None:
        """Set the carrier of the machine's ports by the state of their cables: now if the machine runs, and for its next boot."""
        async with self._plugging:
            out = self._cables.fitting(self.plan).out
            carriers = {index: carrier(cable) for index, cable in vectors(self.plan) if index not in out}
            batch = write_carrier(self.folder / "seed", carriers)
            now = (self.serial.boot, batch)
            if not self.serial.ready.is_set() or now == self._applied:
                return  # it is off or boots: its agent's greeting starts another call
            self._applied = None
            try:
                await self.serial.run(["ip", "-n", "cables", "-batch", "-"], wait_s=CARRIER_S, stdin=batch)
            except LabError:
                if self.serial.ready.is_set():
                    raise
            else:
                self._applied = now

    async def refit(self, index: int) -> None:
        """Insert or remove a NIC by the state of the lab's cables: now if the machine runs, and for its next boot."""
        fitting = self._cables.fitting(self.plan)
        await self._change(removal(index) if index in fitting.out else insertion(self.plan, index, fitting, next(self._insertions)))

    async def impair(self, index: int) -> None:
        """Impair a port's cable by the state of the lab's cables: now if the machine runs, and for its next boot."""
        how = self._cables.fitting(self.plan).impaired.get(index)
        batch = netem_batch(self.plan, index, how) if how else ""
        await self._change(f"tc -n cables -batch - <<'END'\n{batch}END\n" if how else end_impairment(index))

    async def _change(self, script: str) -> None:
        """Write the ports of the next boot, and run a script that changes those of a running machine, which may have read the old ones."""
        async with self._plugging:
            write_ports(self.folder / "seed", self.plan, self._cables.fitting(self.plan))
            self._applied = None
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
        """The machine's current name of a port. Empty if the machine is off or has no such port."""
        if self.off.is_set():
            return ""
        script = f"ip -n cables -j link show dev far{index} && ip -j link"
        answer = await self.serial.run(["sh", "-c", script], wait_s=EXEC_S)
        if answer["rc"]:
            return ""
        (far,), links = (json.loads(line) for line in answer["out"].splitlines())
        return next((str(link["ifname"]) for link in links if link["ifindex"] == far["link_index"]), "")
