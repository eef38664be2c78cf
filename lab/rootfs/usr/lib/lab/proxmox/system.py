"""The node's name and addresses, and the system's tools."""

import json
import socket
import subprocess
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from .options import PveError


def node() -> str:
    """The name of this node."""
    return socket.gethostname().partition(".")[0]


def run(*words: str | Path, stdin: str | None = None) -> None:
    """Run a tool, which inherits standard output and standard error.

    Raises:
        PveError: The tool failed.
    """
    command = " ".join(str(word) for word in words)
    done = subprocess.run([str(word) for word in words], check=False, input=stdin, text=True)
    if done.returncode:
        raise PveError(f"command '{command}' failed: exit code {done.returncode}")


def output(*words: str | Path) -> str:
    """The standard output of a tool.

    Raises:
        PveError: The tool failed. The message contains its standard error.
    """
    done = subprocess.run([str(word) for word in words], check=False, capture_output=True, text=True)
    if done.returncode:
        raise PveError(f"command '{' '.join(str(word) for word in words)}' failed: {done.stderr.strip()}")
    return done.stdout


def addresses() -> list[IPv4Address]:
    """The addresses of this node's interfaces that are up, except 127.0.0.0/8."""
    links: list[dict[str, Any]] = json.loads(output("ip", "-4", "-j", "address", "show", "up"))
    found = [IPv4Address(info["local"]) for link in links for info in link.get("addr_info", ())]
    return [address for address in dict.fromkeys(found) if not address.is_loopback]


def addresses_in(network: str) -> list[IPv4Address]:
    """The node's addresses in a network, which may be written with host bits."""
    return [address for address in addresses() if address in IPv4Network(network, strict=False)]


def own_address() -> IPv4Address:
    """The address that this node's name resolves to."""
    return IPv4Address(socket.gethostbyname(node()))
