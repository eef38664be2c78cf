"""Configuration that FRR runs and no file holds: found statement by statement, in whatever form a file writes it."""

import pytest
from cases import case_of

from tasks.platforms.frr.form import beyond, normal_form
from tasks.platforms.frr.frr_file import FrrFile, merge
from tasks.platforms.frr.running import NOT_LOST, split_files, unsaved

# A file written by hand, and what FRR 10.3 showed after it had read it.
HAND = case_of("checks/frr_runs_what_its_file_says", "written-by-hand").facts["alvin"].readings
FILE, RUNNING = (HAND[name].out for name in ("frr_conf", "frr"))
RUNNING = RUNNING.partition("\n")[2]
PARSED = FrrFile(RUNNING).lines
SAID = [index for index, line in enumerate(PARSED) if line.key and normal_form(line.text) and not NOT_LOST.match(line.text)]


def test_statements_that_frr_rewrites_are_not_lost() -> None:
    assert unsaved(RUNNING, FILE, FILE, "").lost == ()
    assert unsaved(RUNNING, RUNNING, RUNNING, "").lost == ()


@pytest.mark.parametrize("index", SAID, ids=[f"{index} {PARSED[index].text.strip()}" for index in SAID])
def test_each_statement_that_no_file_holds_is_named(index: int) -> None:
    """The file has all running configuration except this statement; a context that is missing takes its statements along."""
    gone = PARSED[index]
    file = "".join(line.text for line in PARSED if line is not gone and (not gone.opens or line.path[: len(gone.opens)] != gone.opens))
    expected = {one for one in beyond(normal_form(RUNNING), normal_form(file)) if not NOT_LOST.match(one[1])}
    assert len(unsaved(RUNNING, file, file, "").lost) == len(expected) >= 1


PORT = "interface en05\n ip ospf area 0.0.0.0\n ip ospf cost 5\nexit\nrouter ospf\n ospf router-id 10.0.0.1\nexit\n"
SAME = {
    "area-in-a-number": (PORT.replace("0.0.0.0", "0"), PORT),
    "passive-by-the-router": (
        f"{PORT}router ospf\n passive-interface vmbr0\nexit\n",
        f"{PORT}interface vmbr0\n ip ospf passive\nexit\n",
    ),
    "router-id-in-other-words": (PORT.replace("ospf router-id", "router-id"), PORT),
    "tabs-and-blanks": (PORT.replace(" ip ospf cost 5", "\tip  ospf\tcost 5 "), PORT),
    "null-route": ("ip route 10.9.0.0/16 null0\n", "ip route 10.9.0.0/16 Null0\n"),
    "mask": ("ip route 10.9.0.0 255.255.0.0 10.0.0.1 1\n", "ip route 10.9.0.0/16 10.0.0.1\n"),
    "route-of-a-vrf": ("ip route 10.9.0.0/16 10.0.0.1 vrf red\n", "vrf red\n ip route 10.9.0.0/16 10.0.0.1\nexit-vrf\n"),
    "numbers-of-a-list": ("ip prefix-list A permit 10.0.0.0/8\n", "ip prefix-list A seq 5 permit 10.0.0.0/8\n"),
    "numbers-of-a-list-after-some-reloads": ("ip prefix-list A permit 10.0.0.0/8\n", "ip prefix-list A seq 10 permit 10.0.0.0/8\n"),
    "family-of-bgp": (
        "router bgp 65001\n network 10.1.0.0/16\nexit\n",
        "router bgp 65001\n !\n address-family ipv4 unicast\n  network 10.1.0.0/16\n exit-address-family\nexit\n",
    ),
    "forwarding-of-the-kernel": (PORT, f"no ip forwarding\nno ipv6 forwarding\n{PORT}"),
    "what-nobody-configured": (PORT, f"{PORT}interface eno1\nexit\nvrf red\nexit-vrf\nline vty\nexit\n"),
}


