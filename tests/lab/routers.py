"""The state of the lab's routers, by FRR and the kernel."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal import NODES, Lab


@dataclass(frozen=True)
class Adjacency:
    """An adjacency's state, and the time since when it has it, in seconds since the node's boot."""

    state: str
    since_s: float


def neighbours(lab: Lab, node: str) -> dict[str, Adjacency]:
    """{interface: its adjacency}, as FRR reports it."""
    output, _, clock = lab.sh(node, "vtysh -c 'show ip ospf neighbor json'; cat /proc/uptime").strip().rpartition("\n")
    now_s, rows = float(clock.split()[0]), json.loads(output).get("neighbors", {})
    return {
        one["ifaceName"].split(":")[0]: Adjacency(one["nbrState"].split("/")[0], now_s - one["upTimeInMsec"] / 1000)
        for each in rows.values()
        for one in each
    }


def kept(lab: Lab, node: str, up: dict[str, Adjacency]) -> set[str]:
    """The interfaces that still have the adjacency of `up`. A new adjacency began later, by more than the duration of the query."""
    now = neighbours(lab, node)
    return {port for port, was in up.items() if port in now and now[port].state == "Full" and now[port].since_s < was.since_s + 1}


def routes(lab: Lab, node: str) -> dict[str, str]:
    """{loopback: interface} of the kernel's host routes from OSPF."""
    rows = json.loads(lab.sh(node, "ip -j route show proto ospf"))
    return {row["dst"]: row["dev"] for row in rows if "/" not in row["dst"] and "dev" in row}


def full(lab: Lab, nodes: Iterable[str] = NODES) -> bool:
    """Whether every adjacency is full."""
    return all(sorted(one.state for one in neighbours(lab, node).values()) == ["Full"] * 4 for node in nodes)


def watched(lab: Lab, nodes: Iterable[str] = NODES) -> bool:
    """Whether every adjacency is full and its BFD session is up, which takes seconds longer: only then can BFD end an adjacency."""
    sessions = {node: json.loads(lab.sh(node, "vtysh -c 'show bfd peers json'")) for node in nodes}
    return full(lab, nodes) and all([one["status"] for one in rows] == ["up"] * 4 for rows in sessions.values())


def converged(lab: Lab) -> bool:
    """Whether every adjacency is full and every node has a route to both other loopbacks. After a restart, routes appear later."""
    return full(lab) and all(len(routes(lab, node)) == 2 for node in NODES)
