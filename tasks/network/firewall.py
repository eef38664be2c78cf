"""Proxmox VE's firewall: what of the routed network's own packets it would drop.

It is off unless the cluster's file says `enable: 1`; then a node's rules come before the cluster's, the first that matches decides, and
`policy_in` (DROP where nothing is said) decides about the rest (pve-firewall(8)).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, ip_network

from inventory.schema import Site
from tasks.core.facts import Fact

CLUSTER, NODE = "/etc/pve/firewall/cluster.fw", "/etc/pve/local/host.fw"
# OSPF is a protocol of its own (RFC 2328, A.1), its hellos go to AllSPFRouters; BFD on one hop is UDP to 3784 (RFC 5881, 4).
OSPF, HELLOS, BFD_PORT = "ospf", IPv4Address("224.0.0.5"), 3784
NUMBERS = {"89": OSPF, "ospfigp": OSPF, "17": "udp", "6": "tcp"}
MACROS = {"ospf": ("-p", OSPF)}
MARK = "#### file "
OPENING = f"put `IN OSPF(ACCEPT) -i PORT` and `IN ACCEPT -i PORT -p udp -dport {BFD_PORT}` for these ports under [RULES] of {NODE}"


@dataclass(frozen=True)
class Packet:
    """A packet that comes in; `port` is the interface."""

    port: str
    source: IPv4Address
    destination: IPv4Address
    protocol: str
    destination_port: int | None = None

    def __str__(self) -> str:
        return f"{'BFD' if self.destination_port else 'OSPF'} from {self.source} on {self.port}"


@dataclass
class Firewall:
    """The firewall's files as Proxmox reads them: options, rules in their order, groups of rules, named addresses."""

    options: dict[str, str] = field(default_factory=dict)
    node_options: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def drops_the_rest(self) -> bool:
        """Whether it is on, and drops what no rule accepts."""
        on = self.options.get("enable", "0") not in ("", "0") and self.node_options.get("enable", "1") != "0"
        return on and self.options.get("policy_in", "DROP").upper() != "ACCEPT"


def parse(text: str) -> Firewall:
    """The files as one: the node's rules before the cluster's."""
    found, rules = Firewall(), {CLUSTER: list[str](), NODE: list[str]()}
    path, section, name = CLUSTER, "", ""
    for raw in text.splitlines():
        line = raw.split(" #")[0].strip()
        if raw.startswith(MARK):
            path, section = raw.removeprefix(MARK).strip(), ""
        elif line.startswith("["):
            section, _, name = line.strip("[]").lower().partition(" ")
        elif line and not line.startswith("#"):
            _take(found, rules, path, section, name, line)
    return replace(found, rules=rules[NODE] + rules[CLUSTER])


def _take(found: Firewall, rules: dict[str, list[str]], path: str, section: str, name: str, line: str) -> None:
    if section == "options":
        key, _, value = line.partition(":")
        (found.options if path == CLUSTER else found.node_options)[key.strip()] = value.strip()
    elif section == "rules":
        rules[path].append(line)
    elif section == "group":
        found.groups.setdefault(name, []).append(line)
    elif section == "aliases":
        alias, address = line.split()[:2]
        found.names[alias.lower()] = [address]
    elif section == "ipset":
        found.names.setdefault(f"+{name}", []).append(line)


FIREWALL = Fact("firewall", f"for file in {CLUSTER} {NODE}; do echo '{MARK}'$file; cat $file 2>/dev/null || true; done", parse)


def dropped(firewall: Firewall, site: Site, host: str) -> Iterator[Packet]:
    """What OSPF and BFD of the host's neighbours need, and it drops."""
    return (packet for packet in _needed(site, host) if firewall.drops_the_rest and _verdict(firewall, firewall.rules, packet) != "ACCEPT")


def _needed(site: Site, host: str) -> Iterator[Packet]:
    for cable in site.routed(host):
        far, port = cable.far(host).host, cable.near(host).port
        theirs, ours = cable.address(far).ip, cable.address(host).ip
        yield Packet(port, theirs, HELLOS, OSPF)
        yield Packet(port, theirs, ours, OSPF)
        yield Packet(port, theirs, ours, "udp", BFD_PORT)


def _verdict(firewall: Firewall, rules: list[str], packet: Packet) -> str:
    """What the first rule that matches does; empty where none does. A rule that cannot be understood counts only where it drops."""
    for rule in rules:
        words = rule.split()
        kind, action = words[0].lower(), words[1]
        if kind == "group":
            decided = _verdict(firewall, firewall.groups.get(action.lower(), []), packet) if _matches(firewall, words[2:], packet) else ""
        elif kind == "in":
            macro, _, inner = action.rstrip(")").partition("(")
            action, options = (inner, (*_macro(macro), *words[2:])) if inner else (action, tuple(words[2:]))
            match = _matches(firewall, list(options), packet)
            decided = action if match or (match is None and action != "ACCEPT") else ""
        else:  # out, forward, and rules that are switched off (|IN)
            decided = ""
        if decided:
            return decided
    return ""


def _macro(name: str) -> tuple[str, ...]:
    return MACROS.get(name.lower(), ("-p", f"macro {name}"))


def _matches(firewall: Firewall, options: list[str], packet: Packet) -> bool | None:
    """Whether all options of a rule hold of a packet; None where one of them is not known here."""
    answers = [_holds(firewall, key.lstrip("-"), value, packet) for key, value in zip(options[::2], options[1::2], strict=False)]
    return False if False in answers else None if None in answers else True


def _holds(firewall: Firewall, key: str, value: str, packet: Packet) -> bool | None:
    if key == "i":
        return value == packet.port
    if key in ("p", "proto"):
        return NUMBERS.get(value, value) == packet.protocol
    if key == "dport":
        return packet.destination_port is not None and _in_ports(value, packet.destination_port)
    if key in ("source", "dest"):
        return _in_addresses(firewall, value, packet.source if key == "source" else packet.destination)
    return True if key == "log" else None


def _in_ports(value: str, port: int) -> bool:
    ranges = (word.partition(":") for word in value.split(","))
    return any(low.isdigit() and int(low) <= port <= int(high or low) for low, _, high in ranges)


def _in_addresses(firewall: Firewall, value: str, address: IPv4Address) -> bool | None:
    """A list of addresses, networks, ranges, aliases and sets; what is not found under its name is not known."""
    answers: list[bool | None] = []
    for word in value.split(","):
        name = word.lower().replace("dc/", "").replace("guest/", "")
        if name in firewall.names:
            answers += [_in_addresses(firewall, one, address) for one in firewall.names[name]]
        elif "-" in word and word[0].isdigit():
            low, _, high = word.partition("-")
            answers.append(IPv4Address(low) <= address <= IPv4Address(high))
        else:
            answers.append(_in_network(word, address))
    return True if True in answers else None if None in answers else False


def _in_network(word: str, address: IPv4Address) -> bool | None:
    try:
        network = ip_network(word, strict=False)
    except ValueError:
        return None
    return isinstance(network, IPv4Network) and address in network
