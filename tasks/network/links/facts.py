"""Facts that the network changes and checks read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from inventory.site import End, Site
from tasks.core.model.fact import Fact
from tasks.platforms.ifupdown2.files import INTERFACES_FACT, STAGED_FACT

NO_PARTNER = "00:00:00:00:00:00"
# IEEE 802.1AX 6.4.2.3: the second bit of a port's state is LACP_Timeout, 1 is short.
SHORT_TIMEOUT = 0x02


@dataclass(frozen=True)
class MemberLive:
    """A bond's port as the kernel sees it."""

    up: bool
    aggregator: int
    system: str
    partner: str
    partner_fast: bool


@dataclass(frozen=True)
class BondLive:
    """A bond as the kernel sees it; `partner` is all zeros while the other end sends no LACP."""

    mode: str
    lacp_rate: str
    hash_policy: str
    aggregator: int
    partner: str
    members: Mapping[str, MemberLive]


@dataclass(frozen=True)
class LinkLive:
    """An interface as `ip -d address` shows it."""

    mac: str
    up: bool
    carrier: bool
    mtu_bytes: int
    master: str | None
    kind: str | None
    addresses: tuple[str, ...]
    most_mtu_bytes: int = 0
    """The largest MTU that its driver allows, 0 if the driver reports none."""
    lower: str | None = None
    """The interface below a VLAN, a macvlan or a vxlan."""
    vlan: int | None = None
    """The VLAN ID of a VLAN interface."""
    altnames: tuple[str, ...] = ()


def _links(output: str) -> dict[str, LinkLive]:
    return {row["ifname"]: _link(row) for row in json.loads(output)}


def _link(row: dict[str, Any]) -> LinkLive:
    flags, info = row["flags"], row.get("linkinfo", {})
    data = info.get("info_data", {})
    return LinkLive(
        mac=row.get("address", ""),
        up="UP" in flags,
        carrier="LOWER_UP" in flags and "NO-CARRIER" not in flags,
        mtu_bytes=row["mtu"],
        master=row.get("master"),
        kind=info.get("info_kind"),
        addresses=tuple(f"{a['local']}/{a['prefixlen']}" for a in row.get("addr_info", []) if a["family"] == "inet"),
        most_mtu_bytes=row.get("max_mtu", 0),
        # `link` of a veth is its other end.
        lower=None if info.get("info_kind") == "veth" else row.get("link") or data.get("link"),
        vlan=data.get("id") if info.get("info_kind") == "vlan" else None,
        altnames=tuple(row.get("altnames", ())),
    )


def _bonds(output: str) -> dict[str, BondLive]:
    texts: dict[str, list[str]] = {}
    for line in output.splitlines():
        path, _, rest = line.partition(":")
        texts.setdefault(path.rsplit("/", 1)[-1], []).append(rest)
    return {name: _bond(lines) for name, lines in texts.items()}


def _bond(lines: list[str]) -> BondLive:
    sections: list[dict[str, str]] = [{}]
    prefix = ""
    for line in lines:
        key, _, value = (part.strip() for part in line.partition(":"))
        if key == "Slave Interface":
            sections.append({})
            prefix = ""
        elif key.startswith("details "):
            prefix = key.split()[1] + " "
        elif key:
            sections[-1].setdefault(prefix + key, value)
    head, members = sections[0], sections[1:]
    return BondLive(
        mode="802.3ad" if "802.3ad" in head["Bonding Mode"] else head["Bonding Mode"],
        lacp_rate=head.get("LACP rate", ""),
        hash_policy=head.get("Transmit Hash Policy", "").split(" ")[0],
        aggregator=int(head.get("Aggregator ID", 0)),
        partner=head.get("Partner Mac Address", NO_PARTNER),
        members={name: _member(one) for name, one in zip(_names(lines), members, strict=True)},
    )


def _names(lines: list[str]) -> list[str]:
    return [line.split(":", 1)[1].strip() for line in lines if line.startswith("Slave Interface:")]


def _member(section: dict[str, str]) -> MemberLive:
    return MemberLive(
        up=section["MII Status"] == "up",
        aggregator=int(section.get("Aggregator ID", 0)),
        system=section.get("actor system mac address", NO_PARTNER),
        partner=section.get("partner system mac address", NO_PARTNER),
        partner_fast=bool(int(section.get("partner port state", 0)) & SHORT_TIMEOUT),
    )


@dataclass(frozen=True)
class LldpNeighbour:
    """A neighbour on a port, by what it sends: its system name or else its chassis id, its port's id and that port's description."""

    name: str
    port: str
    description: str = ""

    def end(self, site: Site) -> End:
        """The cable's end that it is: a host of the site in any case, and the port that the id or else the description names.

        The port id may be a MAC address or a number (IEEE 802.1AB, 8.5.3); then the description holds the port's name.
        """
        host = self.name.lower() if self.name.lower() in site.hosts else self.name
        ports = site.hosts[host].ports if host in site.hosts else {}
        return End(host=host, port=self.description if self.description in ports and self.port not in ports else self.port)


def _neighbours(output: str) -> dict[str, tuple[LldpNeighbour, ...]]:
    """{own port: its neighbours}, in the order in which lldpd lists them."""
    # lldpd does not escape control characters in names, which strict JSON forbids.
    rows = json.loads(output, strict=False).get("lldp", {}).get("interface", []) if output.strip() else []
    found: dict[str, tuple[LldpNeighbour, ...]] = {}
    for row in rows if isinstance(rows, list) else [rows]:
        for port, seen in row.items():
            found[port] = (*found.get(port, ()), _neighbour(seen.get("chassis", {}), seen.get("port", {})))
    return found


def _neighbour(chassis: dict[str, Any], port: dict[str, Any]) -> LldpNeighbour:
    """A chassis stands below its name; one without a name has its fields in that place, and one with an empty name is no better."""
    name, inner = next(iter(chassis.items()), ("", dict[str, Any]()))
    if "value" in chassis.get("id", {}):
        name, inner = "", chassis
    shown = name.split(".")[0] or str(inner.get("id", {}).get("value", "?"))
    return LldpNeighbour(shown, str(port.get("id", {}).get("value", "?")), str(port.get("descr", "")))


def _gateways(output: str) -> tuple[str, ...]:
    """The gateways of the default routes, the preferred one first."""
    rows = sorted(json.loads(output) if output.strip() else [], key=lambda row: row.get("metric", 0))
    return tuple(hop["gateway"] for row in rows for hop in row.get("nexthops", [row]) if "gateway" in hop)


LINKS = Fact("links", "ip -j -d address show", _links)
BONDS = Fact("bonds", "grep -H '' /proc/net/bonding/* 2>/dev/null || true", _bonds)
NEIGHBOURS = Fact("lldp_neighbours", "lldpcli -f json show neighbors 2>/dev/null || true", _neighbours)
GATEWAYS = Fact("default_gateways", "ip -j -4 route show default", _gateways)
INTERFACES, STAGED = INTERFACES_FACT, STAGED_FACT
