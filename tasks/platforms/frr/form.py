"""FRR's configuration in FRR's normal form: how `show running-config` prints statements that were written in another form.

FRR writes a statement in one form, whatever form was entered (lib/, zebra, staticd, ospfd, bgpd: their config_write and cli_show
functions); tested with FRR 10.3. So a file and the running configuration are compared in this form, never as text.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address, ip_interface, ip_network

from tasks.platforms.frr.frr_file import FrrFile, Path, in_dots
from tasks.platforms.frr.replaced import KEPT, removed, setting

Statement = tuple[Path, str]

OSPF = ("router ospf", "router ospf6")
UNICAST = "address-family ipv4 unicast"
# Statements that bgpd shows below its IPv4 address family, even if a file has them below the router (bgpd/bgp_vty.c).
OF_UNICAST = re.compile(
    r"(no )?(network|aggregate-address|redistribute|maximum-paths|table-map|distance|import|export|rd|rt|route-map)\b"
    r"|(no )?neighbor \S+ (activate|addpath-\S+|allowas-in|as-override|attribute-unchanged|capability orf|default-originate|distribute-list"
    r"|filter-list|maximum-prefix|next-hop-self|prefix-list|remove-private-AS|route-map|route-reflector-client|route-server-client"
    r"|send-community|soft-reconfiguration|unsuppress-map|weight)\b"
)
LISTS = r"(?:ip |ipv6 )?prefix-list|(?:ip |ipv6 |mac )?access-list|bgp (?:as-path access-list|(?:large-|ext)?community-list)"
NUMBERED = re.compile(rf"({LISTS}) (.+)")
ANY = "*"
SEQUENCE = re.compile(r"(.*?)(?:seq (\d+) )?((?:permit|deny)\b.*)")


# Statements that FRR accepts but does not show, because they are the default.
DEFAULTS = re.compile(
    r"(ip|ipv6) forwarding|ip nht resolve-via-default|link-detect|ipv6 nd suppress-ra"
    r"|(ip ospf|ipv6 ospf6) (hello-interval 10|dead-interval 40|priority 1|retransmit-interval 5|transmit-delay 1)"
    r"|isis (circuit-type level-1-2|metric 10|hello-interval 3)|is-type level-1-2"
    r"|auto-cost reference-bandwidth 100(000)?|timers throttle (spf 0 50 5000|lsa all 5000)|timers lsa min-arrival 1000|refresh timer 10"
    r"|ospf abr-type cisco|bgp default ipv4-unicast|timers bgp 60 180|timers basic 30 180 120"
    r"|exec-timeout 10 0|detect-multiplier 3|(receive|transmit)-interval 300|(echo )?(receive|transmit)-interval 50"
)
# Statements whose `no` form FRR shows, because they are on by default.
ON_BY_DEFAULT = (
    *("ip forwarding", "ipv6 forwarding", "link-detect", "ipv6 nd suppress-ra", "bgp ebgp-requires-policy"),
    *("bgp default ipv4-unicast", "bgp network import-check", "bgp suppress-duplicates", "bgp default show-hostname", "neighbor"),
)


def is_repeated(statement: Statement) -> bool:
    """Whether FRR shows a statement of its file once it has applied it."""
    path, words = statement
    if words.startswith("no "):
        return words.removeprefix("no ").startswith(ON_BY_DEFAULT)
    is_default = path[-1:] == (UNICAST,) and re.fullmatch(r"neighbor \S+ activate", words)
    return not (is_default or DEFAULTS.fullmatch(words))


@lru_cache(maxsize=32)
def normal_form(text: str) -> frozenset[Statement]:
    """Every statement with its context, as FRR writes it. A context whose presence alone is a setting counts as a statement too."""
    found: dict[Path, dict[str, str]] = {}
    for line in FrrFile(text).lines:
        if line.opens and (where := context_form(line.opens)) and _is_a_setting(where):
            found.setdefault(where[:-1], {})[where[-1]] = where[-1]
        elif line.key and not line.opens:
            path, words = statement_form(context_form(line.path), " ".join(line.words))
            _set(found, path, _numbered(words))
    return frozenset((path, words) for path, settings in found.items() for words in settings.values())


def _set(found: dict[Path, dict[str, str]], path: Path, words: str) -> None:
    """Applies a statement to those before it. `no` and the name of a context takes the whole context away."""
    present, name = found.setdefault(path, {}), setting(words)
    if name == KEPT and words.startswith(KEPT) and present.get(KEPT, "").startswith(KEPT):
        return
    for gone in [*removed(words, present)]:
        del present[gone]
    if words.startswith("no "):
        whole = (*path, words.removeprefix("no "))
        for inner in [one for one in found if one[: len(whole)] == whole]:
            del found[inner]
    present[name] = words


def _is_a_setting(path: Path) -> bool:
    """Whether an empty context is configuration: FRR shows interfaces and VRFs without any configuration."""
    return path[-1].split()[0] not in ("interface", "vrf", "line", "bfd", "address-family", "segment-routing")


def context_form(path: Path) -> Path:
    """A context's name without the parts that are the default."""
    outer = [re.sub(r"^(interface \S+) vrf \S+$|^(router \S+(?: \S+)?) vrf default$", r"\1\2", name) for name in path]
    outer = [f"{name} unicast" if re.fullmatch(r"address-family ipv[46]", name) else name for name in outer]
    return () if outer[:1] == ["vrf default"] else tuple(outer)


