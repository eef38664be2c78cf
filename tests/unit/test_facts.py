"""Promises about facts: each that waits for other hosts ends in time, and a message names it."""

import subprocess
from dataclasses import replace

import pytest
from cases import case_of, changes

from tasks.checks.catalog import CATALOG
from tasks.core.connectors.host_agent import READ_S
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, HostFacts, Reading, union
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
    needs = [one.needs for one in (*changes().values(), *MAINTENANCE_CHECKS) if isinstance(one.needs, tuple)]
    for facts in (union(one.needs for one in CATALOG), union(needs)):
        assert 0 < bound_s(facts) + REST_S < READ_S * 0.9


def test_message_names_a_script_by_its_name() -> None:
    assert replace(Fact("one", "uptime", str), within_s=3).called == "`uptime`"
    assert Fact("one", "a\nb", str).called == "one"
