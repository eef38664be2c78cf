"""What FRR and the kernel say of the lab's routers."""

import json

from rehearsal import NODES, Lab


def neighbours(lab: Lab, node: str) -> dict[str, tuple[str, int]]:
    """{interface: (state, milliseconds since it is so)} as FRR says it."""
    rows = json.loads(lab.sh(node, "vtysh -c 'show ip ospf neighbor json'")).get("neighbors", {})
    return {one["ifaceName"].split(":")[0]: (one["nbrState"].split("/")[0], one["upTimeInMsec"]) for each in rows.values() for one in each}


def routes(lab: Lab, node: str) -> dict[str, str]:
    """{loopback: interface} of the kernel's host routes by OSPF."""
    rows = json.loads(lab.sh(node, "ip -j route show proto ospf"))
    return {row["dst"]: row["dev"] for row in rows if "/" not in row["dst"] and "dev" in row}


def converged(lab: Lab) -> bool:
    """Every adjacency is full, and every node has a route to both other loopbacks: after a restart routes come later."""
    full = all(sorted(state for state, _ in neighbours(lab, node).values()) == ["Full"] * 4 for node in NODES)
    return full and all(len(routes(lab, node)) == 2 for node in NODES)
