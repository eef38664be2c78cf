"""What the drills of the fabric change, and what must come of it: data alone."""

from collections.abc import Mapping
from dataclasses import dataclass

# A line of alvin's en06 (or of its router), its new words, and which adjacencies end for it: none, that one, or all.
PORT, ROUTER = "/^interface en06$/,/^exit$/", "/^router ospf$/,/^exit$/"
KEPT_BY_A_PORT = "s/^ ip ospf bfd$/&\\n ip ospf mtu-ignore\\n ip ospf retransmit-interval 7/"
KEPT_BY_THE_ROUTER = "s/router-id .*/&\\n max-metric router-lsa administrative\\n redistribute static\\n timers throttle spf 0 60 600/"
FRR_RULES = {
    "cost": (f"{PORT} s/cost 5/cost 6/", ""),
    "bfd": (f"{PORT} s/^ ip ospf bfd profile burrow$/ ip ospf bfd profile other/", ""),
    "hello": (f"{PORT} s/hello-interval 2/hello-interval 3/", "en06"),
    "dead": (f"{PORT} s/dead-interval 10/dead-interval 12/", "en06"),
    "area": (f"{PORT} s/area 0.0.0.0/area 0.0.0.7/", "en06"),
    "network": (f"{PORT} s/network point-to-point/network broadcast/", "en06"),
    "passive": (f"{PORT} s/^ ip ospf bfd$/ ip ospf bfd\\n ip ospf passive/", "en06"),
    "authentication": (
        f"{PORT} s/^ ip ospf bfd$/ ip ospf bfd\\n ip ospf authentication message-digest\\n ip ospf message-digest-key 1 md5 hush/",
        "en06",
    ),
    "stops": (f"{ROUTER} d", "all"),
    "router-id": (f"{ROUTER} s/router-id .*/router-id 10.103.0.99/", "all"),
    "area-authentication": (f"{ROUTER} s/router-id .*/&\\n area 0.0.0.0 authentication/", "all"),
    "passive-by-default": (f"{ROUTER} s/router-id .*/&\\n passive-interface default/", "all"),
    "passive-by-name": (f"{ROUTER} s/router-id .*/&\\n passive-interface en06/", "en06"),
    "bfd-goes": (f"{PORT} {{/^ ip ospf bfd/d}}", "en06"),
    "what keeps adjacencies": (f"{PORT} {KEPT_BY_A_PORT}; {ROUTER} {KEPT_BY_THE_ROUTER}", ""),
}

# What of alvin's en06 changes in the other file.
STANZA = "/^iface en06 /,/mtu/"
PORT_RULES = {
    "mtu": f"{STANZA} s/mtu .*/mtu 9000/",
    "address": f"{STANZA} s#address .*#address 10.105.0.200/31#",
}


@dataclass(frozen=True)
class Mistake:
    """What somebody does by hand, {host: command}, each finding of simon's that names it (target, wanted, found), and what mends it."""

    by_hand: Mapping[str, str]
    findings: frozenset[tuple[str, str, str]]
    remedy: str = "systemctl reload frr"
    ends_adjacency: bool = False


def _typed(*statements: str) -> str:
    return " ".join(["vtysh", *(f"-c '{one}'" for one in ("configure terminal", *statements))])


def _signed(port: str, key: str) -> str:
    return _typed(f"interface {port}", "ip ospf authentication message-digest", f"ip ospf message-digest-key 1 md5 {key}")


SIGNED_BY_HAND = ("simon:en05 authentication", "not signed", "authentication differs: signed in another way")
KEYS_DIFFER = "authentication differs from that of alvin:en06"
# simon's en05 is cabled to alvin's en06.
MISTAKES = {
    "mtu": Mistake({"simon": "ip link set en05 mtu 9000"}, frozenset({("simon:en05 mtu", "65520", "9000")}), "ifreload -a"),
    "area": Mistake(
        {"simon": _typed("interface en05", "no ip ospf area 0.0.0.0", "ip ospf area 0.0.0.9")},
        frozenset(
            {
                ("simon:en05 area", "0.0.0.0", "0.0.0.9"),
                ("simon:en05", "as alvin:en06", "area differs: 0.0.0.9 here, 0.0.0.0 on alvin:en06"),
            }
        ),
    ),
    "one end signs": Mistake({"simon": _signed("en05", "hush")}, frozenset({SIGNED_BY_HAND, ("simon:en05", "as alvin:en06", KEYS_DIFFER)})),
    "both ends sign, each with its own key": Mistake(
        {"simon": _signed("en05", "hush"), "alvin": _signed("en06", "hush-hush")},
        frozenset(
            {
                SIGNED_BY_HAND,
                ("simon:en05", "as alvin:en06", KEYS_DIFFER),
                ("simon:en05", "Full with alvin", f"no neighbour: {KEYS_DIFFER}"),
            }
        ),
        ends_adjacency=True,
    ),
    "router-id": Mistake(
        {"simon": _typed("router ospf", "ospf router-id 10.103.0.1", "end", "clear ip ospf process")},
        frozenset(
            {
                ("simon:router-id", "10.103.0.2", "10.103.0.1"),
                ("simon:router-id", "10.103.0.1 on simon alone", "10.103.0.1 on simon and alvin"),
            }
        ),
        "systemctl reload frr; vtysh -c 'clear ip ospf process'",
    ),
}
