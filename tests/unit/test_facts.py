"""Promises about facts: each that waits for other hosts ends in time, and a message names it."""

import subprocess
from dataclasses import replace

import pytest
from cases import case_of, changes

from tasks.checks.catalog import CATALOG
from tasks.core.connectors.host_agent import READ_S
from tasks.core.model.errors import BurrowError, LinkError
from tasks.core.model.fact import Fact, HostFacts, Reading, through, union
from tasks.storage.ceph.maintenance_checks import MAINTENANCE_CHECKS

SITE = case_of("ceph_pool", "already-right").site
# The time that the facts without a limit may take together: the name server is asked for 5 s, pings take 2 s, a slow host needs the rest.
REST_S = 12
KILL_S = 1


def read(fact: Fact[str]) -> Reading:
    done = subprocess.run(["/bin/sh", "-c", fact.on(SITE, "alvin").command], capture_output=True, text=True, check=False)
    return Reading(done.returncode, done.stdout, done.stderr)


def test_bounded_fact_that_answers_is_like_any_other() -> None:
    script = """cat <<'BURROW'\nit's $HOME "so"\nBURROW\ncat; echo aside >&2; exit 3"""
    assert read(Fact("quick", script, str, within_s=5)) == read(Fact("quick", script, str)) == Reading(3, 'it\'s $HOME "so"\n', "aside\n")


def test_bounded_fact_that_hangs_is_an_error_and_the_others_are_read() -> None:
    slow = Fact("slow", "echo begun\nsleep 9 | cat", str, within_s=1)
    facts = HostFacts("alvin", {"slow": read(slow), "quick": Reading(0, "well")})
    with pytest.raises(BurrowError, match=r"^alvin: slow ended with 124: no answer within 1 s$"):
        facts[slow]
    assert facts[Fact("quick", "true", str)] == "well"


def bound_s(facts: tuple[Fact[object], ...]) -> int:
    return sum(fact.within_s + KILL_S for fact in facts if fact.within_s)


def test_facts_that_wait_for_other_hosts_fit_into_one_reading() -> None:
    """In the audit, and in a run with the conditions of a maintenance."""
    changing = [*changes().values(), *MAINTENANCE_CHECKS]
    for them in (CATALOG, changing):
        needs = [facts for one in them if isinstance(one.needs, tuple) for facts in (one.needs, *(facts for _, facts in one.also))]
        facts = union(needs)
        assert 0 < bound_s(facts) + REST_S < READ_S * 0.9


def test_message_names_a_script_by_its_name() -> None:
    assert replace(Fact("one", "uptime", str), within_s=3).called == "`uptime`"
    assert Fact("one", "a\nb", str).called == "one"


COUNT = Fact("count", "count", int, answers=bool)


def answered(host: str, out: str, rc: int = 0) -> HostFacts:
    return HostFacts(host, {"count": Reading(rc, out)})


@pytest.mark.parametrize(
    ("outs", "chosen"),
    [
        ((("1", 0), ("2", 0)), "a"),
        ((("0", 0), ("2", 0)), "b"),
        ((("0", 0), ("0", 0)), "a"),
        ((("", 1), ("2", 0)), "b"),
        ((("many", 0), ("2", 0)), "b"),
        ((("", 1), ("", 1)), "a"),
    ],
)
def test_cluster_is_read_through_the_first_endpoint_that_knows_it(outs: tuple[tuple[str, int], ...], chosen: str) -> None:
    answers = {host: answered(host, *out) for host, out in zip("ab", outs, strict=True)}
    found = through([COUNT], answers)
    assert isinstance(found, HostFacts)
    assert (found.host, list(found.each)) == (chosen, ["a", "b"])


def test_cluster_is_silent_where_all_of_its_endpoints_are() -> None:
    first, second = LinkError("a: no route"), LinkError("b: no route")
    silent = through([COUNT], {"a": first, "b": second})
    assert (type(silent), str(silent)) == (LinkError, "a: no route; b: no route")
    assert through([COUNT], {"a": first, "b": answered("b", "0")}).each.keys() == {"b"}  # type: ignore[union-attr]
