# ruff: noqa: INP001, PTH110, PTH112, PTH116, PTH118, PTH123, PTH208 - runs by itself in a machine that boots: no module that is not needed
"""A switch's firmware: suspends a LAG without a LACP partner, as vendors' switches do.

A LAG is a bond in 802.3ad mode that is a port of a bridge. While it is suspended, the bridge neither receives nor sends on it, but LACP,
which runs below the bridge, continues. A LAG with `bond-lacp-bypass-allow yes` in its stanza works as a plain port instead.
While /etc/lab/no-suspend exists, no LAG is suspended.

The MAC address of a switch never changes.

The bridge learns no addresses from LACP and LLDP frames, like a switch that traps them. By default a Linux bridge learns from them, and
then forwards to a node in a LAG through the port that last received such a frame.
"""

import os
import subprocess
import time
from collections.abc import Iterator

NETWORK = "/sys/class/net"
INTERFACES = "/etc/network/interfaces"
NO_SUSPEND = "/etc/lab/no-suspend"
FALLBACK = "bond-lacp-bypass-allow"
POLL_S = 0.2
NO_PARTNER = "00:00:00:00:00:00"
# linux/if_bridge.h. Blocking does not last: without spanning tree, the kernel clears it when any port of the bridge comes or goes.
DISABLED, FORWARDING = "0", "3"


def read(*path: str) -> str:
    """A file's text without its final newline, empty if there is no file."""
    try:
        with open(os.path.join(*path)) as file:
            return file.read().strip()
    except OSError:
        return ""


class Fallbacks:
    """The LAGs that work without a partner, by the interfaces file, which is read again when it changes."""

    def __init__(self) -> None:
        self.stamp = (0, 0, 0)
        self.names: frozenset[str] = frozenset()

    def now(self) -> frozenset[str]:
        """The current names of these LAGs."""
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
    """The names of stanzas that allow a fallback."""
    name = ""
    for line in text.splitlines():
        words = line.split()
        if len(words) > 1 and words[0] == "iface":
            name = words[1]
        elif len(words) > 1 and words[0] == FALLBACK and words[1] in ("yes", "on", "1"):
            yield name


def wanted(lag: str, fallbacks: frozenset[str]) -> str:
    """The intended state of a bridge port."""
    if read(NETWORK, lag, "bonding/ad_partner_mac") != NO_PARTNER or lag in fallbacks or os.path.exists(NO_SUSPEND):
        return FORWARDING
    return DISABLED


def trap(bridge: str) -> None:
    """Disable a bridge's learning from frames to link-local addresses."""
    switch = os.path.join(NETWORK, bridge, "bridge/no_linklocal_learn")
    if read(switch) == "0":
        with open(switch, "w") as file:
            file.write("1")


def keep_mac(bridge: str) -> None:
    """Set a bridge's MAC address to the switch's. By default it is the lowest of its ports', and changes when a port joins a LAG."""
    identity = read("/etc/machine-id")
    if not os.path.isdir(os.path.join(NETWORK, bridge, "bridge")) or len(identity) < 10:
        return
    mac = ":".join(["02", *(identity[place : place + 2] for place in range(0, 10, 2))])
    if read(NETWORK, bridge, "address") != mac:
        subprocess.run(["ip", "link", "set", "dev", bridge, "address", mac], check=False)


def update(fallbacks: frozenset[str]) -> None:
    """Set the bridge port state of all LAGs."""
    for lag in os.listdir(NETWORK):
        trap(lag)
        keep_mac(lag)
        folder = os.path.join(NETWORK, lag)
        if not os.path.isdir(os.path.join(folder, "bonding")) or not read(folder, "bonding/mode").startswith("802.3ad"):
            continue
        state = read(folder, "brport/state")
        # The kernel disables a port without carrier, and enables it again itself.
        if state and read(folder, "carrier") == "1" and state != (want := wanted(lag, fallbacks)):
            done = subprocess.run(["bridge", "link", "set", "dev", lag, "state", want], capture_output=True, text=True, check=False)
            text = "suspended" if want == DISABLED else "forwarding"
            print(f"{lag}: {done.stderr.strip() or text}", flush=True)


def main() -> None:
    """Check the LAGs every POLL_S seconds, forever."""
    fallbacks = Fallbacks()
    while True:
        update(fallbacks.now())
        time.sleep(POLL_S)


if __name__ == "__main__":
    main()
