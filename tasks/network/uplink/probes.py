"""Probes of full size over uplinks: from a bridge's address to that of the bridge at the other end, if the inventory sets the MTU."""

from collections.abc import Iterator
from dataclasses import dataclass

from inventory.site import Site
from tasks.core.model.fact import Fact

# IPv4 and ICMP.
HEADERS_BYTES = 28


@dataclass(frozen=True)
class ProbePath:
    """A bond or single port with the host behind it: both bridges have an address in one subnet, and the path has an MTU of `mtu_bytes`."""

    name: str
    far_host: str
    address: str
    mtu_bytes: int


def probe_paths(site: Site, host: str) -> Iterator[ProbePath]:
    """The bonds and ports that a host probes: those in its bridge with an MTU in the inventory. An unmanaged switch may not answer."""
    own = site.hosts[host]
    for name, mtu_bytes in site.bridged(host).items():
        bond = next((one for one in own.bonds if one.name == name), None)
        peer = site.peer(host, name)
        far_host = bond.peer_host if bond else peer.host if peer else ""
        if mtu_bytes is None or far_host not in site.hosts:
            continue
        far = site.hosts[far_host]
        behind_a_router = peer is not None and far.ports[peer.port].address is not None
        if far.managed and far.address.network == own.address.network and not behind_a_router:
            yield ProbePath(name, far_host, str(far.address.ip), mtu_bytes)


def neighbour(site: Site, host: str) -> ProbePath | None:
    """The next node of the same subnet with the same uplink MTU: the nodes probe each other in a ring. None without another such node."""
    nodes = [one for one in site.members_of("proxmox") if one.address.network == site.hosts[host].address.network]
    sizes = {node.name: max((bond.mtu_bytes or 0 for bond in node.bonds), default=0) for node in nodes}
    ring = [node for node in nodes if sizes[node.name] and sizes[node.name] == sizes.get(host)]
    names = [node.name for node in ring]
    if len(ring) < 2 or host not in names:
        return None
    far = ring[(names.index(host) + 1) % len(ring)]
    return ProbePath("", far.name, str(far.address.ip), sizes[host])


@dataclass(frozen=True)
class Sent:
    """One packet with the DF bit, and whether the other end answered."""

    address: str
    mtu_bytes: int
    answered: bool


def _script(site: Site, host: str) -> str:
    """`-M probe` ignores the path MTU that the kernel has cached. One lost packet proves nothing, so the script sends a second."""
    asked = [*probe_paths(site, host), *([far] if (far := neighbour(site, host)) else [])]
    holder = site.hosts[host].management
    pairs = dict.fromkeys((path.address, path.mtu_bytes) for path in asked)
    if not pairs:
        return ""
    lines = (f"probe {address} {mtu_bytes} {mtu_bytes - HEADERS_BYTES} &" for address, mtu_bytes in pairs)
    return "\n".join(
        (
            f'ask() {{ ping -nq -c 1 -W 1 -M probe -s "$2" -I {holder} "$1" >/dev/null 2>&1; }}',
            'probe() { { ask "$1" "$3" || ask "$1" "$3"; } && answer=yes || answer=no; echo "$1 $2 $answer"; }',
            f"{{ {' '.join(lines)} wait; }} | sort",
        )
    )


def _sent(output: str) -> tuple[Sent, ...]:
    rows = (line.split() for line in output.splitlines())
    return tuple(Sent(address, int(mtu_bytes), answer == "yes") for address, mtu_bytes, answer in rows)


UPLINK_PROBES: Fact[tuple[Sent, ...]] = Fact("uplink_probes", "pings of full size over the uplink", _sent, of_site=_script)
