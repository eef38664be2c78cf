"""frr.conf keeps every line that a candidate does not name; a statement is found by its context and its key."""

import pytest

from tasks.core.agent.secrets import redact
from tasks.platforms.frr.frr_file import FrrFile, key_of, merge
from tasks.platforms.frr.impact import frr_impact

CONF = """\
frr version 10.3
frr defaults traditional
hostname alvin
!
! wired in the cellar
interface eno1
 description hand
exit
!
router bgp 65000
 bgp router-id 1.1.1.1
 address-family ipv4 unicast
  network 10.0.0.0/8
 exit-address-family
 timers bgp 3 9
exit
!
line vty
!
"""
PORT = "interface a\n ip ospf area 0.0.0.0\n ip ospf cost 5\n ip ospf hello-interval 2\nexit\n"
ROUTER = "router ospf\n ospf router-id 1.1.1.1\nexit\n"
SHORT = ROUTER.replace("ospf router-id", "router-id")
OSPF = f"{PORT}{ROUTER}"


def test_text_comes_back_byte_by_byte() -> None:
    assert str(FrrFile(CONF)) == CONF


@pytest.mark.parametrize(
    ("path", "key", "value"),
    [
        ((), "hostname", "alvin"),
        (("interface eno1",), "description", "hand"),
        (("router bgp 65000",), "timers bgp 3 9", ""),
        (("router bgp 65000", "address-family ipv4 unicast"), "network 10.0.0.0/8", ""),
        (("interface eno1",), "ip ospf cost", None),
        (("router ospf",), "ospf router-id", None),
    ],
)
def test_statement_is_found_in_its_context(path: tuple[str, ...], key: str, value: str | None) -> None:
    assert FrrFile(CONF).get(path, key) == value


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("ip ospf bfd", "ip ospf bfd"),
        ("ip ospf bfd profile burrow", "ip ospf bfd profile"),
        ("no ip ospf passive", "ip ospf passive"),
        ("ip ospf message-digest-key 1 md5 hush", "ip ospf message-digest-key"),
        ("neighbor 10.0.0.1 remote-as 1", "neighbor 10.0.0.1 remote-as 1"),
    ],
)
def test_key_is_the_part_of_a_statement_that_stays(words: str, key: str) -> None:
    assert key_of(tuple(words.split())) == key


CHANGES = {
    "sets-a-value": (PORT, "interface a\n ip ospf cost 7\nexit\n", PORT.replace("cost 5", "cost 7")),
    "adds-to-a-context": (CONF, "interface eno1\n ip ospf cost 7\nexit\n", CONF.replace(" hand\n", " hand\n ip ospf cost 7\n")),
    "leaves-what-is-right": (PORT, PORT, PORT),
    "takes-a-statement-away": (PORT, "interface a\n no ip ospf cost\nexit\n", PORT.replace(" ip ospf cost 5\n", "")),
    "takes-a-context-away": (OSPF, "no router ospf\n", PORT),
    "new-context-before-the-terminal-lines": (
        CONF,
        ROUTER,
        CONF.replace("line vty\n", f"{ROUTER}!\nline vty\n"),
    ),
    "second-of-a-kind-goes": (
        f"{PORT}interface a\n ip ospf cost 9\nexit\n",
        "interface a\n ip ospf cost 5\nexit\n",
        f"{PORT}interface a\nexit\n",
    ),
    "a-switch-is-set-by-its-no": ("hostname a\n", "no ipv6 forwarding\n", "hostname a\nno ipv6 forwarding\n"),
    "a-switch-is-turned": ("ipv6 forwarding\n", "no ipv6 forwarding\n", "no ipv6 forwarding\n"),
    "inner-context": (
        "bfd\n profile x\n  detect-multiplier 3\n exit\nexit\n",
        "bfd\n profile x\n  detect-multiplier 5\n  receive-interval 1000\n exit\nexit\n",
        "bfd\n profile x\n  detect-multiplier 5\n  receive-interval 1000\n exit\nexit\n",
    ),
    "router-id-in-its-second-spelling": (
        ROUTER.replace("ospf router-id", "router-id"),
        ROUTER,
        ROUTER.replace("ospf router-id", "router-id"),
    ),
    "router-id-in-its-second-spelling-changes": (ROUTER.replace("ospf router-id 1", "router-id 7"), ROUTER, ROUTER),
    "port-in-its-second-spelling": (PORT.replace("ip ospf", "ospf"), PORT, PORT.replace("ip ospf", "ospf")),
    "router-id-of-another-vrf-stays": (
        "router ospf vrf red\n ospf router-id 2.2.2.2\nexit\n",
        ROUTER,
        f"router ospf vrf red\n ospf router-id 2.2.2.2\nexit\n{ROUTER}!\n",
    ),
    "form-feed-ends-no-line": ("! a \f hostname b\nhostname a\n", "hostname a\n", "! a \f hostname b\nhostname a\n"),
    "no-end-of-line": ("hostname a", "ip forwarding\n", "hostname a\nip forwarding\n"),
    "nothing-there": ("", ROUTER, f"{ROUTER}!\n"),
}


