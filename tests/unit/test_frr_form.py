"""FRR's normal form: one configuration in any spelling is one form, and a merge changes what its candidate names."""

import random

import pytest
from random_frr import Path, statements, text

from tasks.platforms.frr.form import Statement, is_repeated, normal_form
from tasks.platforms.frr.frr_file import FrrFile, merge
from tasks.platforms.text_lines import raw_lines

CANDIDATES = (
    "interface eno1\n ip ospf area 0.0.0.0\n ip ospf cost 9\n ip ospf network point-to-point\nexit\n",
    "interface en05\n ip ospf hello-interval 3\n ip ospf bfd\n ip ospf bfd profile fabric\nexit\nrouter ospf\n router-id 9.9.9.9\nexit\n",
    "bfd\n profile fabric\n  detect-multiplier 5\n exit\nexit\nip prefix-list NEW seq 5 permit 10.0.0.0/8\n",
    "interface eno2\n no ip ospf cost\n no ip ospf passive\nexit\nno router ospf\n",
)


def shown(frr_conf: str) -> set[Statement]:
    """What FRR shows of a text once it has read it."""
    return {one for one in normal_form(frr_conf) if is_repeated(one)}


def named(candidate: str) -> tuple[set[tuple[Path, str]], set[str]]:
    """The (context, key) of each statement that a candidate sets or removes, and the contexts that it removes."""
    lines = [line for line in FrrFile(candidate).lines if line.key and not line.opens]
    return {(line.path, line.key) for line in lines}, {line.key for line in lines if not line.path and line.words[0] == "no"}


@pytest.mark.parametrize("seed", range(200))
def test_two_spellings_of_one_configuration_have_one_form(seed: int) -> None:
    found = statements(seed)
    first, second = text(found, seed), text(found, -seed - 1)
    assert shown(first) == shown(second)
    assert str(FrrFile(first)) == first
    assert shown(first) != shown(text([(((), "ip route 10.6.0.0/16 10.0.0.1"),), *found], seed))


@pytest.mark.parametrize("seed", range(200))
def test_merge_changes_what_the_candidate_names_and_merges_once(seed: int) -> None:
    before, candidate = text(statements(seed), seed), random.Random(seed).choice(CANDIDATES)
    after = merge(before, candidate)
    keys, contexts = named(candidate)
    assert merge(after, candidate) == after
    own = [
        line for line in FrrFile(before).lines if (line.path, line.key) not in keys and not contexts & {*line.path, " ".join(line.words)}
    ]
    kept = iter(raw_lines(f"{after}\n" if after and not after.endswith("\n") else after))
    assert all(line.text.rstrip("\n") in (one.rstrip("\n") for one in kept) for line in own), "a line of somebody else changed or moved"
    want = {one for one in normal_form(candidate) if not one[1].startswith("no ")}
    assert want <= normal_form(after)


PORT = "interface a\n"
ROUTER = "router ospf\n"
ONE_FORM = {
    "last-cost": (f"{PORT} ip ospf cost 5\n ip ospf cost 6\n", f"{PORT} ip ospf cost 6\n"),
    "cost-of-an-address-stays": (
        f"{PORT} ip ospf cost 6\n ip ospf cost 5 10.0.0.1\n",
        f"{PORT} ip ospf cost 5 10.0.0.1\n ip ospf cost 6\n",
    ),
    "first-area": (f"{PORT} ip ospf area 0\n ip ospf area 1\n", f"{PORT} ip ospf area 0.0.0.0\n"),
    "second-key-stays": (
        f"{PORT} ip ospf authentication-key x\n ip ospf authentication message-digest\n",
        f"{PORT} ip ospf authentication message-digest\n ip ospf authentication-key x\n",
    ),
    "value-taken-away": (f"{PORT} ip ospf cost 5\n no ip ospf cost\n", f"{PORT} no ip ospf cost\n"),
    "context-taken-away": (f"{ROUTER} ospf router-id 1.1.1.1\nexit\nno router ospf\n", "no router ospf\n"),
    "bfd-after-its-profile": (f"{PORT} ip ospf bfd profile x\n ip ospf bfd\n", f"{PORT} ip ospf bfd\n"),
    "last-router-id": (f"{ROUTER} ospf router-id 1.1.1.1\n router-id 2.2.2.2\n", f"{ROUTER} ospf router-id 2.2.2.2\n"),
    "last-redistribution": (f"{ROUTER} redistribute static metric 5\n redistribute static\n", f"{ROUTER} redistribute static\n"),
    "compatible": (f"{ROUTER} ospf rfc1583compatibility\n", f"{ROUTER} compatible rfc1583\n"),
    "last-distance-of-a-route": ("ip route 10.9.0.0/16 10.0.0.1 5\nip route 10.9.0.0/16 10.0.0.1 6\n", "ip route 10.9.0.0/16 10.0.0.1 6\n"),
    "last-rule-of-a-number": ("ip prefix-list A seq 5 permit any\nip prefix-list A seq 5 deny any\n", "ip prefix-list A seq 5 deny any\n"),
    "rule-with-host-bits": ("access-list A permit 10.1.2.3/8\n", "access-list A permit 10.0.0.0/8\n"),
    "level-of-the-log": ("log syslog debugging\n", "log syslog\n"),
    "route-in-a-port": (
        f"{PORT} ip ospf cost 5\n ip route 10.9.0.0/16 Null0\n",
        f"{PORT} ip ospf cost 5\nexit\nip route 10.9.0.0/16 Null0\n",
    ),
    "port-in-a-router": (f"{ROUTER} distance 9\n interface a\n  ip ospf cost 5\n", f"{PORT} ip ospf cost 5\n{ROUTER} distance 9\n"),
    "comment-in-a-flat-context": ("router ospf\n! why\nospf router-id 1.1.1.1\n", f"{ROUTER} ospf router-id 1.1.1.1\n"),
}


@pytest.mark.parametrize(("one", "other"), ONE_FORM.values(), ids=ONE_FORM)
def test_texts_that_frr_treats_alike_have_one_form(one: str, other: str) -> None:
    assert normal_form(one) == normal_form(other)


def test_value_of_a_file_is_the_one_that_frr_takes() -> None:
    file = FrrFile(f"{PORT} ip ospf cost 5\n ip ospf area 0\n ip ospf cost 6\n ip ospf area 1\n ip ospf priority 3\n no ip ospf priority\n")
    assert file.get(("interface a",), "ip ospf cost") == "6"
    assert file.get(("interface a",), "ip ospf area") == "0.0.0.0"
    assert file.get(("interface a",), "ip ospf bfd") is None


def test_bfd_is_added_before_its_profile() -> None:
    before = f"{PORT} ip ospf bfd profile x\nexit\n"
    after = merge(before, f"{PORT} ip ospf bfd\n ip ospf bfd profile x\nexit\n")
    assert after == f"{PORT} ip ospf bfd\n ip ospf bfd profile x\nexit\n"
