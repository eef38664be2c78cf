"""The changes of the fabric's drills, and their expected results, as data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Difference:
    """A change of alvin's frr.conf by a sed script, and the adjacencies that it ends: none, en06's, or all.

    `impact` is the expected impact if it is not of one port or of all. `ready` is {host: sed script} to run before.
    """

    script: str
    ends: Literal["", "en06", "all"] = ""
    impact: str = ""
    ready: Mapping[str, str] = field(default_factory=dict)


PORT, ROUTER = "/^interface en06$/,/^exit$/", "/^router ospf$/,/^exit$/"
KEPT_BY_A_PORT = ("ip ospf mtu-ignore", "ip ospf retransmit-interval 7")
KEPT_BY_THE_ROUTER = (
    "max-metric router-lsa administrative",
    "redistribute static",
    "timers throttle spf 0 60 600",
    "auto-cost reference-bandwidth 200000",
    "default-information originate always",
    "default-metric 7",
    "log-adjacency-changes detail",
    "maximum-paths 2",
)


def _followed_by(statements: Iterable[str]) -> str:
    return "".join(("&", *(f"\\n {one}" for one in statements)))


def _router_says(*statements: str) -> str:
    return f"{ROUTER} s#router-id .*#{_followed_by(statements)}#"


def _port_says(*statements: str) -> str:
    return f"{PORT} s/^ ip ospf bfd$/{_followed_by(statements)}/"


# Only an area other than the backbone can be a stub or NSSA: put the cable from alvin's en06 to simon's en05 into one.
IN_AREA_7 = {"alvin": f"{PORT} s/area 0.0.0.0/area 0.0.0.7/", "simon": "/^interface en05$/,/^exit$/ s/area 0.0.0.0/area 0.0.0.7/"}
OF_ANOTHER_KIND = "every OSPF adjacency of area 0.0.0.7 goes down until the other end has the same kind of area"
# The network statements of a router whose ports set no area. en06's address is in the first network.
NETWORKS = ("10.105.0.0/31", "10.105.0.2/31", "10.105.0.4/31", "10.104.0.0/24", "10.103.0.0/24")
BY_NETWORKS = {"alvin": "/^ ip ospf area/d; " + _router_says(*(f"network {one} area 0.0.0.0" for one in NETWORKS))}
WITHOUT_ITS_NETWORK = f"every OSPF adjacency ends on ports with an address in {NETWORKS[0]}, unless another statement enables OSPF on them"
FRR_RULES = {
    "cost": Difference(f"{PORT} s/cost 5/cost 6/"),
    "bfd": Difference(f"{PORT} s/^ ip ospf bfd profile burrow$/ ip ospf bfd profile other/"),
    "hello": Difference(f"{PORT} s/hello-interval 2/hello-interval 3/", "en06"),
    "dead": Difference(f"{PORT} s/dead-interval 10/dead-interval 12/", "en06"),
    "area": Difference(f"{PORT} s/area 0.0.0.0/area 0.0.0.7/", "en06"),
    "network": Difference(f"{PORT} s/network point-to-point/network broadcast/", "en06"),
    "passive": Difference(_port_says("ip ospf passive"), "en06"),
    "authentication": Difference(_port_says("ip ospf authentication message-digest", "ip ospf message-digest-key 1 md5 hush"), "en06"),
    "stops": Difference(f"{ROUTER} d", "all"),
    "router-id": Difference(f"{ROUTER} s/router-id .*/router-id 10.103.0.99/", "all"),
    "area-authentication": Difference(_router_says("area 0.0.0.0 authentication"), "all"),
    "passive-by-default": Difference(_router_says("passive-interface default"), "all"),
    "passive-by-name": Difference(_router_says("passive-interface en06"), "en06"),
    "bfd-goes": Difference(f"{PORT} {{/^ ip ospf bfd/d}}", "en06"),
    "stub": Difference(_router_says("area 0.0.0.7 stub"), "en06", OF_ANOTHER_KIND, IN_AREA_7),
    "nssa": Difference(_router_says("area 0.0.0.7 nssa"), "en06", OF_ANOTHER_KIND, IN_AREA_7),
    "network-goes": Difference(f"\\#^ network {NETWORKS[0]} #d", "en06", WITHOUT_ITS_NETWORK, BY_NETWORKS),
    "what keeps adjacencies": Difference(f"{_port_says(*KEPT_BY_A_PORT)}; {_router_says(*KEPT_BY_THE_ROUTER)}"),
}

# Changes of alvin's en06 in /etc/network/interfaces.
STANZA = "/^iface en06 /,/mtu/"
PORT_RULES = {
    "mtu": f"{STANZA} s/mtu .*/mtu 9000/",
    "address": f"{STANZA} s#address .*#address 10.105.0.200/31#",
}


@dataclass(frozen=True)
class Mistake:
    """A mistake by hand, {host: command}, the findings on simon that report it (target, wanted, found), and its remedy."""

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
                ("simon:router-id", "10.103.0.1 on simon only", "10.103.0.1 on simon and alvin"),
            }
        ),
        "systemctl reload frr; vtysh -c 'clear ip ospf process'",
    ),
}
