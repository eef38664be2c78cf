"""Proxmox VE's firewall: which packets of the routed network it would drop.

It is off unless the cluster's file has `enable: 1`. Then a node's rules come before the cluster's, the first match decides, and the
direction's policy applies to packets without a match (pve-firewall(8)). Only the new firewall, on nftables, filters forwarded packets.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_network

from inventory.site import Site
from tasks.core.model.fact import Fact
from tasks.platforms.proxmox.mounted import OF_ANY_HOST
from tasks.platforms.text_lines import raw_lines

CLUSTER, NODE = "/etc/pve/firewall/cluster.fw", "/etc/pve/local/host.fw"
# OSPF is a protocol of its own (RFC 2328, A.1), its hellos go to AllSPFRouters; BFD on one hop is UDP to 3784 (RFC 5881, 4).
OSPF, HELLOS, BFD_PORT = "ospf", IPv4Address("224.0.0.5"), 3784
NUMBERS = {"89": OSPF, "ospfigp": OSPF, "17": "udp", "6": "tcp"}
# The one macro of Proxmox that matters here: every other macro is for another protocol or port (PVE/Firewall.pm, pve_fw_macros).
MACROS = {"ospf": ("-p", OSPF)}
DIRECTIONS = ("in", "out", "forward")
POLICIES = {"in": "DROP", "out": "ACCEPT", "forward": "ACCEPT"}
ACTIONS = ("ACCEPT", "DROP", "REJECT")
# Transit traffic is of any protocol, so a rule for one protocol or port does not match it.
ANY = "any"
MARK = "#### file "
SECTION = re.compile(r"\[(options|aliases|rules)\]|\[((?:group|ipset)\s+\S+)\]\s*(?:#.*)?", re.IGNORECASE)
OPTION = re.compile(
    r"(enable|nftables|nf_conntrack_allow_invalid):\s*(\d+)|(policy_in|policy_out|policy_forward):\s*(ACCEPT|DROP|REJECT)", re.IGNORECASE
)
OPENING = (
    f"put `IN OSPF(ACCEPT) -i PORT` and `IN ACCEPT -i PORT -p udp -dport {BFD_PORT}` for these ports first under [RULES] of {NODE}; "
    "for outgoing packets use the same rules with OUT, for transit `FORWARD ACCEPT -i PORT`"
)


@dataclass(frozen=True)
class Packet:
    """A packet of the routed network at a host: `port` is the interface, `peer` the router at its other end or the source of transit."""

    direction: str
    port: str
    peer: IPv4Address
    source: IPv4Address
    destination: IPv4Address
    protocol: str
    destination_port: int | None = None

    def __str__(self) -> str:
        what = "transit" if self.protocol == ANY else "BFD" if self.destination_port else "OSPF"
        return f"{what} {'to' if self.direction == 'out' else 'from'} {self.peer} on {self.port}"


@dataclass(frozen=True)
class Loss:
    """A packet that the firewall drops. If `rule` is set, the drop depends on that rule, which is not understood."""

    packet: Packet
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.packet} (perhaps: `{self.rule}` is not understood)" if self.rule else str(self.packet)


@dataclass
class Firewall:
    """The firewall's files as Proxmox reads them: options, rules in order, groups of rules, named addresses."""

    options: dict[str, str] = field(default_factory=dict)
    node_options: dict[str, str] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    groups: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, list[str]] = field(default_factory=dict)

    @property
    def filtered(self) -> tuple[str, ...]:
        """The directions that it filters; none while it is off."""
        on = self.options.get("enable", "0") == "1" and self.node_options.get("enable", "1") != "0"
        return (DIRECTIONS if self.node_options.get("nftables") == "1" else DIRECTIONS[:2]) if on else ()

    @property
    def drops_one_way(self) -> bool:
        """Whether it drops forwarded packets of a connection whose other direction takes another path (PVEFW-FORWARD: state INVALID)."""
        return len(self.filtered) == 2 and self.node_options.get("nf_conntrack_allow_invalid", "0") != "1"

    def policy(self, direction: str) -> str:
        """The action for a packet that matches no rule."""
        return self.options.get(f"policy_{direction}") or POLICIES[direction]


def parse(text: str) -> Firewall:
    """Both files in one object, as pve-firewall reads them (PVE/Firewall.pm, generic_fw_config_parser). The node's rules come first.

    Proxmox ignores an option that a comment follows. It reads the head of an unknown section as a line of the section before it.
    """
    found, rules = Firewall(), {CLUSTER: list[str](), NODE: list[str]()}
    path, section, name = CLUSTER, "", ""
    for raw in raw_lines(text):
        line = raw.strip()
        if raw.startswith(MARK):
            path, section = raw.removeprefix(MARK).strip(), ""
        elif header := SECTION.fullmatch(line):
            section, name = [*(header[1] or header[2]).lower().split(), ""][:2]
        elif line and not line.startswith("#"):
            _take(found, rules, path, section, name, line)
    return replace(found, rules=rules[NODE] + rules[CLUSTER])


