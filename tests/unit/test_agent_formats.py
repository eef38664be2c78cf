"""Formats of the agent's state: state without a format is read, and newer state is left unchanged."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal
from case_files import CASES, loaded

from tasks.core.agent.refusal import mount_of
from tasks.core.agent.state import FORMAT, PATHS
from tasks.core.connectors.agent_session import payload
from tasks.core.model.operation import Action, TimedTransaction

RECORDED = loaded(CASES / "agent" / "state-without-format.yaml")
TOKEN, DEFERRED = RECORDED["token"], RECORDED["deferred"]
OLD = {"etc/hosts": "first\n", "etc/made": None, "etc/gone": "old gone\n"}
NEW = {"etc/hosts": "new\n", "etc/made": "made\n", "etc/gone": None}
CHANGES = ("prepare", "begin", "renew", "confirm", "revert", "start", "poll", "finish", "reboot", "release")


@pytest.fixture
def old(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A host as the agent of one file left it, with a transaction open, at a time before its timer comes."""
    monkeypatch.setattr(time, "clock_gettime", lambda _: RECORDED["seconds"])
    root = machine.root
    placed = {"@root@": str(root), "@mount@": mount_of(root / "etc"), "@owner@": str([os.geteuid(), os.getegid()])}
    for name, one in RECORDED["files"].items():
        path = root / name
        text = one.get("link", one.get("text", "\0" * one.get("zeros", 0)))
        for place, here in placed.items():
            text = text.replace(place, here)
        path.parent.mkdir(parents=True, exist_ok=True)
        if "folder" in one:
            path.mkdir(exist_ok=True)
            path.chmod(int(one["folder"], 8))
        elif "link" in one:
            path.symlink_to(text)
        else:
            path.write_text(text)
            path.chmod(int(one["mode"], 8))
    assert texts(machine) == NEW
    return machine


def texts(machine: Machine) -> dict[str, str | None]:
    return {path: machine.read(path) for path in OLD}


def deferred(machine: Machine) -> list[str]:
    return [one["why"] for one in machine.ask("read")["deferred"]]


def formats(root: Path) -> dict[str, Any]:
    """{file: its format} of the files that the agent wrote."""
    state = root / "var/lib/burrow"
    found = {path.name: json.loads(path.read_text()).get("format") for path in state.rglob("*.json")}
    record = state / "record.jsonl"
    return found | ({record.name: json.loads(record.read_text().splitlines()[-1])["format"]} if record.exists() else {})


def test_old_state_has_no_format() -> None:
    known = [name for name, one in RECORDED["files"].items() if "format" in one.get("text", "")]
    assert known == []


@pytest.mark.parametrize("reverted_by", ["timer", "hand", "controller", "boot"])
def test_old_transaction_is_reverted(old: Machine, reverted_by: str) -> None:
    if reverted_by == "boot":
        old.boot("second")
        old.main(["boot"])
    elif reverted_by == "controller":
        old.ask("revert", token=TOKEN)
    else:
        old.main(["revert", TOKEN, "timer"] if reverted_by == "timer" else ["revert"])
    assert old.ask("outcome", token=TOKEN)["state"] == "reverted"
    assert texts(old) == OLD
    assert (old.root / "units/chrony.service.enabled").exists() is False
    if reverted_by == "boot":  # the kernel begins anew by itself, and the cluster waits for the network
        assert deferred(old) == ["maintenance theodore", "an open transaction"]
    else:
        assert (old.read("said"), old.read("proc/sys/kernel/hostname")) == ("done\nundone\n", "pve\n")
        assert deferred(old) == ["maintenance theodore"]


def test_old_transaction_is_confirmed(old: Machine) -> None:
    assert old.ask("confirm", token=TOKEN)["state"] == "confirmed"
    assert texts(old) == NEW
    assert [one["outcome"] for one in old.ask("read")["records"]] == ["confirmed", "reverted", "confirmed"]
    assert formats(old.root)["record.jsonl"] == FORMAT


