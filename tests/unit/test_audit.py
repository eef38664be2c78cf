"""An audit judges each host once it was read, and forgets it: the same verdicts, whatever the order, and little is held."""

import gc
import random
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from engine import World

from inventory.site import Site
from tasks.core.engine.audit import Audit
from tasks.core.engine.execute import execute
from tasks.core.engine.run import Run
from tasks.core.engine.runbook import OK, Options, Runbook, Stage
from tasks.core.model.check import Check, Finding, Kept, Scope, Severity, check, judge
from tasks.core.model.errors import BurrowError, LinkError
from tasks.core.model.fact import Fact, Facts, HostFacts, Reading

WORD, ID = Fact("word", "word", str), Fact("id", "id", str.strip)
COMMON: dict[str, Any] = {"severity": Severity.MINOR, "remediation": "Wait.", "tags": ()}


@check(needs=(WORD,), **COMMON)
def word_is_short(_: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The word is short."""
    assert facts.keys() == {host}
    yield Finding(host, "short", "short" if len(facts[host][WORD]) < 5 else "long")


@check(needs=(ID,), scope=Scope.PEERS, **COMMON)
def neighbours_are_known(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each neighbour has an id."""
    for cable in site.cables_of(host):
        far = cable.far(host).host
        yield Finding(f"{host}:{far}", "an id", facts[far][ID] and "an id" if far in facts else "not read")


@check(needs=(ID,), scope=Scope.SITE, keep=lambda facts: facts[ID], **COMMON)
def ids_are_unique(_: Site, ids: Kept, host: str) -> Iterator[Finding]:
    """No two hosts have one id."""
    yield Finding(host, host, " ".join(ids.having(ids[host])))


CHECKS: tuple[Check, ...] = (word_is_short, neighbours_are_known, ids_are_unique)
HOSTS = ("alvin", "simon", "sw-rack")


class Replayed:
    """A run whose hosts were read before, and answer in any order. It counts how many of their facts are alive."""

    def __init__(self, run: Run, answers: dict[str, HostFacts | BurrowError]) -> None:
        self.site, self.unreachable, self.first_facts = run.site, dict[str, str](), dict[str, HostFacts]()
        self.answers, self.said, self.most = answers, list[tuple[str, str]](), 0

    def observe(self, targets: Any, needs: Any) -> dict[str, Any]:
        del needs
        return {target: self.answers[target] for target in targets}

    def observe_each(self, needs: Any, take: Any, *, close: bool) -> None:
        assert close
        alive: list[weakref.ref[Any]] = []
        for host in needs:
            answer = self.answers[host]
            one = answer if isinstance(answer, BurrowError) else HostFacts(host, dict(answer.readings))
            if isinstance(one, HostFacts):
                alive.append(weakref.ref(one))
            take(host, one)
            del one
            gc.collect()
            self.most = max(self.most, sum(ref() is not None for ref in alive))

    def say(self, kind: str, host: str, text: str = "") -> None:
        del text
        self.said.append((kind, host))


def answer(host: str, word: str = "ab", own: str = "") -> HostFacts:
    return HostFacts(host, {"word": Reading(0, word), "id": Reading(0, own or f"id-{host}\n"), "long": Reading(0, "x" * 1000)})


def audited(world: World, answers: dict[str, Any], order: list[str], judged: tuple[str, ...] = HOSTS) -> tuple[Replayed, list[Any]]:
    run = Replayed(world.run(), answers)
    verdicts = Audit(run, CHECKS, frozenset(judged)).perform(dict.fromkeys(order, (WORD, ID)))  # type: ignore[arg-type]
    return run, [(one.check.name, one.host, one.finding.target, one.finding.got) for one in verdicts]


def rows(world: World, answers: dict[str, Any], targets: tuple[str, ...] = HOSTS) -> list[Any]:
    facts = {host: one for host, one in answers.items() if isinstance(one, HostFacts)}
    found = judge(CHECKS, world.run().site, facts, targets)
    return [(one.check.name, one.host, one.finding.target, one.finding.got) for one in found]


ANSWERS: dict[str, dict[str, Any]] = {
    "all-well": {host: answer(host) for host in HOSTS},
    "one-silent": {**{host: answer(host) for host in HOSTS}, "simon": LinkError("simon: gone")},
    "the-hub-silent": {**{host: answer(host) for host in HOSTS}, "sw-rack": LinkError("sw-rack: gone")},
    "one-id-twice": {host: answer(host, own="id-1") for host in HOSTS},
    "one-cannot-be-read": {**{host: answer(host) for host in HOSTS}, "alvin": HostFacts("alvin", {"word": Reading(1, "", "no such word")})},
}


@pytest.mark.parametrize("answers", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("seed", range(3))
def test_verdicts_are_those_of_all_facts_together_whatever_the_order(world: World, answers: dict[str, Any], seed: int) -> None:
    order = random.Random(seed).sample(HOSTS, 3)
    run, found = audited(world, answers, order)
    assert sorted(found) == sorted(rows(world, answers))
    assert [name for name, *_ in found] == sorted((name for name, *_ in found), key=[one.name for one in CHECKS].index)
    silent = {host: str(one) for host, one in answers.items() if isinstance(one, BurrowError)}
    assert run.unreachable == silent
    assert sorted(run.said) == sorted(("failed" if host in silent else "read", host) for host in HOSTS)


def test_only_the_selected_hosts_are_judged_though_their_neighbours_are_read(world: World) -> None:
    _, found = audited(world, ANSWERS["all-well"], list(HOSTS), ("alvin",))
    assert found == rows(world, ANSWERS["all-well"], ("alvin",))


def test_facts_of_a_host_are_forgotten_once_it_is_judged(world: World) -> None:
    """What waits for neighbours is a copy with only what is compared."""
    run, _ = audited(world, ANSWERS["all-well"], list(HOSTS))
    assert run.most == 0
    assert run.first_facts == {}


def test_nothing_is_held_at_the_end(world: World) -> None:
    run = Replayed(world.run(), ANSWERS["one-silent"])
    audit = Audit(run, CHECKS, frozenset(HOSTS))  # type: ignore[arg-type]
    audit.perform(dict.fromkeys(HOSTS, (WORD, ID)))
    assert audit.held == {}


@pytest.mark.parametrize("watch_s", [None, 5.0])
def test_run_of_checks_alone_forgets_facts_and_closes_connections(world: World, watch_s: float | None) -> None:
    """A run that repeats its checks keeps its connections."""
    for name in HOSTS:
        world[name].answers |= {"word": lambda _: "ab", "id": lambda host: host.name}
    run = world.run()
    made = Runbook("Audit.", (Stage("audit", checks=CHECKS),))
    result = execute(made, Options(limit=("alvin",), watch_s=watch_s), run, lambda *_: False)
    assert {one.host for one in result.stages[0].verdicts} == {"alvin"}
    assert (result.exit_code, run.facts) == (OK, {})
    assert [bool(run.nornir.inventory.hosts[name].connections) for name in ("alvin", "sw-rack")] == [watch_s is not None] * 2
    assert {event.host for event in run.events if event.kind == "read"} == {"alvin", "sw-rack"}
