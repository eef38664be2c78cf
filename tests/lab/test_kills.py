"""The host agent is killed at each system call that changes something: no file is half written, and the host restores itself.

It runs on this machine, in separate folders, and needs no lab.
"""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from killed_agent import NEW, OLD, KilledAgent

from lab.needs import install_missing

pytestmark = pytest.mark.lab

# {the killed verb: the verb before which it occurs on the way to a confirmed transaction}.
VERBS = {"prepare": "prepare", "begin": "begin", "apply": "apply", "renew": "confirm", "confirm": "confirm"}
BACK = ("revert", "timer", "boot")


@pytest.fixture(scope="module", autouse=True)
def fresh() -> None:
    """No lab, only strace on this machine."""
    install_missing(print)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[KilledAgent]:
    """An agent with its files in memory, because it syncs every file."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        yield KilledAgent(Path(folder), tmp_path, monkeypatch)


def come_back(agent: KilledAgent, recovery: str) -> None:
    """Do what the host does by itself after a kill."""
    if recovery == "boot":
        agent.boot()
    else:
        agent.console("revert", agent.transaction.token, "timer")


def assert_no_mixed_files(agent: KilledAgent, point: str) -> None:
    """Each file has its whole old text or its whole new text."""
    mixed = {path: text for path, text in agent.texts().items() if text not in (OLD[path], NEW[path])}
    assert mixed == {}, point


def assert_ended(agent: KilledAgent, point: str) -> None:
    """All files are new and confirmed, or all are old. The next transaction completes and leaves no other files."""
    state, texts = agent.ask("outcome", agent.transaction)["state"], agent.texts()
    assert texts == (NEW if state == "confirmed" else OLD), (point, state)
    assert state in ("confirmed", "reverted", "unknown"), point
    following = agent.change(texts, dict.fromkeys(OLD, "the next\n"), "the next")
    agent.advance(following, "confirm")
    assert agent.ask("confirm", following)["state"] == "confirmed", point
    assert set(agent.texts().values()) == {"the next\n"}, point
    assert agent.strays() == [], point


@pytest.mark.parametrize("recovery", ["timer", "boot"])
@pytest.mark.parametrize("verb", [*VERBS, *BACK])
def test_agent_that_is_killed_at_any_call_leaves_nothing_half(agent: KilledAgent, verb: str, recovery: str) -> None:
    agent.advance(agent.transaction, VERBS.get(verb, "confirm"))
    agent.keep()
    calls = agent.calls(verb)
    assert len(calls) > 3
    for call, which in calls:
        agent.again()
        agent.kill_at(verb, call, which)
        point = f"{verb}, {call} {which}, {recovery}"
        assert_no_mixed_files(agent, point)
        if verb in BACK:
            agent.ask("renew", agent.transaction)
            if agent.ask("confirm", agent.transaction)["state"] == "confirmed":
                assert agent.texts() == NEW, f"{point}: confirmed with mixed files"
        come_back(agent, recovery)
        assert_ended(agent, point)
    print(f"{verb}, {recovery}: {len(calls)} kills")
