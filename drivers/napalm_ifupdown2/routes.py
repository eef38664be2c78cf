"""The kernel's routes as NAPALM's model, with age and distance of FRR's own routes. Pure."""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from napalm.base import models

from napalm_ifupdown2.interfaces import UNKNOWN, kind

# Protocols that have another name in NAPALM than in the kernel.
PROTOCOLS = {"kernel": "connected", "boot": "static"}
WHOLE = {4: "0.0.0.0/0", 6: "::/0"}
FRR = {4: "show ip route", 6: "show ipv6 route"}
# FRR's formats of a time: 01:02:03, 1d02h03m, 01w2d03h (lib/monotime.h, frrtime_to_interval).
CLOCK = re.compile(r"(\d+):(\d\d):(\d\d)")
UNITS_S = {"w": 604800, "d": 86400, "h": 3600, "m": 60}


def commands(destination: str, *, longer: bool) -> list[str]:
    """The commands for the kernel's routes, IPv4 first. Raises ValueError for a destination that is no address or prefix."""
    if not destination:
        return [f"ip -j -d -{version} route show table all" for version in WHOLE]
    prefix = ipaddress.ip_network(destination, strict=False)
    selector = "root" if longer else "match"
    return [
        f"ip -j -d -{version} route show table all {selector} {prefix}" if version == prefix.version else "echo '[]'" for version in WHOLE
    ]


def frr_command(destination: str, *, longer: bool) -> str:
    """The command for FRR's routes, if it is installed. Raises ValueError for a destination that is no address or prefix."""
    if not destination:
        shows = [f"{show} json" for show in FRR.values()]
    else:
        prefix = ipaddress.ip_network(destination, strict=False)
        single = prefix.prefixlen == prefix.max_prefixlen and not longer
        shows = [f"{FRR[prefix.version]} {prefix.network_address if single else prefix}{' longer-prefixes' if longer else ''} json"]
    return " ".join(["vtysh", *(f"-c '{one}'" for one in shows), "2>/dev/null || true"])


def _frr_routes(text: str) -> dict[tuple[str, str], dict[str, Any]]:
    """{(prefix, protocol): route} of the routes that FRR has selected, from its consecutive JSON documents."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    decoder, place = json.JSONDecoder(), text.find("{")
    while place >= 0:
        document, place = decoder.raw_decode(text, place)
        place = text.find("{", place)
        rows = ((prefix, row) for prefix, several in document.items() for row in several if row.get("selected"))
        found |= {(prefix, row["protocol"]): row for prefix, row in rows}
    return found


def seconds(time: str) -> int:
    """A time in FRR's format, in seconds."""
    if clock := CLOCK.fullmatch(time):
        hours, minutes, rest = (int(part) for part in clock.groups())
        return hours * 3600 + minutes * 60 + rest
    return sum(int(count) * UNITS_S[unit] for count, unit in re.findall(r"(\d+)([wdhm])", time))


def routes_to(
    answers: list[str], frr: str, links: str, destination: str, protocol: str, *, longer: bool
) -> dict[str, list[models.RouteDict]]:
    """get_route_to: without `longer`, the best match in each table.

    A route of FRR in the main table has an age and a distance. For other routes, the kernel has no age, and only a metric.
    """
    known = _frr_routes(frr)
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
            made = known.get((str(prefix), name), {}) if table == "main" else {}
            found.setdefault(str(prefix), []).extend(_hops(route, name, tables.get(table, "default" if table == "main" else table), made))
    return found


def prefix_of(route: dict[str, Any], version: int) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """The prefix of a route in the kernel's format: `default`, a single address, or a prefix."""
    return ipaddress.ip_network(WHOLE[version] if route["dst"] == "default" else route["dst"], strict=False)


def _protocol(route: dict[str, Any]) -> str:
    """The route's protocol. ifupdown2 adds its gateways with the protocol `kernel`, but those are no connected networks."""
    name = str(route.get("protocol", ""))
    return "static" if name == "kernel" and "gateway" in route else PROTOCOLS.get(name, name)


def _hops(route: dict[str, Any], protocol: str, table: str, made: Mapping[str, Any]) -> Iterator[models.RouteDict]:
    for hop in route.get("nexthops") or [route]:
        yield {
            "protocol": protocol,
            "current_active": True,
            "last_active": True,
            "age": seconds(made["uptime"]) if made else UNKNOWN,
            # A next hop of the other family (RFC 8950) is under `via`.
            "next_hop": hop.get("gateway") or hop.get("via", {}).get("host", ""),
            "outgoing_interface": hop.get("dev", ""),
            "selected_next_hop": not {"dead", "linkdown"} & set(hop.get("flags", ())),
            "preference": made["distance"] if made else route.get("metric", 0),
            "inactive_reason": "",
            "routing_table": table,
            "protocol_attributes": {},
        }