def _take(found: Firewall, rules: dict[str, list[str]], path: str, section: str, name: str, line: str) -> None:
    entry = line.partition("#")[0].strip()
    if section == "options":
        if option := OPTION.fullmatch(line):
            (found.options if path == CLUSTER else found.node_options)[(option[1] or option[3]).lower()] = (option[2] or option[4]).upper()
    elif section == "rules":
        rules[path] += [entry] * bool(entry)
    elif section == "group":
        found.groups.setdefault(name, []).extend([entry] * bool(entry))
    elif section == "aliases":
        alias, *address = entry.split() or [""]
        if address:
            found.names[alias.lower()] = address[:1]
    elif section == "ipset" and entry:
        found.names.setdefault(f"+{name}", []).append(entry)


READ_FIREWALL = f"{OF_ANY_HOST}for file in {CLUSTER} {NODE}; do echo '{MARK}'$file; [ ! -e $file ] || cat $file || exit 1; done"
FIREWALL = Fact("firewall", READ_FIREWALL, parse)


def dropped(firewall: Firewall, site: Site, host: str) -> Iterator[Loss]:
    """The packets that the firewall drops or may drop, of OSPF and BFD with the host's neighbours and of transit between them."""
    for packet in _needed(site, host):
        if packet.direction in firewall.filtered and (loss := _loss(firewall, packet)):
            yield loss


def _needed(site: Site, host: str) -> Iterator[Packet]:
    for cable in site.routed(host):
        far, port = cable.far(host).host, cable.near(host).port
        theirs, ours = cable.address(far).ip, cable.address(host).ip
        for direction, source, destination in (("in", theirs, ours), ("out", ours, theirs)):
            yield Packet(direction, port, theirs, source, HELLOS, OSPF)
            yield Packet(direction, port, theirs, source, destination, OSPF)
            yield Packet(direction, port, theirs, source, destination, "udp", BFD_PORT)
        for other in dict.fromkeys(cable.far(host).host for cable in site.routed(host)):
            one, two = site.hosts[far].loopback, site.hosts[other].loopback
            if other != far and one and two:
                yield Packet("forward", port, one.ip, one.ip, two.ip, ANY)


def _loss(firewall: Firewall, packet: Packet) -> Loss | None:
    """The first matching rule decides, else the policy. An earlier rule that may match leaves a doubt if its action differs."""
    doubts: list[_Match] = []
    final = firewall.policy(packet.direction)
    for match in _walk(firewall, firewall.rules, packet):
        if match.certain:
            final = match.action
            break
        doubts.append(match)
    lost = final != "ACCEPT"
    doubt = next((match.rule for match in doubts if not match.action or (match.action != "ACCEPT") != lost), "")
    return Loss(packet, doubt) if lost or doubt else None


@dataclass(frozen=True)
class _Match:
    """A rule that matches a packet, or may match it, with its action. A rule without an action is not understood."""

    rule: str
    action: str = ""
    certain: bool = False


def _walk(firewall: Firewall, rules: list[str], packet: Packet) -> Iterator[_Match]:
    """The rules that match the packet or may match it, in order."""
    for rule in rules:
        words = rule.split()
        kind, action, options = words[0].lower(), "".join(words[1:2]), words[2:]
        macro, inner = _parts(action)
        if kind.startswith("|") or (kind in DIRECTIONS and kind != packet.direction):
            continue
        match = _matches(firewall, [*_macro(macro), *options], packet)
        if match is False:
            continue
        if kind == "group" and action.lower() in firewall.groups:
            inside = _walk(firewall, firewall.groups[action.lower()], packet)
            yield from (replace(one, certain=one.certain and bool(match)) for one in inside)
        elif kind in DIRECTIONS and inner in ACTIONS:
            yield _Match(rule, inner, certain=bool(match))
        else:
            yield _Match(rule)


def _parts(action: str) -> tuple[str, str]:
    """(macro, action) of `OSPF(ACCEPT)`; no macro in `ACCEPT`."""
    macro, _, inner = action.rstrip(")").partition("(")
    return (macro, inner) if inner else ("", action)


def _macro(name: str) -> tuple[str, ...]:
    return MACROS.get(name.lower(), ("-p", f"macro {name}")) if name else ()


def _matches(firewall: Firewall, options: list[str], packet: Packet) -> bool | None:
    """Whether a packet meets all options of a rule; None if it may: an option is unknown here or has no value."""
    pairs = zip(options[::2], [*options[1::2], ""], strict=False)
    answers = [_holds(firewall, key.lstrip("-"), value, packet) if value else None for key, value in pairs]
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
    """Whether a list of addresses, networks, ranges, aliases and sets includes the address; None if a name in it is not found."""
    answers: list[bool | None] = []
    for word in value.split(","):
        name = word.lower().replace("dc/", "").replace("guest/", "")
        if name in firewall.names:
            entries = firewall.names[name]
            if any(one.startswith("!") for one in entries):  # excludes addresses from the set
                return None
            answers += [_in_addresses(firewall, one, address) for one in entries]
        elif "-" in word and word[0].isdigit():
            answers.append(_in_range(word, address))
        else:
            answers.append(_in_network(word, address))
    return True if True in answers else None if None in answers else False


def _in_range(word: str, address: IPv4Address) -> bool | None:
    try:
        low, high = (ip_address(end) for end in word.split("-", 1))
    except ValueError:
        return None
    return isinstance(low, IPv4Address) and isinstance(high, IPv4Address) and low <= address <= high


def _in_network(word: str, address: IPv4Address) -> bool | None:
    try:
        network = ip_network(word, strict=False)
    except ValueError:
        return None
    return isinstance(network, IPv4Network) and address in network