def statement_form(path: Path, words: str) -> Statement:
    """A statement in the form and the context in which FRR writes it; `path` is in normal form already."""
    top = path[0] if path else ""
    if not path or top.startswith("vrf "):
        return _of_the_host(path, words)
    if top.startswith("interface "):
        return path, _of_a_port(words)
    if top.startswith(OSPF):
        return _of_ospf(path, words)
    if top.startswith("router bgp "):
        return _of_bgp(path, words)
    return path, _in_order(words) if top.startswith("router ") else words


def _of_the_host(path: Path, words: str) -> Statement:
    statement = words.split()
    if re.match(r"(no )?router-id ", words):
        return path, words.replace("router-id", "ip router-id", 1)
    if statement[:2] in (["ip", "route"], ["ipv6", "route"]) and len(statement) > 3:
        return _route(path, statement)
    words = re.sub(r"^(log syslog) debugging$", r"\1", words)
    return path, _prefixes(words) if "prefix-list" in words else words


def _route(path: Path, statement: list[str]) -> Statement:
    """A static route: destination, next hop, then its options in FRR's order; the VRF as its context; without the default distance."""
    destination, rest = statement[2], statement[3:]
    if rest[1:] and re.fullmatch(r"[\d.]+", destination) and re.fullmatch(r"[\d.]+", rest[0]):
        destination, rest = f"{destination}/{rest[0]}", rest[1:]
    hop: list[str] = []
    options: dict[str, str] = {}
    while rest:
        word, *rest = rest
        if word in ("tag", "metric", "label", "table", "color", "nexthop-vrf", "vrf", "weight", "segments") and rest:
            options[word], *rest = rest
        elif word.isdecimal() and hop:
            options["distance"] = word
        else:
            hop.append("Null0" if word.lower() == "null0" else _network(word))
    vrf = options.pop("vrf", "default")
    options = {name: value for name, value in options.items() if (name, value) not in (("distance", "1"), ("nexthop-vrf", "default"))}
    shown = [f"{name} {value}" for name, value in sorted(options.items())]
    return (path if vrf == "default" else (f"vrf {vrf}",)), " ".join((*statement[:2], _network(destination), *hop, *shown))


def _of_a_port(words: str) -> str:
    words = re.sub(r"^(no )?ospf (?=\S)", r"\1ip ospf ", words)
    if found := re.fullmatch(r"((?:no )?ip(?:v6)? address )(\S+)(.*)", words):
        return f"{found[1]}{_written(ip_interface, found[2])}{found[3]}"
    return _areas(words, r"^((?:no )?ip ospf (?:\d+ )?area|(?:no )?ipv6 ospf6 area) (\S+)")


