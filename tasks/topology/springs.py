"""Layouts by distance: networkx finds start layouts and paths through the graph, stress majorization sets the lengths in pixels.

The method is that of Gansner, Koren and North, "Graph drawing by stress majorization" (2004).
"""

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from tasks.topology.geometry import Box, Point

ROUNDS, THREAD_PX = 60, 260.0
TIED = 6.0  # the weight of a cable's length, relative to the distance of two hosts without a cable
PASSING = 0.85  # hosts on different sides of a third one are a little closer than the path through it


def drafts(sizes: Mapping[str, tuple[float, float]], ties: Mapping[tuple[str, str], float], seeds: int) -> Iterator[dict[str, Point]]:
    """One layout for each seed; `ties` has the wanted length of each cable between the borders of its two boxes."""
    import networkx as nx  # noqa: PLC0415 (start-up)

    graph = nx.Graph()
    graph.add_nodes_from(sizes)
    spans = {pair: length + _span(sizes, pair, math.pi / 5) for pair, length in ties.items() if pair[0] != pair[1]}
    graph.add_weighted_edges_from((*pair, span) for pair, span in spans.items())
    parts = sorted(min(part) for part in nx.connected_components(graph))
    graph.add_weighted_edges_from((*pair, THREAD_PX) for pair in pairwise(parts))
    ways = dict(nx.all_pairs_dijkstra_path_length(graph))
    for seed in range(seeds):
        begin = nx.spring_layout(graph, seed=seed, iterations=60, weight=None)
        yield _true_lengths(sizes, ties, ways, begin)


def _span(sizes: Mapping[str, tuple[float, float]], pair: tuple[str, str], angle: float) -> float:
    """The length of a line between two centres that their boxes cover."""
    return sum(Box(0, 0, *sizes[name]).reach(angle) for name in pair)


def _true_lengths(
    sizes: Mapping[str, tuple[float, float]], ties: Mapping[tuple[str, str], float], ways: Any, begin: Any
) -> dict[str, Point]:
    """A layout whose distances are as close to the wanted ones as a plane allows."""
    import numpy as np  # noqa: PLC0415 (start-up)

    names = list(sizes)
    index = {name: place for place, name in enumerate(names)}
    wanted = np.array([[PASSING * ways[one][other] for other in names] for one in names]) + np.eye(len(names))
    weights = wanted**-2.0 * (1 - np.eye(len(names)))
    here = np.array([begin[name] for name in names]) * wanted.max() / 2
    for pair in ties:
        one, other = (index[name] for name in pair)
        weights[one, other] = weights[other, one] = TIED * weights[one, other]
    solve = np.linalg.pinv(np.diag(weights.sum(axis=1)) - weights)
    for _ in range(ROUNDS):
        for pair, length in ties.items():
            one, other = (index[name] for name in pair)
            angle = math.atan2(*(here[other] - here[one])[::-1])
            wanted[one, other] = wanted[other, one] = length + _span(sizes, pair, angle)
        distances = np.maximum(np.linalg.norm(here[:, None] - here[None, :], axis=2), 1e-6)
        pull = weights * wanted / distances
        here = solve @ (np.diag(pull.sum(axis=1)) - pull) @ here
    return {name: (round(float(x), 1), round(float(y), 1)) for name, (x, y) in zip(names, here, strict=True)}
