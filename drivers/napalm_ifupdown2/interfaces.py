"""Links and addresses from `ip`, as NAPALM's models. Pure: texts in, dictionaries out."""

import json
from typing import Any

from napalm.base import models

LINKS = "ip -j -d link show"
ADDRESSES = "ip -j addr show"
COUNTERS = "ip -j -s -s link show"
# Reading the speed of a link without carrier is an error, so the exit code is meaningless here.
SPEEDS = "grep -sH . /sys/class/net/*/speed || true"
# NAPALM's value for what the kernel does not count or know.
UNKNOWN = -1


def kind(link: dict[str, Any]) -> str:
    """The kind of a link: `bond`, `bridge`, `vlan`, `vrf`; empty for a port."""
    return str(link.get("linkinfo", {}).get("info_kind", ""))


def interfaces(links: str, speeds: str) -> dict[str, models.InterfaceDict]:
    """get_interfaces: an unknown speed is -1, and so is the last flap, whose time the kernel does not keep."""
    mbit = {path.split("/")[4]: float(value) for path, _, value in (line.rpartition(":") for line in speeds.splitlines())}
    return {
        link["ifname"]: {
            "is_up": "LOWER_UP" in link["flags"],
            "is_enabled": "UP" in link["flags"],
            "description": link.get("ifalias", ""),
            "last_flapped": float(UNKNOWN),
            "mtu": link["mtu"],
            "speed": mbit.get(link["ifname"], float(UNKNOWN)),
            "mac_address": link["address"].upper() if link.get("link_type") == "ether" else "",
        }
        for link in json.loads(links)
    }


def addresses(text: str) -> dict[str, models.InterfacesIPDict]:
    """get_interfaces_ip: interfaces with an address, including link-local ones."""
    found: dict[str, models.InterfacesIPDict] = {}
    for link in json.loads(text):
        for entry in link["addr_info"]:
            families = found.setdefault(link["ifname"], {})
            of_family = families.setdefault("ipv4", {}) if entry["family"] == "inet" else families.setdefault("ipv6", {})
            of_family[entry["local"]] = {"prefix_length": entry["prefixlen"]}
    return found


def counters(text: str) -> dict[str, models.InterfaceCounterDict]:
    """get_interfaces_counters: the kernel counts only received multicast separately. So unicast includes broadcast; the rest is -1."""
    found: dict[str, models.InterfaceCounterDict] = {}
    for link in json.loads(text):
        rx, tx = link["stats64"]["rx"], link["stats64"]["tx"]
        found[link["ifname"]] = {
            "tx_errors": tx["errors"],
            "rx_errors": rx["errors"],
            "tx_discards": tx["dropped"],
            "rx_discards": rx["dropped"],
            "tx_octets": tx["bytes"],
            "rx_octets": rx["bytes"],
            "tx_unicast_packets": tx["packets"],
            "rx_unicast_packets": rx["packets"] - rx["multicast"],
            "tx_multicast_packets": UNKNOWN,
            "rx_multicast_packets": rx["multicast"],
            "tx_broadcast_packets": UNKNOWN,
            "rx_broadcast_packets": UNKNOWN,
        }
    return found


def vlans(table: str, links: str) -> dict[int, models.VlanDict]:
    """get_vlans: the VLANs of bridges that filter by VLAN (other bridges ignore their table), and of VLAN interfaces."""
    rows = json.loads(links)
    filtering = {row["ifname"] for row in rows if row.get("linkinfo", {}).get("info_data", {}).get("vlan_filtering")}
    counted = filtering | {row["ifname"] for row in rows if row.get("master") in filtering}
    found: dict[int, list[str]] = {}
    for row in json.loads(table):
        for entry in row["vlans"] if row["ifname"] in counted else ():
            for vlan in range(entry["vlan"], entry.get("vlanEnd", entry["vlan"]) + 1):
                found.setdefault(vlan, []).append(row["ifname"])
    for row in rows:
        if kind(row) == "vlan":
            found.setdefault(row["linkinfo"]["info_data"]["id"], []).append(row["ifname"])
    return {vlan: {"name": f"vlan{vlan}", "interfaces": names} for vlan, names in sorted(found.items())}


def vrf_of(links: str) -> dict[str, str]:
    """{interface: its VRF}, "default" for one in none. A bridge's port is in the bridge's VRF."""
    rows = {row["ifname"]: row for row in json.loads(links)}
    found = {}
    for name, row in rows.items():
        while kind(row) != "vrf" and row.get("master") in rows:
            row = rows[row["master"]]  # noqa: PLW2901 (it goes up to the master)
        found[name] = row["ifname"] if kind(row) == "vrf" else "default"
    return found


def network_instances(links: str, name: str) -> dict[str, models.NetworkInstanceDict]:
    """get_network_instances: the default instance and the VRFs, all or the named one."""
    members: dict[str, dict[str, dict[str, str]]] = {"default": {}}
    members |= {row["ifname"]: {} for row in json.loads(links) if kind(row) == "vrf"}
    for interface, vrf in vrf_of(links).items():
        if interface != vrf:
            members[vrf][interface] = {}
    return {
        vrf: {
            "name": vrf,
            "type": "DEFAULT_INSTANCE" if vrf == "default" else "L3VRF",
            "state": {"route_distinguisher": ""},
            "interfaces": {"interface": interfaces_},
        }
        for vrf, interfaces_ in members.items()
        if name in ("", vrf)
    }
