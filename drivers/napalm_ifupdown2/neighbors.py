"""Neighbours on the links: LLDP, ARP, IPv6 neighbours and bridges' address tables, as NAPALM's models. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from napalm.base import models

from napalm_ifupdown2.interfaces import UNKNOWN, vrf_of

# json0 always has lists, for one neighbour as for several.
LLDP = "lldpcli -f json0 show neighbors details"
ARP = "ip -j -s -4 neigh show"
NDP = "ip -j -s -6 neigh show"
FDB = "bridge -j -s fdb show"
VLAN_TABLE = "bridge -j vlan show"
CAPABILITIES = {
    "Wlan": "wlan-access-point",
    "Tel": "telephone",
    "Docsis": "docsis-cable-device",
}


def _first(row: dict[str, Any], key: str) -> str:
    return str(next((item.get("value", "") for item in row.get(key, ())), ""))


def _entries(lldp: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(local port, remote chassis, remote port) of each neighbour."""
    for part in json.loads(lldp, strict=False)["lldp"]:
        for entry in part.get("interface", ()):
            yield entry["name"], next(iter(entry.get("chassis", ())), {}), next(iter(entry.get("port", ())), {})


def lldp_neighbors(lldp: str) -> dict[str, list[models.LLDPNeighborDict]]:
    """get_lldp_neighbors: a neighbour without a name gets its chassis id as name."""
    found: dict[str, list[models.LLDPNeighborDict]] = {}
    for name, chassis, port in _entries(lldp):
        found.setdefault(name, []).append({"hostname": _first(chassis, "name") or _first(chassis, "id"), "port": _first(port, "id")})
    return found


def lldp_neighbors_detail(lldp: str, links: str, interface: str) -> models.LLDPNeighborsDetailDict:
    """get_lldp_neighbors_detail: the parent is the local port's bond."""
    bonds = {row["ifname"]: row["master"] for row in json.loads(links) if row.get("linkinfo", {}).get("info_slave_kind") == "bond"}
    found: models.LLDPNeighborsDetailDict = {}
    for name, chassis, port in _entries(lldp):
        if interface not in ("", name):
            continue
        capabilities = [(CAPABILITIES.get(item["type"], item["type"].lower()), item["enabled"]) for item in chassis.get("capability", ())]
        found.setdefault(name, []).append(
            {
                "parent_interface": bonds.get(name, ""),
                "remote_port": _first(port, "id"),
                "remote_chassis_id": _first(chassis, "id"),
                "remote_port_description": _first(port, "descr"),
                "remote_system_name": _first(chassis, "name"),
                "remote_system_description": _first(chassis, "descr"),
                "remote_system_capab": [word for word, _ in capabilities],
                "remote_system_enable_capab": [word for word, enabled in capabilities if enabled],
            }
        )
    return found


def _known(neighbours: str) -> Iterator[dict[str, Any]]:
    """Entries with a MAC address; an entry without an answer has none."""
    return (entry for entry in json.loads(neighbours) if entry.get("lladdr"))


def arp_table(neighbours: str, links: str, vrf: str) -> list[models.ARPTableDict]:
    """get_arp_table: the age is the seconds since the entry last changed. `default` and `global` mean the entries in no VRF."""
    vrfs = vrf_of(links)
    wanted = "default" if vrf == "global" else vrf
    return [
        {"interface": entry["dev"], "mac": entry["lladdr"].upper(), "ip": entry["dst"], "age": float(entry.get("updated", UNKNOWN))}
        for entry in _known(neighbours)
        if wanted in ("", vrfs.get(entry["dev"], "default"))
    ]


def ipv6_neighbors(neighbours: str) -> list[models.IPV6NeighborDict]:
    """get_ipv6_neighbors_table: the state is the kernel's."""
    return [
        {
            "interface": entry["dev"],
            "mac": entry["lladdr"].upper(),
            "ip": entry["dst"],
            "age": float(entry.get("updated", UNKNOWN)),
            "state": " ".join(entry["state"]),
        }
        for entry in _known(neighbours)
    ]


def mac_address_table(fdb: str) -> list[models.MACAdressTable]:
    """get_mac_address_table: the bridges' forwarding entries. An entry without a VLAN has VLAN 0. The kernel does not count moves."""
    return [
        {
            "mac": entry["mac"].upper(),
            "interface": entry["ifname"],
            "vlan": entry.get("vlan", 0),
            "static": entry["state"] in ("permanent", "static"),
            "active": True,
            "moves": UNKNOWN,
            "last_move": float(UNKNOWN),
        }
        for entry in json.loads(fdb)
        if "master" in entry
    ]
