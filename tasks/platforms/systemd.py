"""The states of systemd's units."""

from collections.abc import Callable, Mapping

from inventory.site import Site
from tasks.core.model.fact import Fact

# (ActiveState, UnitFileState) of a unit.
State = tuple[str, str]


def unit_states(name: str, *units: str) -> Fact[Mapping[str, State]]:
    """The fact {unit: its state}."""
    return Fact(name, _command(units), lambda output: _states(units, output))


def unit_state(name: str, unit: str, applies: Callable[[Site, str], bool] = lambda *_: True) -> Fact[State]:
    """The fact of one unit's state, on the hosts to which it applies."""
    command = _command((unit,))
    return Fact(name, command, lambda output: _states((unit,), output)[unit], lambda site, host: command if applies(site, host) else "")


def _command(units: tuple[str, ...]) -> str:
    # `is-enabled` reads the disk; `systemctl show` reports the state from when the unit was loaded.
    return (
        f"for unit in {' '.join(units)}; do systemctl show -p Id,ActiveState $unit;"
        ' echo "UnitFileState=$(systemctl is-enabled $unit 2>/dev/null)"; echo; done'
    )


def _states(units: tuple[str, ...], output: str) -> dict[str, State]:
    """The states from the blocks of `systemctl show`, which has one of an absent unit too. Raises ValueError where one is missing."""
    blocks = [dict(line.split("=", 1) for line in block.splitlines() if "=" in line) for block in output.strip().split("\n\n")]
    found = {block["Id"]: (block["ActiveState"], block["UnitFileState"]) for block in blocks if "Id" in block}
    if missing := [unit for unit in units if unit not in found]:
        raise ValueError(f"systemd tells nothing of {', '.join(missing)}")
    return found
