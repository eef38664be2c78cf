"""Commands that create a machine's ports: veth pairs whose far ends are in the namespace `cables`, each connected to its vector device."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.blueprint import MachinePlan
from lab.netem import Impairment, netem_batch
from lab.settings import FIRST_PORT, MOST_PORTS

UDEV_S = 10


@dataclass(frozen=True)
class Fitting:
    """The state of a machine's ports, by index: unplugged NICs, and impairments of cables."""

    out: frozenset[int] = frozenset()
    impaired: Mapping[int, Impairment] = field(default_factory=dict)


def vectors(machine: MachinePlan) -> Iterable[tuple[int, str]]:
    """Index and cable of every port with a cable. The names of the port's far end and vector device contain the index."""
    return ((index, port.cable) for index, port in enumerate(machine.ports) if port.cable)


def _present(machine: MachinePlan, fitting: Fitting) -> Iterator[int]:
    return (index for index in range(len(machine.ports)) if index not in fitting.out)


def port_command(machine: MachinePlan, index: int, insertions: int = 0) -> str:
    """The `ip` command that creates a port, with its far end in the namespace `cables`.

    A NIC that is plugged in again is a new device with a new interface index. `insertions` counts these.
    """
    port = machine.ports[index]
    number = FIRST_PORT + insertions * MOST_PORTS + index
    near = f"link add {port.kernel_name} index {number} address {port.mac} mtu {port.mtu_bytes}"
    return f"{near} type veth peer name far{index} mtu {port.max_mtu_bytes} netns cables"


def joint_batch(machine: MachinePlan, index: int) -> str:
    """`tc` commands that forward every frame between a port's far end and its vector device."""
    if not machine.ports[index].cable:
        return ""
    lines = []
    for here, there in ((f"far{index}", f"vec{index}"), (f"vec{index}", f"far{index}")):
        lines.append(f"qdisc add dev {here} ingress")
        lines.append(f"filter add dev {here} ingress matchall action mirred egress redirect dev {there}")
    return "\n".join(lines) + "\n"


def ports_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`ip` commands that create the ports and move the vector devices into the namespace `cables`."""
    lines = [f"link set vec{index} netns cables" for index, _ in vectors(machine)]
    lines += [port_command(machine, index) for index in _present(machine, fitting)]
    return "\n".join(lines) + "\n"


def cables_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`ip` commands that set the vector devices up."""
    lines = [f"link set vec{index} mtu {machine.ports[index].max_mtu_bytes} promisc on up\n" for index, _ in vectors(machine)]
    lines += [f"link set far{index} promisc on\n" for index, _ in vectors(machine) if index not in fitting.out]
    return "".join(lines)


def shaping_batch(machine: MachinePlan, fitting: Fitting = Fitting()) -> str:
    """`tc` commands that connect the ports to their vector devices and impair the cables."""
    present = list(_present(machine, fitting))
    joints = "".join(joint_batch(machine, index) for index in present)
    return joints + "".join(netem_batch(machine, index, fitting.impaired[index]) for index in present if index in fitting.impaired)


def write_ports(seed: Path, machine: MachinePlan, fitting: Fitting = Fitting()) -> None:
    """Write the ports of the next boot to the seed."""
    for name, text in (
        ("ports.ip", ports_batch(machine, fitting)),
        ("cables.ip", cables_batch(machine, fitting)),
        ("cables.tc", shaping_batch(machine, fitting)),
    ):
        new = seed / f"{name}.new"
        new.write_text(text)
        new.replace(seed / name)


def removal(index: int) -> str:
    """A shell script that removes a NIC from a running machine. It does nothing if the NIC is already removed."""
    far = f"ip -n cables link show dev far{index} >/dev/null 2>&1"
    return f"{far} || exit 0\nip -n cables link delete far{index} || exit 1\nudevadm settle --timeout={UDEV_S}\n"


def insertion(machine: MachinePlan, index: int, fitting: Fitting, insertions: int) -> str:
    """A shell script that plugs a NIC into a running machine. It does nothing if the NIC is already there."""
    lines = [f"ip -n cables link show dev far{index} >/dev/null 2>&1 && exit 0", "set -e", f"ip {port_command(machine, index, insertions)}"]
    shaping = joint_batch(machine, index)
    if shaping:
        if index in fitting.impaired:
            shaping += netem_batch(machine, index, fitting.impaired[index])
        # The filter that forwarded frames to the former far end has lost its target: replace it.
        lines.append(f"ip -n cables link set far{index} promisc on")
        lines.append(f"tc -n cables qdisc delete dev vec{index} ingress 2>/dev/null || true")
        lines.append(f"tc -n cables -batch - <<'END'\n{shaping}END")
    return "\n".join([*lines, f"udevadm settle --timeout={UDEV_S}"]) + "\n"
