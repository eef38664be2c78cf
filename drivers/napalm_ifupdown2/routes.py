"""The kernel's routes as NAPALM's model. Pure."""

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

from napalm.base import models

from napalm_ifupdown2.interfaces import UNKNOWN, kind

# Who made a route, where NAPALM's users have another word for it than the kernel.
PROTOCOLS = {"kernel": "connected", "boot": "static"}
WHOLE = {4: "0.0.0.0/0", 6: "::/0"}


def commands(destination: str, *, longer: bool) -> list[str]:
    """What to ask the kernel, IPv4 first. Raises ValueError for a destination that is no address or prefix."""
    if not destination:
        return [f"ip -j -d -{version} route show table all" for version in WHOLE]
    prefix = ipaddress.ip_network(destination, strict=False)
    selector = "root" if longer else "match"
    return [
        f"ip -j -d -{version} route show table all {selector} {prefix}" if version == prefix.version else "echo '[]'" for version in WHOLE
    ]


def routes_to(answers: list[str], links: str, destination: str, protocol: str, *, longer: bool) -> dict[str, list[models.RouteDict]]:
    """get_route_to: without `longer` the best match in each table; the kernel keeps no age, and of a route's standing its metric alone."""
    tables = {str(row["linkinfo"]["info_data"]["table"]): row["ifname"] for row in json.loads(links) if kind(row) == "vrf"}
    rows = [
        (prefix_of(route, version), route)
        for version, text in zip(WHOLE, answers, strict=True)
        for route in json.loads(text)
        if route.get("type", "unicast") == "unicast"
    ]
    if destination and not longer:
        best = {table: max(p.prefixlen for p, route in rows if route.get("table") == table) for table in {r.get("table") for _, r in rows}}
        rows = [(prefix, route) for prefix, route in rows if prefix.prefixlen == best[route.get("table")]]
    found: dict[str, list[models.RouteDict]] = {}
    for prefix, route in rows:
        name = _protocol(route)
        if protocol.lower() in ("", name):
            table = str(route.get("table", "main"))
            found.setdefault(str(prefix), []).extend(_hops(route, name, tables.get(table, "default" if table == "main" else table)))
    return found


def prefix_of(route: dict[str, Any], version: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The prefix of a route as the kernel writes it: `default`, an address alone, or a prefix."""
    return ipaddress.ip_network(WHOLE[version] if route["dst"] == "default" else route["dst"], strict=False)


def _protocol(route: dict[str, Any]) -> str:
    """ifupdown2 writes its gateways as the kernel's own routes, and those are no connected networks."""
    said = str(route.get("protocol", ""))
    return "static" if said == "kernel" and "gateway" in route else PROTOCOLS.get(said, said)


def _hops(route: dict[str, Any], protocol: str, table: str) -> Iterator[models.RouteDict]:
    for hop in route.get("nexthops") or [route]:
        yield {
            "protocol": protocol,
            "current_active": True,
            "last_active": True,
            "age": UNKNOWN,
            # A next hop of the other family (RFC 8950) stands under `via`.
            "next_hop": hop.get("gateway") or hop.get("via", {}).get("host", ""),
            "outgoing_interface": hop.get("dev", ""),
            "selected_next_hop": not {"dead", "linkdown"} & set(hop.get("flags", ())),
            "preference": route.get("metric", 0),
            "inactive_reason": "",
            "routing_table": table,
            "protocol_attributes": {},
        }