@pytest.mark.parametrize(("before", "candidate", "after"), CHANGES.values(), ids=CHANGES)
def test_merge_changes_what_is_named_and_nothing_else(before: str, candidate: str, after: str) -> None:
    assert merge(before, candidate) == after
    assert merge(after, candidate) == after


def routed(statement: str) -> str:
    """OSPF with one more router statement."""
    return OSPF.replace("1.1.1.1\n", f"1.1.1.1\n {statement}\n")


IMPACTS = {
    "starts": ("", OSPF, ["OSPF starts"]),
    "stops": (OSPF, PORT, ["OSPF stops: every adjacency ends"]),
    "router-id": (OSPF, OSPF.replace("1.1.1.1", "2.2.2.2"), ["every OSPF adjacency goes down and up: the router id changes"]),
    "cost": (OSPF, OSPF.replace("cost 5", "cost 6"), ["a changes its OSPF cost: traffic moves, adjacencies stay"]),
    "hello": (
        OSPF,
        OSPF.replace("interval 2", "interval 3"),
        ["a's OSPF adjacency goes down until the other end has the same hello-interval"],
    ),
    "area": (OSPF, OSPF.replace("area 0.0.0.0", "area 0.0.0.1"), ["a's OSPF adjacency goes down until the other end has the same area"]),
    "passive": (OSPF, OSPF.replace("cost 5\n", "cost 5\n ip ospf passive\n"), ["a's OSPF adjacency goes down: it becomes passive"]),
    "first-of-a-port": (ROUTER, OSPF, []),
    "nothing": (OSPF, OSPF, []),
    "area-authentication": (
        OSPF,
        routed("area 0.0.0.0 authentication message-digest"),
        ["every OSPF adjacency of area 0.0.0.0 without an authentication of its own goes down until the other end has the same"],
    ),
    "stub": (
        OSPF,
        routed("area 0.0.0.7 stub"),
        ["every OSPF adjacency of area 0.0.0.7 goes down until the other end has the same kind of area"],
    ),
    "nssa": (
        routed("area 0.0.0.7 nssa"),
        OSPF,
        ["every OSPF adjacency of area 0.0.0.7 goes down until the other end has the same kind of area"],
    ),
    "passive-by-default": (
        OSPF,
        routed("passive-interface default"),
        ["every OSPF adjacency goes down, except on ports with `no ip ospf passive`: all other ports become passive"],
    ),
    "no-longer-passive-by-default": (
        routed("passive-interface default"),
        OSPF,
        ["every OSPF port without a setting of its own is no longer passive: its adjacency comes up"],
    ),
    "passive-as-it-is-by-default": (
        routed("passive-interface default").replace("cost 5\n", "cost 5\n no ip ospf passive\n"),
        routed("passive-interface default"),
        ["a's OSPF adjacency goes down: it becomes passive"],
    ),
    "passive-in-the-router": (
        OSPF,
        routed("passive-interface a"),
        ["a's OSPF adjacency goes down: it becomes passive"],
    ),
    "router-id-in-another-spelling": (OSPF, OSPF.replace("ospf router-id", "router-id"), []),
    "area-in-another-form": (OSPF, OSPF.replace("area 0.0.0.0", "area 0"), []),
    "port-that-was-passive": (
        OSPF.replace("cost 5\n", "cost 5\n ip ospf passive\n"),
        OSPF.replace("cost 5\n", "cost 6\n ip ospf passive\n"),
        [],
    ),
    "network-comes": (OSPF, routed("network 10.0.0.0/24 area 0"), ["OSPF starts on ports with an address in 10.0.0.0/24"]),
    "network-goes": (
        routed("network 10.0.0.0/24 area 0"),
        OSPF,
        ["every OSPF adjacency ends on ports with an address in 10.0.0.0/24, unless another statement enables OSPF on them"],
    ),
    "port-by-network": (
        f"interface b\n ip ospf hello-interval 2\nexit\n{routed('network 10.0.0.0/24 area 0')}",
        f"interface b\n ip ospf hello-interval 3\nexit\n{routed('network 10.0.0.0/24 area 0')}",
        ["b's OSPF adjacency goes down until the other end has the same hello-interval"],
    ),
    "mtu-ignore": (
        OSPF,
        OSPF.replace("cost 5\n", "cost 5\n ip ospf mtu-ignore\n"),
        ["a no longer compares MTUs when an OSPF adjacency begins; the present one stays"],
    ),
    "max-metric": (
        OSPF,
        routed("max-metric router-lsa administrative"),
        ["the router becomes a stub router: transit traffic moves away from it, adjacencies stay"],
    ),
    "max-metric-goes": (
        routed("max-metric router-lsa administrative"),
        OSPF,
        ["the router is no longer a stub router: transit traffic may use it again, adjacencies stay"],
    ),
    "bfd-goes": (
        OSPF.replace("cost 5\n", "cost 5\n ip ospf bfd\n"),
        OSPF,
        ["a's OSPF adjacency goes down and up: its BFD session ends"],
    ),
    "bfd-comes": (OSPF, OSPF.replace("cost 5\n", "cost 5\n ip ospf bfd\n ip ospf bfd profile burrow\n"), []),
    "unknown-of-the-router": (
        OSPF,
        routed("capability opaque"),
        ["the impact of `capability opaque` on OSPF is unknown: assume that every adjacency ends"],
    ),
    "unknown-of-a-port": (
        OSPF,
        OSPF.replace("cost 5\n", "cost 5\n ip ospf priority 7\n"),
        ["the impact of `ip ospf priority 7` on a is unknown: assume that its OSPF adjacency ends"],
    ),
    "unknown-of-a-port-without-ospf": (
        f"interface b\n link-params\nexit\n{ROUTER}",
        f"interface b\n link-params\n shutdown\nexit\n{ROUTER}",
        [],
    ),
    "one-of-several-routers": (
        f"{OSPF}router ospf vrf red\nexit\n",
        f"{OSPF}router ospf vrf red\n ospf router-id 3.3.3.3\nexit\n",
        ["every OSPF adjacency goes down and up: the router id changes"],
    ),
    "key": (
        OSPF,
        OSPF.replace("cost 5\n", "cost 5\n ip ospf message-digest-key 1 md5 hush\n"),
        ["a's OSPF adjacency goes down until the other end has the same authentication"],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), IMPACTS.values(), ids=IMPACTS)
def test_impact_on_adjacencies(before: str, after: str, expected: list[str]) -> None:
    assert list(frr_impact(before, after)) == expected


def test_impact_shows_no_key() -> None:
    (printed,) = frr_impact(OSPF, OSPF.replace("cost 5\n", "cost 5\n ip ospf authentication-key 10.0.0.1 hush\n"))
    assert "hush" not in printed


@pytest.mark.parametrize(
    "line",
    [
        " ip ospf message-digest-key 1 md5 hush\n",
        " ip ospf authentication-key hush\n",
        "password hush\n",
        "enable password 8 hush\n",
        "  key-string hush\n",
        " neighbor 10.0.0.1 password hush\n",
    ],
)
def test_no_key_is_shown(line: str) -> None:
    assert "hush" not in redact(line)
    assert redact(line).startswith(line.rpartition("hush")[0])
