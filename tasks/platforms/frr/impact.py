"""The impact of FRR's files on adjacencies, by how ospfd applies each statement (FRR: ospf_vty.c, ospfd.c, ospf_bfd.c)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface

from tasks.core.agent.secrets import redact
from tasks.platforms.frr.frr_file import FrrFile, Line, Path, daemons


@dataclass(frozen=True)
class Rule:
    """The impact of adding or removing a statement; if empty, adjacencies stay. `*` is any word; {1} is the statement's second word."""

    pattern: str
    added: str = ""
    removed: str = ""

    def matches(self, words: tuple[str, ...]) -> bool:
        """Whether the statement begins with the pattern."""
        wanted = self.pattern.split()
        return len(words) >= len(wanted) and all(one in ("*", word) for one, word in zip(wanted, words, strict=False))


def _always(pattern: str, impact: str) -> Rule:
    return Rule(pattern, impact, impact)


def _both_ends(pattern: str, what: str) -> Rule:
    """A new value ends the port's adjacency, at once or after a dead interval, until the other end has the same value."""
    return _always(pattern, f"{{port}}'s OSPF adjacency goes down until the other end has the same {what}")


# The first match applies. A statement that no rule matches may end every adjacency.
ROUTER_RULES = (
    _always("ospf router-id", "every OSPF adjacency goes down and up: the router id changes"),
    _always("router-id", "every OSPF adjacency goes down and up: the router id changes"),
    _always(
        "area * authentication",
        "every OSPF adjacency of area {1} without an authentication of its own goes down until the other end has the same",
    ),
    _always("area * stub", "every OSPF adjacency of area {1} goes down until the other end has the same kind of area"),
    _always("area * nssa", "every OSPF adjacency of area {1} goes down until the other end has the same kind of area"),
    Rule(
        "passive-interface default",
        "every OSPF adjacency goes down, except on ports with `no ip ospf passive`: all other ports become passive",
        "every OSPF port without a setting of its own is no longer passive: its adjacency comes up",
    ),
    Rule(
        "passive-interface *",
        "{1}'s OSPF adjacency goes down: it becomes passive",
        "{1}'s OSPF adjacency comes up: it is no longer passive",
    ),
    Rule(
        "network * area",
        "OSPF starts on ports with an address in {1}",
        "every OSPF adjacency ends on ports with an address in {1}, unless another statement enables OSPF on them",
    ),
    Rule(
        "max-metric router-lsa",
        "the router becomes a stub router: transit traffic moves away from it, adjacencies stay",
        "the router is no longer a stub router: transit traffic may use it again, adjacencies stay",
    ),
    _always("auto-cost", "OSPF costs change on ports without a cost of their own: traffic moves, adjacencies stay"),
    _always("redistribute", "the routes that OSPF announces change: adjacencies stay"),
    _always("default-information", "the routes that OSPF announces change: adjacencies stay"),
    _always("default-metric", "the routes that OSPF announces change: adjacencies stay"),
    *(Rule(words) for words in ("log-adjacency-changes", "timers throttle spf", "maximum-paths")),
)
PORT_RULES = (
    _both_ends("ip ospf area", "area"),
    _both_ends("ip ospf network", "network type"),
    _both_ends("ip ospf hello-interval", "hello-interval"),
    _both_ends("ip ospf dead-interval", "dead-interval"),
    _both_ends("ip ospf authentication", "authentication"),
    _both_ends("ip ospf authentication-key", "authentication"),
    _both_ends("ip ospf message-digest-key", "authentication"),
    _always("ip ospf cost", "{port} changes its OSPF cost: traffic moves, adjacencies stay"),
    Rule(
        "ip ospf mtu-ignore",
        "{port} no longer compares MTUs when an OSPF adjacency begins; the present one stays",
        "{port} compares MTUs again when an OSPF adjacency begins; the present one stays",
    ),
    Rule("ip ospf bfd profile"),
    # bfdd tells the other end that the session is down, and ospfd there treats the neighbour as lost.
    Rule("ip ospf bfd", removed="{port}'s OSPF adjacency goes down and up: its BFD session ends"),
    *(Rule(words) for words in ("ip ospf passive", "ip ospf retransmit-interval", "ip ospf transmit-delay", "description")),
)
# FRR's reload stops a daemon that the file no longer enables; zebra always runs (frrcommon.sh).
STOPPED = {
    "ospfd": "OSPF stops: every adjacency ends",
    "bfdd": "BFD stops: assume that every adjacency with a BFD session goes down and up",
}
AREA, NETWORK, PASSIVE, PASSIVE_DEFAULT = "ip ospf area", "network", "ip ospf passive", "passive-interface default"
ROUTER = "router ospf"


