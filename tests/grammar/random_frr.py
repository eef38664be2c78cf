"""Random texts of frr.conf from a seed: one configuration in any of the spellings that FRR accepts, and merge candidates."""

import random
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

PORTS = ("eno1", "eno2", "en05", "vmbr0.10")
One = TypeVar("One")
Path = tuple[str, ...]
# A statement as (context, words).
Statement = tuple[Path, str]

ROUTER, BGP, UNICAST = ("router ospf",), ("router bgp 65001",), ("router bgp 65001", "address-family ipv4 unicast")
# Each group is one statement in its spellings. Of each list, a text has some groups.
OF_A_PORT = (
    *(("ip ospf area 0", "ip ospf area 0.0.0.0"), ("ip ospf cost 5", "ospf cost 5"), ("ip ospf hello-interval 2",)),
    *(("ip ospf dead-interval 8",), ("ip ospf network point-to-point",), ("ip ospf priority 7", "ospf priority 7")),
    *(("ip ospf mtu-ignore",), ("description to the rack",), ("ip ospf bfd",), ("ip ospf retransmit-interval 9",)),
    *(("ip ospf message-digest-key 1 md5 hush",), ("bandwidth 1000",), ("ip ospf authentication message-digest",)),
)
OF_OSPF = (
    *(("ospf router-id 10.105.0.1", "router-id 10.105.0.1"), ("max-metric router-lsa administrative",), ("log-adjacency-changes detail",)),
    *(("area 0.0.0.7 stub", "area 7 stub"), ("network 10.1.0.0/16 area 0.0.0.0", "network 10.1.2.3/16 area 0")),
    *(("redistribute static metric 5 metric-type 1", "redistribute static metric-type 1 metric 5"), ("maximum-paths 4",)),
    *(("redistribute connected", "redistribute connected metric-type 2"), ("timers throttle spf 10 100 5000",)),
    *(("default-information originate always metric 7", "default-information originate metric 7 always"), ("neighbor 10.1.0.9",)),
    *(("area 0.0.0.1 range 10.7.0.0/16", "area 1 range 10.7.1.2/16", "area 0.0.0.1 range 10.7.0.0/16 advertise"), ("distance 90",)),
)
OF_BGP = (
    *(("bgp router-id 10.105.0.1",), ("neighbor 10.1.0.2 remote-as 65002",), ("no bgp ebgp-requires-policy",), ("timers bgp 3 9",)),
    ("bgp log-neighbor-changes",),
)
OF_THE_FAMILY = (
    *(("network 10.2.0.0/16", "network 10.2.3.4/16", "network 10.2.0.0 mask 255.255.0.0"), ("network 10.0.0.0/8", "network 10.0.0.0")),
    *(("redistribute ospf metric 3 route-map RM", "redistribute ospf route-map RM metric 3"), ("maximum-paths 8",)),
    *(("aggregate-address 10.0.0.0/8 as-set summary-only", "aggregate-address 10.0.0.0/8 summary-only as-set"),),
)
OF_A_PROFILE = (("detect-multiplier 5",), ("receive-interval 200",), ("transmit-interval 400",), ("passive-mode",))
OF_A_MAP = (("match ip address prefix-list PL",), ("set metric 10",), ("set local-preference 200",))
OF_THE_HOST = (
    *(("ip route 10.9.0.0/16 10.0.0.1", "ip route 10.9.1.2/16 10.0.0.1", "ip route 10.9.0.0 255.255.0.0 10.0.0.1 1"),),
    *(("ip route 10.8.0.0/16 Null0", "ip route 10.8.0.0/16 null0"), ("ip route 10.7.0.0/16 10.0.0.1 tag 7 200",)),
    *(("ip router-id 10.105.0.1", "router-id 10.105.0.1"), ("ip prefix-list PL seq 5 permit 10.0.0.0/8 le 24",)),
    *(("access-list AL seq 5 permit 10.0.0.0/8",), ("ipv6 route 2001:db8::/32 2001:db8:0::1", "ipv6 route 2001:DB8::/32 2001:db8::1")),
    *(("ip prefix-list PL seq 10 permit 10.3.0.0/16", "ip prefix-list PL seq 10 permit 10.3.1.2/16"),),
)
CONTEXTS: tuple[tuple[Path, tuple[tuple[str, ...], ...]], ...] = (
    *(((f"interface {port}",), OF_A_PORT) for port in PORTS),
    *((ROUTER, OF_OSPF), (BGP, OF_BGP), (("bfd", "profile fabric"), OF_A_PROFILE), (("route-map RM permit 10",), OF_A_MAP)),
)
# Statements that say nothing.
NOTHING = {"interface": ("no shutdown", "ip ospf transmit-delay 1"), "router ospf": ("refresh timer 10", "ospf abr-type cisco")}
COMMENTS = ("!", "! a comment", "# interface eno2", "", "  ", "!interface eno1")


