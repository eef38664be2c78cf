"""Loss and delay on a cable, with the kernel's netem, in the machine at one of its ends."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from lab.blueprint import MachinePlan

# The queue limit for one direction: large enough that netem drops only the configured share, and small enough for a machine's memory.
QUEUE_BYTES: Final = 16 << 20
UNITS_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}
LONGEST_MS: Final = 10_000
WHOLE: Final = 100


@dataclass(frozen=True)
class Impairment:
    """Loss and delay of a cable's frames, in each direction separately."""

    loss_percent: float = 0
    delay_ms: float = 0

    @property
    def is_none(self) -> bool:
        """Whether there is neither loss nor delay."""
        return not (self.loss_percent or self.delay_ms)

    @property
    def text(self) -> str:
        """The impairment as text."""
        parts = [f"{self.loss_percent:g}% loss"] if self.loss_percent else []
        parts += [f"{self.delay_ms:g} ms delay"] if self.delay_ms else []
        return ", ".join(parts) or "nothing"

    def to_json(self) -> dict[str, Any]:
        """The impairment as plain data."""
        return asdict(self)


def parse_loss(text: str) -> float:
    """`5%` as 5. Raises ValueError with the expected format."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if not found or not 0 < float(found[1]) <= WHOLE:
        raise ValueError(f"wanted a share of the frames, as in 5%; got {text!r}")
    return float(found[1])


def parse_time(text: str) -> float:
    """`20ms` as 20, in milliseconds. Raises ValueError with the expected format."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s)", text)
    if not found or not float(found[1]):
        raise ValueError(f"wanted a time, as in 20ms or 10s; got {text!r}")
    return float(found[1]) * UNITS_MS[found[2]]


def parse_delay(text: str) -> float:
    """`20ms` as 20, in milliseconds, up to LONGEST_MS. Raises ValueError with the expected format."""
    delay_ms = parse_time(text)
    if delay_ms > LONGEST_MS:
        raise ValueError(f"wanted a time up to {LONGEST_MS / 1000:g}s, as in 20ms; got {text!r}")
    return delay_ms


def netem_batch(machine: MachinePlan, index: int, impairment: Impairment) -> str:
    """`tc` commands that impair a cable in both directions: outgoing frames at the vector device, incoming frames at the far end."""
    # Netem drops frames above its limit, and keeps their order as long as the delay is constant.
    text = f"limit {QUEUE_BYTES // machine.ports[index].mtu_bytes}"
    if impairment.delay_ms:
        text += f" delay {impairment.delay_ms:g}ms"
    if impairment.loss_percent:
        text += f" loss {impairment.loss_percent:g}%"
    return "".join(f"qdisc replace dev {device} root netem {text}\n" for device in (f"vec{index}", f"far{index}"))


def end_impairment(index: int) -> str:
    """A shell script that ends an impairment. It does nothing if there is none."""
    return "".join(f"tc -n cables qdisc delete dev {device} root 2>/dev/null\n" for device in (f"vec{index}", f"far{index}")) + "exit 0\n"
