"""The positions of hosts: the best of many layouts, each turned until switches are above, then improved host by host.

Seeds are fixed, so a site always has the same drawing.
"""

import math
from collections.abc import Iterator
from itertools import combinations

from tasks.topology.cost import Places, Plan, Tie
from tasks.topology.geometry import Point
from tasks.topology.springs import drafts

SEEDS, BEST, TURNS = 36, 6, 16
MANY = 8  # with more hosts, only the three most promising layouts are improved
STEPS_PX = (160, 80, 40, 20, 10)
GRID_PX, SWEEPS = 10, 4
AROUND = tuple((dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy)

__all__ = ["Plan", "Tie", "arrange"]


def arrange(plan: Plan) -> dict[str, Point]:
    """The centre of each host, the leftmost and topmost box at 0."""
    if not plan.sizes:
        return {}
    made = drafts(plan.sizes, {tie.hosts: tie.length_px for tie in plan.ties}, SEEDS if len(plan.sizes) > 2 else 1)
    chosen = sorted(made, key=plan.crossings)[:BEST]
    upright = [min(_all_turns(places), key=plan.total) for places in chosen]
    best = min(
        (_improved(plan, places) for places in sorted(upright, key=plan.total)[: 3 if len(plan.sizes) > MANY else BEST]), key=plan.total
    )
    left, top, _, _ = plan.extent(best)
    return {name: (x - left, y - top) for name, (x, y) in best.items()}


def _all_turns(places: Places) -> Iterator[dict[str, Point]]:
    return (_on_grid(_turned(places, 2 * math.pi * turn / TURNS)) for turn in range(TURNS))


def _turned(places: Places, angle: float) -> dict[str, Point]:
    cos, sin = math.cos(angle), math.sin(angle)
    return {name: (x * cos - y * sin, x * sin + y * cos) for name, (x, y) in places.items()}


def _on_grid(places: Places) -> dict[str, Point]:
    return {name: (round(x / GRID_PX) * GRID_PX, round(y / GRID_PX) * GRID_PX) for name, (x, y) in places.items()}


def _improved(plan: Plan, places: dict[str, Point]) -> dict[str, Point]:
    """Moves one host at a time, in large steps first, and swaps two, as long as the layout becomes better."""
    places = dict(places)
    for step in STEPS_PX:
        for _ in range(SWEEPS):
            moved = [_moved(plan, places, name, step) for name in plan.sizes]
            if not any(moved):
                break
        _swapped(plan, places)
    return places


def _moved(plan: Plan, places: dict[str, Point], name: str, step: int) -> bool:
    """Moves a host to the best position nearby; whether that is a new one."""
    x, y = here = places[name]
    best, least = here, plan.share(places, name)
    for dx, dy in AROUND:
        places[name] = (x + dx * step, y + dy * step)
        cost = plan.share(places, name)
        if cost < least - 1e-6:
            best, least = places[name], cost
    places[name] = best
    return best != here


def _swapped(plan: Plan, places: dict[str, Point]) -> None:
    for one, other in combinations(plan.sizes, 2):
        before = plan.share(places, one) + plan.share(places, other)
        places[one], places[other] = places[other], places[one]
        if plan.share(places, one) + plan.share(places, other) > before - 1e-6:
            places[one], places[other] = places[other], places[one]
