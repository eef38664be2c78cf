"""Which earlier statement of frr.conf a later one replaces: FRR keeps one value of each of these settings (tried with FRR 10.3)."""

import re
from collections.abc import Iterator

_ADDRESS = r"(?:.*?( \d+\.\d+\.\d+\.\d+)|.*)$"
_TIMES = "cost|hello-interval|dead-interval|priority|retransmit-interval|transmit-delay|network"
# What identifies a setting: all that a pattern matches, or its groups where it has any.
_PATTERNS = (
    *(rf"(ip ospf (?:{_TIMES}|authentication))(?![\w-]){_ADDRESS}", rf"ipv6 ospf6 (?:{_TIMES})", "description", "bandwidth"),
    *(r"ospf6? router-id", r"timers (?:throttle spf|lsa min-arrival|bgp)", "auto-cost reference-bandwidth", "maximum-paths"),
    *(r"(distance) \d+$", r"redistribute \S+", "default-information originate", "log-adjacency-changes", "refresh timer"),
    *(r"area \S+ (?:stub|nssa|authentication|default-cost|range \S+)", r"max-metric router-lsa \S+"),
    *("bgp router-id", r"neighbor \S+ (?:remote-as|description|ebgp-multihop|update-source|timers|weight|password|maximum-prefix)\b"),
    *(r"network [\d.]+/\d+(?! area)", r"aggregate-address \S+"),
    *(r"set (?:src|metric|local-preference|tag|weight|origin)", r"match ip address(?! prefix)", "call", "ip router-id"),
    *(r"(ip(?:v6)? route \S+ .*?)(?: distance \d+| tag \d+| metric \d+)*$", r"ip protocol \S+", "log syslog", "hostname"),
    *(r"(?:ip |ipv6 )?(?:prefix|access)-list \S+ seq \d+", "detect-multiplier", "(?:echo )?(?:receive|transmit)-interval"),
)
_SETTINGS = tuple(re.compile(rf"{pattern}(?![\w-])" if "$" not in pattern else pattern) for pattern in _PATTERNS)
# FRR refuses to replace the area of a port.
KEPT = "ip ospf area"


def setting(words: str) -> str:
    """What a statement sets, of which FRR keeps one value; the whole statement where it keeps each. A `no` does not change it."""
    positive = words.removeprefix("no ")
    if positive.startswith(KEPT):
        return KEPT
    found = next((found for one in _SETTINGS if (found := one.match(positive))), None)
    return "".join(filter(None, found.groups() or (found[0],))) if found else positive


def removed(words: str, present: dict[str, str]) -> Iterator[str]:
    """The settings that a statement takes away from those of its context: `no` takes away every value that it does not name."""
    positive = words.removeprefix("no ")
    if words.startswith("no "):
        yield from (name for name, one in present.items() if one == positive or one.startswith(f"{positive} "))
    elif words == "ip ospf bfd":
        yield from (name for name in present if name.startswith("ip ospf bfd profile "))
