"""Derives the MAC address of every port, and the loopback address of this machine for every address in the lab."""

import hashlib
from ipaddress import IPv4Address

from lab.settings import RELAYED_PORTS


def mac_of(host: str, port: str) -> str:
    """The MAC address of HOST:PORT: constant, and locally administered."""
    digest = hashlib.sha256(f"{host}:{port}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def on_loopback(address: IPv4Address) -> IPv4Address:
    """The address on this machine's loopback for an address in the lab: the first octet becomes 127."""
    return IPv4Address(bytes((127, *address.packed[1:])))


def relays_of(address: IPv4Address) -> dict[str, str]:
    """{listening ADDRESS:PORT on loopback: ADDRESS:PORT in the lab} for every relayed port."""
    return {f"{on_loopback(address)}:{outside}": f"{address}:{inside}" for inside, outside in RELAYED_PORTS.items()}