def daemons_impact(before: str, after: str) -> tuple[str, ...]:
    """The impact of a new daemons file on adjacencies."""
    stopped = daemons(before) - daemons(after)
    return tuple(sentence for name, sentence in STOPPED.items() if name in stopped)


def frr_impact(before: str, after: str) -> tuple[str, ...]:
    """A sentence for each consequence of a new frr.conf."""
    old, new = FrrFile(before), FrrFile(after)
    ports = dict.fromkeys(path for file in (old, new) for path in file.contexts() if path[0].startswith("interface ") and len(path) == 1)
    return tuple(dict.fromkeys((*_router(old, new), *(sentence for path in ports for sentence in _port(path, old, new)))))


def ospf_ports(text: str, addresses: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """The ports of {port: its addresses} on which a frr.conf runs OSPF and that are not passive."""
    file = FrrFile(text)
    networks = [_interface(line.words[1]) for line in _networks(file)]
    interfaces = {port: [_interface(one) for one in its] for port, its in addresses.items()}
    covered = {
        port for port, its in interfaces.items() for one in its for network in networks if one and network and one.ip in network.network
    }
    named = {port for port in addresses if file.get((f"interface {port}",), AREA) is not None}
    return frozenset(port for port in covered | named if not _is_passive(file, (f"interface {port}",)))


def _interface(text: str) -> IPv4Interface | None:
    """The address with its network, None if it is no IPv4 address: a file may have any text, but ospfd accepts no other."""
    try:
        return IPv4Interface(text)
    except ValueError:
        return None


def _routers(file: FrrFile) -> Iterator[Path]:
    return (path for path in file.contexts() if f"{path[0]} ".startswith(f"{ROUTER} "))


def _networks(file: FrrFile) -> Iterator[Line]:
    return (line for path in _routers(file) for line in file.statements(path) if line.words[0] == NETWORK and len(line.words) > 1)


def _is_passive(file: FrrFile, path: Path) -> bool:
    own = next((line for line in file.statements(path) if line.key == PASSIVE), None)
    return own.words[0] != "no" if own else _passive_by_default(file)


def _passive_by_default(file: FrrFile) -> bool:
    return any(file.get(path, PASSIVE_DEFAULT) is not None for path in _routers(file))


def _differences(path: Path, old: FrrFile, new: FrrFile) -> Iterator[tuple[tuple[str, ...], bool]]:
    """(words, whether they are added) of each statement of a context that only one of the files has."""
    had, has = ([line.statement for line in file.statements(path)] for file in (old, new))
    for words in dict.fromkeys((*had, *has)):
        if (words in had) != (words in has):
            yield words, words in has


def _impact(rules: Iterable[Rule], words: tuple[str, ...], *, added: bool, port: str, unknown: str) -> str:
    statement = words[1:] if words[0] == "no" else words
    rule = next((rule for rule in rules if rule.matches(statement)), None)
    if rule is None:
        return unknown.format(words=redact(" ".join(words)))
    return (rule.added if added == (words is statement) else rule.removed).format(*statement, port=port)


def _router(old: FrrFile, new: FrrFile) -> Iterator[str]:
    had, has = set(_routers(old)), set(_routers(new))
    if had - has:
        yield "OSPF stops: every adjacency ends"
    if has - had:
        yield "OSPF starts"
    unknown = "the impact of `{words}` on OSPF is unknown: assume that every adjacency ends"
    for path in sorted(had & has):
        for words, added in _differences(path, old, new):
            if sentence := _impact(ROUTER_RULES, words, added=added, port="", unknown=unknown):
                yield sentence


def _port(path: Path, old: FrrFile, new: FrrFile) -> Iterator[str]:
    port = path[0].removeprefix("interface ")
    if old.get(path, AREA) is None and not any(_networks(old)):
        return  # there is no adjacency yet
    was, becomes = _is_passive(old, path), _is_passive(new, path)
    if was != becomes and _passive_by_default(old) == _passive_by_default(new):
        yield f"{port}'s OSPF adjacency {'goes down: it becomes' if becomes else 'comes up: it is no longer'} passive"
    if was:
        return
    unknown = f"the impact of `{{words}}` on {port} is unknown: assume that its OSPF adjacency ends"
    for words, added in _differences(path, old, new):
        if sentence := _impact(PORT_RULES, words, added=added, port=port, unknown=unknown):
            yield sentence