@pytest.mark.parametrize(("file", "running"), SAME.values(), ids=SAME)
def test_equal_statements_in_another_form_are_not_lost(file: str, running: str) -> None:
    assert unsaved(running, file, file, "").lost == ()


def test_file_without_indentation_is_the_same() -> None:
    """As when it is pasted into vtysh: contexts end at their `exit`, or where another context begins."""
    flat = "".join(f"{line.strip()}\n" for line in FILE.splitlines())
    assert normal_form(flat) == normal_form(FILE)
    assert unsaved(RUNNING, flat, flat, "").lost == ()
    merged = merge(flat, CANDIDATE)
    assert normal_form(merged) == normal_form(merge(FILE, CANDIDATE))
    assert merge(merged, CANDIDATE) == merged


LOST = {
    "static-route": ("ip route 10.99.0.0/16 172.16.0.1\n", ["ip route 10.99.0.0/16 172.16.0.1"]),
    "another-hop": ("ip route 10.9.0.0/16 10.0.0.2\n", ["ip route 10.9.0.0/16 10.0.0.2"]),
    "bgp": (
        "router bgp 65001\n neighbor 10.0.0.2 password hush\nexit\n",
        ["router bgp 65001", "router bgp 65001 / neighbor 10.0.0.2 password <removed>"],
    ),
    "empty-bgp": ("router bgp 65001\nexit\n", ["router bgp 65001"]),
    "port": ("interface eno2\n ip ospf area 0.0.0.7\nexit\n", ["interface eno2 / ip ospf area 0.0.0.7"]),
    "beside-what-is-owned": ("interface en05\n ip ospf priority 7\nexit\n", ["interface en05 / ip ospf priority 7"]),
    "entry-of-a-list": ("ip prefix-list A seq 10 permit 10.0.0.0/8\n", ["ip prefix-list A seq 10 permit 10.0.0.0/8"]),
    "of-the-router": ("router ospf\n redistribute static\nexit\n", ["router ospf / redistribute static"]),
}
CANDIDATE = "interface en05\n ip ospf cost 7\nexit\n"


@pytest.mark.parametrize(("more", "lost"), LOST.values(), ids=LOST)
def test_statements_that_would_be_lost_are_named(more: str, lost: list[str]) -> None:
    found = unsaved(PORT + more, PORT, PORT.replace("cost 5", "cost 7"), CANDIDATE)
    assert list(found.lost) == lost
    assert all(f"`{one}`" in found.refusal for one in lost)
    assert "write memory" in found.refusal


def test_a_value_that_the_candidate_sets_is_corrected_and_reported() -> None:
    found = unsaved(PORT.replace("cost 5", "cost 77"), PORT, PORT.replace("cost 5", "cost 7"), CANDIDATE)
    assert found.refusal == ""
    assert found.impact == ("FRR runs `interface en05 / ip ospf cost 77`, which is not in /etc/frr/frr.conf: it is removed",)


def test_a_context_that_the_candidate_removes_is_corrected() -> None:
    running = f"{PORT}router bgp 65001\n neighbor 10.0.0.2 remote-as 65002\nexit\n"
    assert unsaved(running, PORT, PORT, "no router bgp 65001\n").lost == ()


@pytest.mark.parametrize(
    ("layout", "expected"),
    [
        ("", ""),
        ("/etc/frr/vtysh.conf\n/etc/frr/support_bundle_commands.conf\n/etc/frr/daemons.conf\n", ""),
        ("/etc/frr/ospfd.conf\n/etc/frr/zebra.conf\n", "/etc/frr/ospfd.conf, /etc/frr/zebra.conf contain"),
        ("no service integrated-vtysh-config\n", "no service integrated-vtysh-config"),
    ],
)
def test_files_of_the_daemons_are_the_reason(layout: str, expected: str) -> None:
    reason = split_files(layout)
    assert expected in reason
    assert bool(reason) is bool(expected)
