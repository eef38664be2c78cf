"""Facts of the routed network: all of FRR in one call, the kernel's routes, link counters, probes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.core.model.fact import Fact

# One vtysh process runs all commands: starting it takes nine tenths of the time. Text output comes first, so that only JSON follows.
SHOWN = (
    *("show daemons", "show running-config", "show ip ospf interface json", "show ip ospf neighbor detail json"),
    *("show bfd peers json", "show ip ospf database router json"),
)
TO_A_ROUTER = "another Router (point-to-point)"
HOST_MASK = "255.255.255.255"


@dataclass(frozen=True)
class OspfPort:
    """An interface in ospfd."""

    area: str
    network_type: str
    cost: int
    hello_ms: int
    dead_s: int
    mtu_bytes: int
    passive: bool


@dataclass(frozen=True)
class Neighbour:
    """A router from which a port receives hellos."""

    port: str
    router_id: str
    address: str
    state: str


@dataclass(frozen=True)
class BfdPeer:
    """A BFD session; the intervals are this end's, those in `remote` the other end's."""

    port: str
    address: str
    status: str
    diagnostic: str
    receive_ms: int
    transmit_ms: int
    multiplier: int
    remote: tuple[int, int, int]


@dataclass(frozen=True)
class RouterLink:
    """A link to another router, from a router's LSA."""

    router: str
    neighbour: str
    cost: int


@dataclass(frozen=True)
class Frr:
    """FRR's state and configuration; empty if it does not run."""

    daemons: frozenset[str]
    configuration: str
    router_id: str
    ports: Mapping[str, OspfPort]
    down: frozenset[str]  # ports with OSPF configured but without carrier, of which FRR shows no more
    neighbours: tuple[Neighbour, ...]
    peers: tuple[BfdPeer, ...]
    links: tuple[RouterLink, ...]
    announced: Mapping[str, tuple[str, ...]]


def _documents(text: str) -> Iterator[Any]:
    """The consecutive JSON documents in a text; lines between them are skipped."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        try:
            document, place = decoder.raw_decode(text, place)
            yield document
        except json.JSONDecodeError:
            place = text.find("\n", place)
            if place < 0:
                return
        while place < len(text) and text[place].isspace():
            place += 1


def _frr(output: str) -> Frr:
    names, _, rest = output.partition("\n")
    configuration, end, documents = rest.partition("\nend\n")
    shown: dict[str, Any] = {}
    for document in _documents(documents if end else output):
        shown.update(document if isinstance(document, dict) else {"peers": document})
    areas = shown.get("routerLinkStates", {}).get("areas", {})
    lsas = [lsa for area in areas.values() for lsa in (area if isinstance(area, list) else area.values())]
    return Frr(
        daemons=frozenset(names.split()) if end else frozenset(),
        configuration=configuration if end else "",
        router_id=shown.get("routerId", ""),
        ports={name: _port(row) for name, row in shown.get("interfaces", {}).items() if row.get("ospfEnabled")},
        down=frozenset(name for name, row in shown.get("interfaces", {}).items() if row.get("ospfRunning") is False),
        neighbours=tuple(_neighbour(router, row) for router, rows in shown.get("neighbors", {}).items() for row in rows),
        peers=tuple(_peer(row) for row in shown.get("peers", ())),
        links=tuple(link for lsa in lsas for link in _router_links(lsa)),
        announced={address: tuple(sorted(routers)) for address, routers in _announced(lsas).items()},
    )


def _port(row: dict[str, Any]) -> OspfPort:
    return OspfPort(
        area=row["area"].split(" ")[0],
        network_type=row["networkType"],
        cost=row["cost"],
        hello_ms=row["timerMsecs"],
        dead_s=row["timerDeadSecs"],
        mtu_bytes=row["mtuBytes"],
        passive=row.get("timerPassiveIface", False),
    )


def _neighbour(router: str, row: dict[str, Any]) -> Neighbour:
    return Neighbour(row["ifaceName"].split(":")[0], router, row["ifaceAddress"], row["nbrState"].split("/")[0])


def _peer(row: dict[str, Any]) -> BfdPeer:
    return BfdPeer(
        port=row.get("interface", ""),
        address=row["peer"],
        status=row["status"],
        diagnostic=row.get("diagnostic", ""),
        receive_ms=row["receive-interval"],
        transmit_ms=row["transmit-interval"],
        multiplier=row["detect-multiplier"],
        remote=(row.get("remote-receive-interval", 0), row.get("remote-transmit-interval", 0), row.get("remote-detect-multiplier", 0)),
    )


def _router_links(lsa: dict[str, Any]) -> Iterator[RouterLink]:
    for link in lsa.get("routerLinks", {}).values():
        if link["linkType"] == TO_A_ROUTER:
            yield RouterLink(lsa["advertisingRouter"], link["neighborRouterId"], link["tos0Metric"])


def _announced(lsas: list[dict[str, Any]]) -> dict[str, set[str]]:
    """{address: routers that announce it} of every host address (/32)."""
    found: dict[str, set[str]] = {}
    for lsa in lsas:
        for link in lsa.get("routerLinks", {}).values():
            if link.get("networkMask") == HOST_MASK:
                found.setdefault(link["networkAddress"], set()).add(lsa["advertisingRouter"])
    return found


@dataclass(frozen=True)
class Route:
    """An OSPF route in the kernel: the source address of the host's own traffic, and the outgoing ports."""

    source: str
    ports: tuple[str, ...]


