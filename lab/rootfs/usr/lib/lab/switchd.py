# ruff: noqa: INP001, PTH110, PTH112, PTH116, PTH118, PTH123, PTH208 - runs by itself in a machine that boots: no module that is not needed
"""A switch's firmware: a channel's port without a LACP partner is suspended, as vendors' switches do.

A channel is a bond in 802.3ad mode that is a port of a bridge; suspended means that the bridge neither takes nor sends on it, while LACP,
which runs below the bridge, goes on. A channel whose stanza says `bond-lacp-bypass-allow yes` falls back to working as a plain port.
While /etc/lab/no-suspend exists, nothing is suspended.

A switch has one MAC for good.

Frames of protocols between neighbours (LACP, LLDP) teach no addresses, as on a switch that traps them: a Linux bridge learns from them,
and takes a node in LACP for reachable through whichever of its ports spoke last.
"""

import os
import subprocess
import time
from collections.abc import Iterator

NETWORK = "/sys/class/net"
INTERFACES = "/etc/network/interfaces"
SWITCHED_OFF = "/etc/lab/no-suspend"
FALLBACK = "bond-lacp-bypass-allow"
POLL_S = 0.2
NOBODY = "00:00:00:00:00:00"
# linux/if_bridge.h. Blocking would not do: without spanning tree the kernel lifts it whenever any port of the bridge comes or goes.
DISABLED, FORWARDING = "0", "3"


def read(*path: str) -> str:
    """A file's text without its end of line, empty where there is none."""
    try:
        with open(os.path.join(*path)) as file:
            return file.read().strip()
    except OSError:
        return ""


class Fallbacks:
    """The channels that work without a partner, as the interfaces file says; read again when that changes."""

    def __init__(self) -> None:
        self.stamp = (0, 0, 0)
        self.names: frozenset[str] = frozenset()

    def now(self) -> frozenset[str]:
        """The names of those channels."""
        try:
            stat = os.stat(INTERFACES)
        except OSError:
            return self.names
        stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
        if stamp != self.stamp:
            self.stamp = stamp
            self.names = frozenset(parse(read(INTERFACES)))
        return self.names


def parse(text: str) -> Iterator[str]:
    """The names of the stanzas that allow a fallback."""
    name = ""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "iface":
            name = words[1]
        elif len(words) > 1 and words[0] == FALLBACK and words[1] in ("yes", "on", "1"):
            yield name


def wanted(channel: str, fallbacks: frozenset[str]) -> str:
    """The state that the bridge's port should have."""
    if read(NETWORK, channel, "bonding/ad_partner_mac") != NOBODY or channel in fallbacks or os.path.exists(SWITCHED_OFF):
        return FORWARDING
    return DISABLED


def trap(bridge: str) -> None:
    """Let a bridge learn nothing from frames to link-local addresses."""
    switch = os.path.join(NETWORK, bridge, "bridge/no_linklocal_learn")
    if read(switch) == "0":
        with open(switch, "w") as file:
            file.write("1")


def keep_mac(bridge: str) -> None:
    """Give a bridge the switch's one MAC: by itself it takes the lowest of its ports, and changes it when a channel takes one."""
    identity = read("/etc/machine-id")
    if not os.path.isdir(os.path.join(NETWORK, bridge, "bridge")) or len(identity) < 10:
        return
    mac = ":".join(["02", *(identity[place : place + 2] for place in range(0, 10, 2))])
    if read(NETWORK, bridge, "address") != mac:
        subprocess.run(["ip", "link", "set", "dev", bridge, "address", mac], check=False)


def look(fallbacks: frozenset[str]) -> None:
    """Bring the ports of all channels to their state."""
    for channel in os.listdir(NETWORK):
        trap(channel)
        keep_mac(channel)
        folder = os.path.join(NETWORK, channel)
        if not os.path.isdir(os.path.join(folder, "bonding")) or not read(folder, "bonding/mode").startswith("802.3ad"):
            continue
        state = read(folder, "brport/state")
        # A port without carrier is disabled by the kernel, which enables it itself.
        if state and read(folder, "carrier") == "1" and state != (want := wanted(channel, fallbacks)):
            done = subprocess.run(["bridge", "link", "set", "dev", channel, "state", want], capture_output=True, text=True, check=False)
            word = "suspended" if want == DISABLED else "forwarding"
            print(f"{channel}: {done.stderr.strip() or word}", flush=True)


def main() -> None:
    """Look, for ever."""
    fallbacks = Fallbacks()
    while True:
        look(fallbacks.now())
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