def _of_ospf(path: Path, words: str) -> Statement:
    words = _areas(words, r"^((?:no )?area|(?:no )?network \S+ area|interface \S+ area) (\S+)")
    moved = re.fullmatch(r"(no )?passive-interface (?!default$)(\S+)( \S+)?", words)
    if moved:
        return (f"interface {moved[2]}",), f"{moved[1] or ''}ip ospf passive{moved[3] or ''}"
    if path[0].startswith("router ospf6"):
        if into := re.fullmatch(r"interface (\S+) (area \S+)", words):
            return (f"interface {into[1]}",), f"ipv6 ospf6 {into[2]}"
        return path, _in_order(re.sub(r"^(no )?router-id ", r"\1ospf6 router-id ", words))
    words = re.sub(r"^(no )?router-id ", r"\1ospf router-id ", words)
    words = re.sub(r"^(no )?ospf rfc1583compatibility$", r"\1compatible rfc1583", words)
    words = re.sub(r"^(neighbor \S+) priority 0$|^(area \S+ range \S+) advertise$", r"\1\2", words)
    return path, _in_order(_prefixes(words) if re.match(r"(no )?(area \S+ range|network|summary-address) ", words) else words)


def _of_bgp(path: Path, words: str) -> Statement:
    if len(path) == 1 and OF_UNICAST.match(words):
        path = (*path, UNICAST)
    words = re.sub(r"^(neighbor \S+ ebgp-multihop) 255$", r"\1", words)
    if masked := re.fullmatch(r"(no )?network (\S+) mask (\S+)(.*)", words):
        words = f"{masked[1] or ''}network {masked[2]}/{masked[3]}{masked[4]}"
    elif bare := re.fullmatch(r"(no )?network ([\d.]+)((?: .*)?)", words):
        words = f"{bare[1] or ''}network {bare[2]}/{_class(bare[2])}{bare[3]}"
    if found := re.fullmatch(r"aggregate-address (\S+)(.*)", words):
        flags = " ".join(sorted(re.findall(r"(?:route-map|origin|suppress-map) \S+|\S+", found[2])))
        words = f"aggregate-address {_network(found[1])} {flags}".strip()
    return path, _in_order(_prefixes(words) if words.startswith(("network", "no network")) else words)


def _class(address: str) -> int:
    """The prefix length of a network that is written without one, by its class (RFC 791)."""
    first = int(address.partition(".")[0])
    return 8 if first < 128 else 16 if first < 192 else 24


def _in_order(words: str) -> str:
    """A `redistribute` or `default-information originate` statement with its options in one order and without the defaults."""
    found = re.fullmatch(r"((?:no )?(?:redistribute \S+|default-information originate))(.*)", words)
    if not found:
        return words
    options = re.findall(r"(?:metric|metric-type|route-map|tag) \S+|\S+", found[2])
    return " ".join((found[1], *sorted(one for one in options if one != "metric-type 2")))


def _areas(words: str, pattern: str) -> str:
    """The statement with the area's id in dotted form."""
    return re.sub(pattern, lambda found: f"{found[1]} {in_dots(found[2])}", words)


def _prefixes(words: str) -> str:
    """The statement with each network without its host bits."""
    return " ".join(_network(word) for word in words.split())


def _network(word: str) -> str:
    """A network or an address as FRR writes it; any other word unchanged."""
    return _written(lambda text: ip_network(text, strict=False), word) if "/" in word else _written(ip_address, word)


def _written(parse: Callable[[str], object], word: str) -> str:
    try:
        return str(parse(word))
    except ValueError:
        return word


def _numbered(words: str) -> str:
    """A list's entry with its number; one without a number matches any, as each reload gives it the next (lib/filter.c, lib/plist.c)."""
    named = NUMBERED.fullmatch(words)
    entry = SEQUENCE.fullmatch(named[2]) if named else None
    if not named or not entry:
        return words
    kind = re.sub(r"^(ip )?access-list", "access-list", named[1])
    rule = _prefixes(re.sub(r"(permit|deny) host ", r"\1 ", entry[3]))
    return f"{kind} {entry[1]}seq {entry[2] or ANY} {rule}"


def _of_any_number(one: Statement) -> Statement:
    return one[0], re.sub(r" seq (\d+|\*) (?=permit|deny)", f" seq {ANY} ", one[1])


def beyond(ones: Iterable[Statement], others: Iterable[Statement]) -> frozenset[Statement]:
    """The statements that are not among the others. A list's entry without a number equals one with any number and the same rule."""
    present = frozenset(others)
    numberless = frozenset(map(_of_any_number, present))
    return frozenset(
        one
        for one in ones
        if one not in present and (of_any := _of_any_number(one)) not in present and not (one == of_any and one in numberless)
    )
