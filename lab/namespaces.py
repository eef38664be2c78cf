"""Two network namespaces in one process: this machine's, where relays listen, and the keeper's, which is the operator's machine."""

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.blueprint import OPERATOR_PORT, OperatorPlan
from lab.settings import CABLE_FRAMES

# sched.h; os.setns came with Python 3.12.
CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


def _enter(namespace: int) -> None:
    if _LIBC.setns(namespace, CLONE_NEWNET):
        problem = ctypes.get_errno()
        raise OSError(problem, f"cannot enter a network namespace: {os.strerror(problem)}")


@contextmanager
def within(namespace: int) -> Iterator[None]:
    """Enter another network namespace. A socket that is created in it stays in it. Do not await in the block."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(namespace)
        try:
            yield
        finally:
            _enter(home)
    finally:
        os.close(home)


def listen(namespace: int, address: str, port: int) -> socket.socket:
    """A TCP socket that listens in another network namespace."""
    with within(namespace):
        return socket.create_server((address, port), backlog=128)


def set_up_operator(operator: OperatorPlan | None) -> None:
    """Set up the network of the operator's machine: loopback, and a port with its address and gateway."""
    Path("/proc/sys/net/unix/max_dgram_qlen").write_text(str(CABLE_FRAMES))
    commands = ["link set lo up"]
    if operator:
        # The vector driver drops anything longer than a frame, so the kernel must do the segmentation.
        segmentation = "gso_max_segs 1 gso_max_size 1514"
        commands += [
            f"tuntap add dev {OPERATOR_PORT} mode tap",
            f"addr add {operator.address} dev {OPERATOR_PORT}",
            f"link set {OPERATOR_PORT} {segmentation} up",
        ]
        if operator.gateway:
            commands.append(f"route add default via {operator.gateway} dev {OPERATOR_PORT}")
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def set_operator_carrier(*, up: bool) -> None:
    """Set or clear the carrier at the operator's end of its cable."""
    subprocess.run(["ip", "link", "set", OPERATOR_PORT, "carrier", "on" if up else "off"], check=True)
