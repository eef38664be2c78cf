"""Rules that give every port its MAC and every address of the lab its place on this machine's loopback."""

import hashlib
from ipaddress import IPv4Address

from lab.settings import RELAYED_PORTS


def mac_of(host: str, port: str) -> str:
    """The MAC of HOST:PORT: the same in every run, and locally administered."""
    digest = hashlib.sha256(f"{host}:{port}".encode()).digest()
    return ":".join(f"{byte:02x}" for byte in (0x02, *digest[:5]))


def on_loopback(address: IPv4Address) -> IPv4Address:
    """Where an address of the lab is reached from outside: its first octet becomes 127."""
    return IPv4Address(bytes((127, *address.packed[1:])))


def relays_of(address: IPv4Address) -> dict[str, str]:
    """Listening ADDRESS:PORT on loopback -> ADDRESS:PORT in the lab, for every relayed port."""
    return {f"{on_loopback(address)}:{outside}": f"{address}:{inside}" for inside, outside in RELAYED_PORTS.items()}
