"""Cables and their state. Each cable is a pair of datagram sockets, created once, so it outlives the machines at its ends."""

import socket

from lab.blueprint import OPERATOR, Blueprint, CablePlan, MachinePlan
from lab.netem import Impairment
from lab.ports import Fitting
from lab.settings import CABLE_BYTES

SO_SNDBUFFORCE = 32
SO_RCVBUFFORCE = 33


class Cables:
    """All cables of a lab: which are pulled or impaired, and which NICs are unplugged."""

    def __init__(self, blueprint: Blueprint) -> None:
        self.plans = blueprint.cables
        self.pulled: set[str] = set()
        self.unplugged: set[tuple[str, str]] = set()
        self.impaired: dict[str, Impairment] = {}
        self._ends: dict[tuple[str, str], socket.socket] = {}
        for cable in self.plans.values():
            if not is_tap(cable):
                self._ends.update(zip(cable.ends, _pair(), strict=True))

    def descriptor(self, host: str, port: str) -> int:
        """The file descriptor for a machine's vector device."""
        return self._ends[host, port].fileno()

    def whole(self, cable: str) -> bool:
        """Whether the cable is plugged in at both ends, and both NICs are in their machines."""
        return cable not in self.pulled and not self.unplugged & set(self.plans[cable].ends)

    def fitting(self, machine: MachinePlan) -> Fitting:
        """The state of a machine's ports. A cable is impaired at its first end, which is never the operator's."""
        ends = {(machine.name, port.name): index for index, port in enumerate(machine.ports)}
        impaired = {ends[end]: how for name, how in self.impaired.items() if (end := self.plans[name].ends[0]) in ends}
        return Fitting(frozenset(ends[end] for end in self.unplugged if end in ends), impaired)

    def close(self) -> None:
        """Close the sockets of all cables."""
        for end in self._ends.values():
            end.close()

    def drain(self, host: str) -> None:
        """Discard the frames that wait for a machine that is off."""
        for (owner, _), end in self._ends.items():
            while owner == host:
                try:
                    end.recv(1, socket.MSG_DONTWAIT | socket.MSG_TRUNC)
                except BlockingIOError:
                    break


def is_tap(cable: CablePlan) -> bool:
    """Whether the cable ends at the operator's machine."""
    return any(host == OPERATOR for host, _ in cable.ends)


def _pair() -> tuple[socket.socket, socket.socket]:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, CABLE_BYTES)
        end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, CABLE_BYTES)
    return pair