def test_timer_of_an_old_transaction_begins_anew(old: Machine) -> None:
    assert old.ask("renew", token=TOKEN)["state"] == "applied"
    assert json.loads((PATHS.meta).read_text())["format"] == FORMAT


def test_old_deferred_undo_is_retried_by_the_command_of_the_old_unit(old: Machine) -> None:
    old.main(["owed"])
    assert deferred(old) == []
    assert not (old.root / "flag").exists()


def test_old_agent_is_replaced_and_stays_while_its_timer_needs_it(old: Machine) -> None:
    before = PATHS.command.resolve().parent
    old.ask("prepare", KIM)
    assert PATHS.command.read_text() == old.program
    assert before.exists()
    old.ask("confirm", token=TOKEN)
    old.ask("prepare", KIM)
    assert not before.exists()


def test_old_transaction_of_another_boot_is_reverted_by_the_next_run(old: Machine) -> None:
    old.boot("second")
    assert old.ask("prepare", SAM)["pending"] is None
    assert texts(old) == OLD
    assert "by the next run" in old.ask("outcome", token=TOKEN)["reason"]


def test_all_state_has_a_format(machine: Machine) -> None:
    fails = ("/bin/sh", "-c", "echo silent >&2; exit 1")
    machine.write("etc/hosts", "old\n")
    first = TimedTransaction("x", actions=(Action(("true",), fails, cluster_scoped=True),))
    machine.begin(first)
    machine.ask("revert", token=first.token)
    machine.begin(hosts(machine))
    found = formats(machine.root)
    assert found.keys() >= {"meta.json", "lease.json", f"{first.token}.json", "record.jsonl"}
    assert set(found.values()) == {FORMAT}


def test_request_has_a_format() -> None:
    length, _, rest = payload({"op": "read", "facts": {}}).partition(b"\n")
    assert json.loads(rest[int(length) :]) == {"format": FORMAT, "op": "read", "facts": {}}


NEWER = {
    "pending": "var/lib/burrow/pending/meta.json",
    "lease": "var/lib/burrow/lease.json",
    "deferred": f"var/lib/burrow/owed/{DEFERRED}.json",
    "record": "var/lib/burrow/record.jsonl",
    "runtime": f"run/burrow/{TOKEN}.json",
}


def make_newer(machine: Machine, name: str) -> str:
    """One file of the state is of a newer format; returns the refusal."""
    path = machine.root / NEWER[name]
    lines = path.read_text().splitlines() if path.exists() else ["{}"]
    path.write_text("".join(f"{json.dumps({**json.loads(line), 'format': FORMAT + 1})}\n" for line in lines))
    found = f"{path} has format {FORMAT + 1}, but this Burrow knows formats up to {FORMAT}"
    return f"{found}: nothing was changed; update Burrow on this machine"


def everything(root: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.lstat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in root.rglob("*")}


@pytest.mark.parametrize("name", NEWER)
@pytest.mark.parametrize("op", ["read", "outcome", *CHANGES])
def test_newer_state_is_refused_before_anything_is_written(old: Machine, op: str, name: str) -> None:
    reason = make_newer(old, name)
    before = everything(old.root)
    assert refusal(old, op, **{**hosts(old).request(60), "token": TOKEN, "argv": ["true"], "why": "x"}) == reason
    assert everything(old.root) == before


@pytest.mark.parametrize("name", NEWER)
@pytest.mark.parametrize("words", ["apply", "boot", "revert", "retry", "give-up", "deferred", "status", "remove"])
def test_console_leaves_newer_state_alone(old: Machine, words: str, name: str) -> None:
    reason = make_newer(old, name)
    before = everything(old.root)
    with pytest.raises(SystemExit) as ended:
        old.main([words, TOKEN])
    assert ended.value.code == f"burrow: {reason}"
    assert everything(old.root) == before


@pytest.mark.parametrize("op", ["read", *CHANGES])
def test_newer_request_is_refused(machine: Machine, op: str) -> None:
    assert refusal(machine, op, format=FORMAT + 1).startswith(f"the request has format {FORMAT + 1}, but this Burrow knows ")
