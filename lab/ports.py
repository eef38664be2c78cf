"""A machine's ports as commands: veth pairs whose far ends lie in the namespace `cables`, each joined to its vector device."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.blueprint import MachinePlan
from lab.netem import Impairment, netem_batch
from lab.settings import FIRST_PORT, MOST_PORTS

SETTLE_S = 10


@dataclass(frozen=True)
class Fitting:
    """What is at a machine's ports now, by their index: NICs that are out, and what it does to the frames on its cables."""

    out: frozenset[int] = frozenset()
    impaired: Mapping[int, Impairment] = field(default_factory=dict)


def vectors(machine: MachinePlan) -> Iterable[tuple[int, str]]:
    """Index and cable of every port that has one; the port's far end and vector device carry the index."""
    return ((index, port.cable) for index, port in enumerate(machine.ports) if port.cable)


def _present(machine: MachinePlan, fitting: Fitting) -> Iterator[int]:
    return (index for index in range(len(machine.ports)) if index not in fitting.out)


def port_command(machine: MachinePlan, index: int, insertions: int = 0) -> str:
    """The `ip` command that makes a port, its far end beyond the machine's sight.

    A NIC that was plugged in again is a new device, with a number of its own: `insertions` counts them.
    """
    port = machine.ports[index]
    number = FIRST_PORT + insertions * MOST_PORTS + index
    near = f"link add {port.kernel_name} index {number} address {port.mac} mtu {port.mtu_bytes}"
    return f"{near} type veth peer name far{index} mtu {port.carries_bytes} netns cables"


def joint_batch(machine: MachinePlan, index: int) -> str:
    """`tc` commands that carry every frame between a port's far end and its vector device."""
    if not machine.ports[index].cable:
        return ""
    lines = []
    for here, there in ((f"far{index}", f"vec{index}"), (f"vec{index}", f"far{index}")):
        lines.append(f"qdisc add dev {here} ingress")
        lines.append(f"filter add dev {here} ingress matchall action mirred egress redirect dev {there}")
    return "\n".join(lines) + "\n"


def ports_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`ip` commands that make the ports and take the vector devices out of the machine's sight."""
    lines = [f"link set vec{index} netns cables" for index, _ in vectors(machine)]
    lines += [port_command(machine, index) for index in _present(machine, fitting)]
    return "\n".join(lines) + "\n"


def cables_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`ip` commands that make the vector devices ready."""
    lines = [f"link set vec{index} mtu {machine.ports[index].carries_bytes} promisc on up\n" for index, _ in vectors(machine)]
    lines += [f"link set far{index} promisc on\n" for index, _ in vectors(machine) if index not in fitting.out]
    return "".join(lines)


def shaping_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`tc` commands that join the ports to their vector devices, and do to the frames what is to be done."""
    present = list(_present(machine, fitting))
    joints = "".join(joint_batch(machine, index) for index in present)
    return joints + "".join(netem_batch(machine, index, fitting.impaired[index]) for index in present if index in fitting.impaired)


def write_ports(seed: Path, machine: MachinePlan, fitting: Fitting = Fitting()) -> None:
    """Say in the seed what ports the next boot makes."""
    for name, text in (
        ("ports.ip", ports_batch(machine, fitting)),
        ("cables.ip", cables_batch(machine, fitting)),
        ("cables.tc", shaping_batch(machine, fitting)),
    ):
        new = seed / f"{name}.new"
        new.write_text(text)
        new.replace(seed / name)


def removal(index: int) -> str:
    """A shell script that takes a NIC out of a running machine; where it is out already it does nothing."""
    far = f"ip -n cables link show dev far{index} >/dev/null 2>&1"
    return f"{far} || exit 0\nip -n cables link delete far{index} || exit 1\nudevadm settle --timeout={SETTLE_S}\n"


def insertion(machine: MachinePlan, index: int, fitting: Fitting, insertions: int) -> str:
    """A shell script that plugs a NIC into a running machine; where it is in already it does nothing."""
    lines = [f"ip -n cables link show dev far{index} >/dev/null 2>&1 && exit 0", "set -e", f"ip {port_command(machine, index, insertions)}"]
    shaping = joint_batch(machine, index)
    if shaping:
        if index in fitting.impaired:
            shaping += netem_batch(machine, index, fitting.impaired[index])
        # What carried frames to the far end that was there before leads nowhere.
        lines.append(f"ip -n cables link set far{index} promisc on")
        lines.append(f"tc -n cables qdisc delete dev vec{index} ingress 2>/dev/null || true")
        lines.append(f"tc -n cables -batch - <<'END'\n{shaping}END")
    return "\n".join([*lines, f"udevadm settle --timeout={SETTLE_S}"]) + "\n"