@dataclass(frozen=True)
class Layout:
    """How a text is laid out: its indentation, and whether its contexts end with `exit`."""

    indent: str
    exits: bool


def statements(seed: int) -> list[tuple[Statement, ...]]:
    """A configuration: its statements, each in all of its spellings. The same seed gives the same configuration."""
    chance = random.Random(seed)
    found: list[tuple[Statement, ...]] = [tuple(((), one) for one in group) for group in _some(chance, OF_THE_HOST)]
    for path, groups in chance.sample(CONTEXTS, chance.randrange(1, len(CONTEXTS) + 1)):
        found += [tuple((path, one) for one in group) for group in _some(chance, groups) or [groups[0]]]
        if path == BGP:
            found += [tuple((place, one) for one in group for place in (UNICAST, BGP)) for group in _some(chance, OF_THE_FAMILY)]
        if path == ROUTER:
            ports = chance.sample(PORTS, chance.randrange(3))
            found += [((ROUTER, f"passive-interface {one}"), ((f"interface {one}",), "ip ospf passive")) for one in ports]
    # FRR takes areas of ports or of networks, not both.
    by_port = any(words.startswith("ip ospf area") for ((_, words), *_) in found)
    return [one for one in found if not (by_port and one[0][1].startswith("network 10.1."))]


def text(found: Iterable[tuple[Statement, ...]], seed: int) -> str:
    """A configuration as text: its statements in any order and spelling, its contexts in one or several parts."""
    chance = random.Random(f"text {seed}")
    layout = Layout(chance.choice((" ", " ", "  ", "\t", "")), chance.random() < 0.7)
    parts: dict[tuple[Path, int], list[str]] = {}
    for spellings in found:
        path, words = chance.choice(spellings)
        parts.setdefault((path, chance.choice((0, 0, 0, 1))), []).append(words)
    blocks = list(parts.items())
    chance.shuffle(blocks)
    lines = [line for (path, _), words in blocks for line in _block(chance, layout, path, words)]
    return "\n".join(lines) + chance.choice(("", "\n", "\n!\n", "\nline vty\n!\n"))


def undone(found: Iterable[tuple[Statement, ...]]) -> str:
    """What takes a configuration away again. FRR shows `ip ospf passive` wrongly after a `no` of it that removed nothing."""
    lines: dict[str, None] = {}
    for spellings in found:
        path, words = spellings[-1] if "passive" in spellings[-1][1] else spellings[0]
        if path and path[0].startswith("interface "):
            lines[f"{path[0]}\nno {words.replace(' to the rack', '')}\nexit\n"] = None
        else:
            lines[f"no {path[0]}\n" if path else f"no {words}\n"] = None
    return "".join(lines)


def _block(chance: random.Random, layout: Layout, path: Path, words: list[str]) -> list[str]:
    """A context with its statements; without indentation, it always ends with `exit`."""
    said = [*words, *(one for start, more in NOTHING.items() if path and path[0].startswith(start) for one in _some(chance, more))]
    chance.shuffle(said)
    lines = [f"{layout.indent * depth}{_spaced(chance, name)}" for depth, name in enumerate(path)]
    for one in said:
        lines += [chance.choice(COMMENTS)] if chance.random() < 0.15 else []
        lines.append(f"{layout.indent * len(path)}{_spaced(chance, one)}{chance.choice(('', '', ' '))}")
    if path and (layout.exits or not layout.indent):
        ends = ["exit-address-family" if name.startswith("address-family") else "exit" for name in path]
        lines += [f"{layout.indent * depth}{end}" for depth, end in reversed(list(enumerate(ends)))]
    return [*lines, chance.choice(COMMENTS)] if chance.random() < 0.5 else lines


def _spaced(chance: random.Random, words: str) -> str:
    return words.replace(" ", chance.choice(("  ", "\t", " \t")), 1) if chance.random() < 0.1 else words


def _some(chance: random.Random, ones: tuple[One, ...]) -> list[One]:
    return chance.sample(ones, chance.randrange(len(ones) + 1))
