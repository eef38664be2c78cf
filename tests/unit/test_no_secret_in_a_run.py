"""Secrets in the files, messages and records of a host leave a whole run nowhere: not on screen, in the JSON, the journal or the record."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from agent_machine import Machine, hosts, refusal
from engine import Alias, host_is_well, runbook
from fake_host import FRESH, FakeHost
from napalm.base.exceptions import CommandErrorException, CommitError, MergeConfigException
from napalm_host import INTERFACES, MERGE, Host, driver
from test_no_secret_leaves import SECRETS, TEXT

from tasks.core.agent.secrets import last
from tasks.core.cli.command_line import main
from tasks.core.connectors.json_rpc import JsonRpc
from tasks.core.engine.runbook import Runbook, Stage
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.check import Finding
from tasks.core.model.errors import LinkError, TransactionError
from tasks.core.model.operation import Action, TimedTransaction

NAMED = runbook(ChangeSet("name alvin", (Member("alvin", (Alias("alvin", "eth0"),), safe_alone=True),)))
AUDIT = Runbook("Look.", (Stage("network", (), (host_is_well,)),))
RECORD = {"token": "t", "holder": "kim@desk", "why": "try", "outcome": "reverted", "reason": TEXT, "at": "21:00", "troubles": [TEXT]}


def answers_with(**fields: Any) -> Callable[[Any], Any]:
    return lambda answer: {**answer, **fields}


def failing(answer: Any) -> Any:
    """Every command failed, and says why."""
    return {**answer, "facts": {name: {"rc": 1, "out": "", "err": TEXT} for name in answer["facts"]}}


def refuses(_: object) -> bytes:
    """An agent of an older version, which shows what it found."""
    return json.dumps({"refused": TEXT}).encode() + b"\n"


def no_answer(_: object) -> bytes:
    return TEXT.encode()


WAYS: dict[str, tuple[Runbook, tuple[str, ...], dict[str, Callable[[Any], Any]]]] = {
    "dry run": (NAMED, ("--dry-run",), {}),
    "applied": (NAMED, ("--yes",), {}),
    "refused by the host": (NAMED, ("--yes",), {"begin": refuses}),
    "not prepared": (NAMED, ("--yes",), {"prepare": refuses}),
    "reverted by the host": (NAMED, ("--yes",), {"begin": answers_with(state="reverted", reason=TEXT)}),
    "reverting": (NAMED, ("--yes",), {"begin": answers_with(state="reverting", reason="no space", troubles=[TEXT])}),
    "not confirmed": (NAMED, ("--yes",), {"confirm": answers_with(state="reverted", reason=TEXT)}),
    "an unexpected answer": (NAMED, ("--yes",), {"begin": answers_with(state=[TEXT])}),
    "no answer": (NAMED, ("--yes",), {"read": no_answer}),
    "no fact": (NAMED, ("--yes",), {"read": failing}),
    "reverted earlier": (NAMED, ("--yes",), {"read": answers_with(records=[RECORD])}),
    "audit": (AUDIT, (), {}),
    "audit without a fact": (AUDIT, (), {"read": failing}),
}


@pytest.fixture
def secretive(alvin: FakeHost) -> FakeHost:
    """A host with secrets around the lines that change, in its health, and in what it recorded."""
    lines = "".join(f"\t{line}\n" for line in TEXT.splitlines())
    alvin.files[INTERFACES] = f"iface wlan0 inet dhcp\n{lines}\n{FRESH}".replace("172.16.0.11/16\n", f"172.16.0.11/16\n{lines}")
    alvin.answers["health"] = lambda _: TEXT
    return alvin


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("way", WAYS)
def test_run_shows_and_keeps_no_secret(way: str, site: Path, secretive: FakeHost, tmp_path: Path, capsys, caplog) -> None:
    what, flags, odd = WAYS[way]
    caplog.set_level(logging.DEBUG)
    secretive.odd.update(odd)
    written = tmp_path / "result.json"
    main(what, ("--site", str(site), "--limit", "alvin", *flags, "--json", str(written)))
    printed = capsys.readouterr()
    kept = {path.name: path.read_text() for path in (tmp_path / "state").rglob("*") if path.is_file()}
    assert {Path(name).suffix for name in kept} == {".json", ".jsonl"}
    paths_out = {"screen": printed.out + printed.err, "json": written.read_text(), "log": caplog.text, **kept}
    assert {path: found for path, text in paths_out.items() if (found := [secret for secret in SECRETS if secret in text])} == {}
    assert any("<removed>" in text for text in paths_out.values())


def test_two_findings_that_differ_in_a_secret_are_not_equal() -> None:
    finding = Finding("alvin:frr.conf", "password one", "password other")
    assert (finding.want, finding.got, finding.ok) == ("password <removed>", "password <removed>", False)
    assert Finding("alvin:frr.conf", "password one", "password one").ok


@pytest.mark.parametrize("letters", range(30, 300, 7))
def test_a_cut_text_shows_no_part_of_a_secret(letters: int) -> None:
    text = "".join(f"line {number}: % Unknown command: neighbor 10.0.0.1 password hush{number:03}hush\n" for number in range(300))
    assert "hush" not in last(text, letters)
    assert len(last(text, letters)) <= letters


def assert_hidden(*texts: str) -> None:
    assert [secret for secret in SECRETS if any(secret in text for text in texts)] == []
    assert "<removed>" in "".join(texts)


def failed_with_secrets(machine: Machine) -> TimedTransaction:
    """A transaction whose reload fails with a message full of secrets, and whose undo does too."""
    tool = machine.write("etc/reload", f"#!/bin/sh\ncat >&2 <<'END'\n{TEXT}END\nexit 1\n", 0o755)
    transaction = hosts(machine)
    action = Action((str(tool),), (str(tool),), deadline_s=9, shown="reload")
    return TimedTransaction(transaction.why, transaction.files, actions=(action,), token=transaction.token)


def test_host_records_and_answers_no_secret(machine: Machine, capsys) -> None:
    machine.write("etc/hosts", "old\n")
    kept = machine.begin(failed_with_secrets(machine))
    assert kept["state"] == "reverted"
    machine.main(["status"])
    assert_hidden(
        json.dumps(kept), json.dumps(machine.ask("read")), capsys.readouterr().out, machine.read("var/lib/burrow/record.jsonl") or ""
    )


def test_host_refuses_a_candidate_without_its_secrets(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    tool = machine.write("etc/check", "#!/bin/sh\ngrep -q new $1 || exit 0\n" + f"cat >&2 <<'END'\n{TEXT}END\nexit 1\n", 0o755)
    machine.ask("prepare")
    assert_hidden(refusal(machine, "begin", **hosts(machine, validate=(str(tool), "{candidate}")).request(60)))


def test_napalm_driver_shows_no_secret() -> None:
    lines = "".join(f"\t{line}\n" for line in TEXT.splitlines())
    host = Host({INTERFACES: f"auto eth0\niface eth0\n\taddress 10.0.0.1/24\n{lines}"})
    device = driver(host)
    device.load_merge_candidate(config="iface eth0\n\tmtu 9000\n")
    assert_hidden(device.compare_config(), device.get_config(sanitized=True)["running"], device.get_config(sanitized=True)["candidate"])
    with pytest.raises(MergeConfigException) as refused:
        driver(Host()).load_merge_candidate(config=f"iface eth0\n{lines}")
    assert_hidden(str(refused.value))


def test_napalm_drivers_errors_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    host, answer = Host(), {"answer": {"state": "reverted", "reason": TEXT}}
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    monkeypatch.setattr(host, "op_begin", lambda _: answer)
    with pytest.raises(CommitError) as failed:
        device.commit_config()
    assert_hidden(str(failed.value))
    monkeypatch.setattr(host, "answer", lambda _: {"rc": 1, "out": "", "err": TEXT})
    with pytest.raises(CommandErrorException) as error:
        device._outputs("ip link")
    assert_hidden(str(error.value))


class Repeats:
    """A device that refuses each call, and repeats what it was sent."""

    def send(self, message: str) -> None:
        self.message = json.loads(message)

    def recv(self, timeout: float | None = None) -> str:
        del timeout
        return json.dumps({"id": self.message["id"], "error": {"message": f"invalid {self.message['params']}"}})

    def close(self) -> None:
        pass


def test_api_key_is_in_no_error_of_a_truenas() -> None:
    with pytest.raises(TransactionError) as refused:
        JsonRpc("vault", Repeats()).login("burrow", "1-hushhushhush")
    assert "'username': 'burrow', 'api_key': <removed>" in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize(
    "error",
    ["https://ops:hush@attic/command-api: 401", "login failed: {'username': 'ops', 'password': 'hush'}", "cannot log in, password=hush"],
)
def test_password_of_a_switch_is_in_no_error_of_its_driver(error: str) -> None:
    assert "hush" not in str(LinkError(f"attic: its NAPALM driver (eos) does not connect: {error}"))
