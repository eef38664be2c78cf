"""What a bad cable does to its frames: loss and delay, by the kernel's netem, in a machine at one of its ends."""

import re
from dataclasses import asdict, dataclass
from typing import Any, Final

from lab.blueprint import MachinePlan

# What waits in one direction at most: enough that nothing is dropped but by chance, little enough for a machine's memory.
WAITING_BYTES: Final = 16 << 20
UNITS_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0}
LONGEST_MS: Final = 10_000
WHOLE: Final = 100


@dataclass(frozen=True)
class Impairment:
    """What happens to every frame of a cable, in each direction by itself."""

    loss_percent: float = 0
    delay_ms: float = 0

    @property
    def is_none(self) -> bool:
        """Whether frames pass as they come."""
        return not (self.loss_percent or self.delay_ms)

    @property
    def words(self) -> str:
        """For people."""
        parts = [f"{self.loss_percent:g}% loss"] if self.loss_percent else []
        parts += [f"{self.delay_ms:g} ms delay"] if self.delay_ms else []
        return ", ".join(parts) or "nothing"

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


def parse_loss(text: str) -> float:
    """`5%` as 5. Raises ValueError with what was wanted."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)%", text)
    if not found or not 0 < float(found[1]) <= WHOLE:
        raise ValueError(f"wanted a share of the frames, as in 5%; got {text!r}")
    return float(found[1])


def parse_time(text: str) -> float:
    """`20ms` as 20. Raises ValueError with what was wanted."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(us|ms|s)", text)
    if not found or not float(found[1]):
        raise ValueError(f"wanted a time, as in 20ms or 10s; got {text!r}")
    return float(found[1]) * UNITS_MS[found[2]]


def parse_delay(text: str) -> float:
    """`20ms` as 20, and no longer than netem is of use. Raises ValueError with what was wanted."""
    delay_ms = parse_time(text)
    if delay_ms > LONGEST_MS:
        raise ValueError(f"wanted a time up to {LONGEST_MS / 1000:g}s, as in 20ms; got {text!r}")
    return delay_ms


def netem_batch(machine: MachinePlan, index: int, impairment: Impairment) -> str:
    """`tc` commands that impair a cable in both directions: what goes out at the vector device, what comes in at the far end."""
    # Netem drops what is over its limit, and keeps the order of frames as long as all of them wait equally long.
    words = f"limit {WAITING_BYTES // machine.ports[index].mtu_bytes}"
    if impairment.delay_ms:
        words += f" delay {impairment.delay_ms:g}ms"
    if impairment.loss_percent:
        words += f" loss {impairment.loss_percent:g}%"
    return "".join(f"qdisc replace dev {device} root netem {words}\n" for device in (f"vec{index}", f"far{index}"))


def lifting(index: int) -> str:
    """A shell script that lifts it; where there is nothing to lift it does nothing."""
    return "".join(f"tc -n cables qdisc delete dev {device} root 2>/dev/null\n" for device in (f"vec{index}", f"far{index}")) + "exit 0\n"