def _routes(output: str) -> dict[str, Route]:
    """{destination: route}."""
    rows = json.loads(output) if output.strip() else []
    return {
        row["dst"]: Route(row.get("prefsrc", ""), tuple(hop["dev"] for hop in row.get("nexthops", [row]) if "dev" in hop)) for row in rows
    }


@dataclass(frozen=True)
class LinkCounters:
    """A port's packets, errors and drops since it came up, and its bridge. `stp` is set for bridges only."""

    packets: int
    errors: int
    dropped: int
    master: str | None
    stp: bool | None


def _counters(output: str) -> dict[str, LinkCounters]:
    return {row["ifname"]: _counted(row) for row in json.loads(output)}


def _counted(row: dict[str, Any]) -> LinkCounters:
    stats = row.get("stats64") or {}
    ways = [stats.get("rx", {}), stats.get("tx", {})]
    packets, errors, dropped = (sum(way.get(what, 0) for way in ways) for what in ("packets", "errors", "dropped"))
    info = row.get("linkinfo", {})
    stp = bool(info["info_data"]["stp_state"]) if info.get("info_kind") == "bridge" else None
    return LinkCounters(packets, errors, dropped, row.get("master"), stp)


@dataclass(frozen=True)
class Probe:
    """One packet with the DF bit: over a `link` to its other end, or on the `path` from the own loopback to another one."""

    kind: str
    port: str
    address: str
    payload_bytes: int
    answered: bool


def _probes(output: str) -> tuple[Probe, ...]:
    rows = (line.split() for line in output.splitlines())
    return tuple(Probe(kind, port, address, int(size), answer == "yes") for kind, port, address, size, answer in rows)


# The `show` commands contain no quote.
_VTYSH = " ".join(f"-c '{words}'" for words in SHOWN)
FRR = Fact("frr", f'set -- /run/frr/*.vty; [ ! -e "$1" ] || vtysh {_VTYSH} 2>/dev/null || true', _frr)
ROUTES = Fact("ospf_routes", "ip -j -4 route show proto ospf 2>/dev/null || true", _routes)
COUNTERS = Fact("link_counters", "ip -j -s -d link show", _counters)
# The same counters, read last. Reading the other facts takes most of the time between the two; the sleep is for a run that reads few facts.
COUNTERS_LATER = Fact("link_counters_later", "sleep 0.2; ip -j -s link show", _counters, last=True)
# 28 bytes are the headers of IPv4 and ICMP. `-M probe` ignores the path MTU that the kernel has cached, which it keeps for ten minutes
# (mtu_expires) after traffic took a fallback path. A path is probed at two sizes: a small packet, and one of the MTU of its first port. If
# the first packet gets no answer, a second follows, because one lost packet proves nothing.
PROBES = Fact(
    "probes",
    r"""ask() { ping -nq -c 1 -W 1 -M probe -s "$3" -I "$1" "$2" >/dev/null 2>&1; }
probe() { { ask "$5" "$3" "$4" || ask "$5" "$3" "$4"; } && answer=yes || answer=no; echo "$1 $2 $3 $4 $answer"; [ $answer = yes ]; }
{ own=; ip -4 -o addr show scope global | { while read -r _ port _ address _; do case $port/$address in lo/*/32) own=${address%/32};; */31)
  read -r mtu </sys/class/net/$port/mtu; mine=${address%/31}
  probe link "$port" "${mine%.*}.$(( ${mine##*.} ^ 1 ))" $(( mtu - 28 )) "$port" & esac; done
[ -z "$own" ] || ip -4 -o route show proto ospf | while read -r target how; do case $target in */*|[!0-9]*) ;; *)
  port=${how#* dev }; port=${port%% *}; read -r mtu </sys/class/net/$port/mtu
  full=$(( mtu - 28 )); { if probe path "$port" "$target" 56 "$own"; then probe path "$port" "$target" "$full" "$own"
  else echo "path $port $target $full no"; fi; } & esac; done; }; } | sort""",
    _probes,
)
