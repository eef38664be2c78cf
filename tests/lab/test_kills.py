"""The host agent is killed at each system call that changes something: every file stays whole, and the host comes back by itself.

It runs on this machine, in folders of its own, and needs no lab.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from killed_agent import NEW, OLD, KilledAgent

from lab.needs import install_missing

pytestmark = pytest.mark.lab

# The verb that is killed, and the one that it comes right before on the way to a confirmed transaction.
VERBS = {"prepare": "prepare", "begin": "begin", "apply": "apply", "renew": "confirm", "confirm": "confirm"}
BACK = ("revert", "timer", "boot")


@pytest.fixture(scope="module", autouse=True)
def fresh() -> None:
    """No lab: only strace on this machine."""
    install_missing(print)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledAgent]:
    """In memory: the agent syncs every file."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield KilledAgent(Path(folder), tmp_path, monkeypatch)


def come_back(agent: KilledAgent, recovery: str) -> None:
    """What the host does by itself after a kill."""
    if recovery == "boot":
        agent.boot()
    else:
        agent.console("revert", agent.transaction.token, "timer")


def assert_whole(agent: KilledAgent, point: str) -> None:
    """Each file is wholly old or wholly new."""
    mixed = {path: text for path, text in agent.texts().items() if text not in (OLD[path], NEW[path])}
    assert mixed == {}, point


def assert_ended(agent: KilledAgent, point: str) -> None:
    """All files are new and confirmed, or all are old; and the next transaction is carried to its end, which leaves nothing behind."""
    state, texts = agent.ask("outcome", agent.transaction)["state"], agent.texts()
    assert texts == (NEW if state == "confirmed" else OLD), (point, state)
    assert state in ("confirmed", "reverted", "unknown"), point
    following = agent.change(texts, dict.fromkeys(OLD, "the next\n"), "the next")
    agent.apply_set(following, "confirm")
    assert agent.ask("confirm", following)["state"] == "confirmed", point
    assert set(agent.texts().values()) == {"the next\n"}, point
    assert agent.strays() == [], point


@pytest.mark.parametrize("recovery", ["timer", "boot"])
@pytest.mark.parametrize("verb", [*VERBS, *BACK])
def test_agent_that_is_killed_at_any_call_leaves_nothing_half(agent: KilledAgent, verb: str, recovery: str) -> None:
    agent.apply_set(agent.transaction, VERBS.get(verb, "confirm"))
    agent.keep()
    calls = agent.calls(verb)
    assert len(calls) > 3
    for call, which in calls:
        agent.again()
        agent.kill_at(verb, call, which)
        point = f"{verb}, {call} {which}, {recovery}"
        assert_whole(agent, point)
        if verb in BACK:
            agent.ask("renew", agent.transaction)
            if agent.ask("confirm", agent.transaction)["state"] == "confirmed":
                assert agent.texts() == NEW, f"{point}: confirmed with mixed files"
        come_back(agent, recovery)
        assert_ended(agent, point)
    print(f"{verb}, {recovery}: {len(calls)} kills")
