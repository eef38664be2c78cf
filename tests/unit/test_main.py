"""The command line of a runbook, over real SSH connections to hosts in memory: what it refuses, shows, writes and returns."""

import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from engine import Alias, runbook
from fake_host import FRESH, FakeHost

from inventory.errors import InventoryError
from inventory.sites import find_site
from tasks.core.cli.command_line import main
from tasks.core.cli.report import Screen
from tasks.core.engine.events import Event
from tasks.core.engine.execute import nornir_takes, open_run
from tasks.core.engine.run import Timers
from tasks.core.engine.runbook import FAILED, INTERRUPTED, OK, PENDING, REFUSED, Options, RunResult, StageResult
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.errors import Refused

NAMED = runbook(ChangeSet("name alvin", (Member("alvin", (Alias("alvin", "eth0"),), safe_alone=True),)))


pytestmark = pytest.mark.usefixtures("home")


def records(home: Path) -> list[dict]:
    return [json.loads(path.read_text()) for path in (home / "state").rglob("*.json")]


REFUSALS = {
    "lab-that-was-never-up": ((), "the lab has never been up"),
    "site-that-is-none": (
        ("--site", "cellar"),
        "no site cellar: wanted a block of that name in nornir_config.yaml (lab",
    ),
    "flag-that-is-none": (("--force",), "No such option"),
}


@pytest.mark.parametrize(("flags", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusal_before_any_host_is_contacted(flags: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str], home: Path) -> None:
    assert main(NAMED, flags) == REFUSED
    assert message in capsys.readouterr().err
    assert records(home) == []


WRONG_NAMES = {
    "host": (("--limit", "alvin,wally"), "--limit: no host wally; there are alvin, simon, sw-rack, sw-vendor"),
    "stage": (("--stage", "storage"), "--stage: no stage storage; there are network"),
}


@pytest.mark.parametrize(("flags", "message"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_invalid_name_is_refused(site: Path, alvin: FakeHost, flags: tuple[str, ...], message: str, capsys) -> None:
    assert main(NAMED, ("--site", str(site), *flags)) == REFUSED
    assert message in capsys.readouterr().err
    assert alvin.journal == []


def test_invalid_inventory_is_refused_with_its_line(site: Path, alvin: FakeHost, capsys) -> None:
    hosts = site / "hosts.yaml"
    hosts.write_text(hosts.read_text().replace("172.16.0.12/16", "172.16.0.11/16"))
    assert main(NAMED, ("--site", str(site))) == REFUSED
    assert f"{hosts}:3: " in capsys.readouterr().err
    assert alvin.opened == 0


def test_timers_that_do_not_fit_are_refused(site: Path, capsys) -> None:
    settings = site / "site.yaml"
    settings.write_text(f"{settings.read_text()}revert_s: 30\nverify_s: 30\n")
    assert main(NAMED, ("--site", str(site))) == REFUSED
    assert "must fit into revert_s (30)" in capsys.readouterr().err


def test_unknown_setting_is_refused(site: Path, capsys) -> None:
    (site / "site.yaml").write_text("colour: blue\n")
    assert main(NAMED, ("--site", str(site))) == REFUSED
    assert f"{site / 'site.yaml'}:1: site: wanted only known keys, found 'colour'; remove it" in capsys.readouterr().err


ALIASES = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (name, name, b", ".join([b"*%c" % (name - 1)] * 9)) for name in b"bcdefghi"
)
SETTINGS = {
    "nothing": (b"", ":1: site: wanted settings (key: value), found nothing"),
    "comments alone": (b"# later\n", ":1: site: wanted settings (key: value), found nothing"),
    "list": (b"- ssh_config: x\n", ":1: site: wanted settings (key: value), found a list"),
    "text": (b"ssh_config\n", ":1: site: wanted settings (key: value), found 'ssh_config'"),
    "no YAML": (b"user: ops\nssh_config: [\n", ":3: site: wanted YAML"),
    "tab": (b"user: ops\n\tsudo: true\n", ":2: site: wanted YAML"),
    "not UTF-8": (b"user: ops\nssh_config: B\xfcro\n", ":2: site: wanted UTF-8 text, found the byte 0xfc"),
    "no bytes of text": (b"\xff\xfe", ":1: site: wanted UTF-8 text"),
    "zero byte": (b"user: ops\nuser2: \0\n", ":2: site: wanted YAML, found the character U+0000"),
    "key twice": (b"user: ops\nuser: kim\n", ":2: user: wanted user once, as on line 1"),
    "two documents": (b"user: ops\n---\nuser: kim\n", ":2: site: wanted YAML"),
    "wrong type": (b"user: ops\nrevert_s: soon\n", ":2: revert_s: wanted "),
    "no time at all": (b"revert_s: 0\n", ":1: revert_s: wanted at least 1, found 0"),
    "typo": (b"user: ops\nssh_confg: x\n", ":2: site: wanted only known keys, found 'ssh_confg'; did you mean 'ssh_config'?"),
    "too deep": (b"user: " + b"[" * 2000, ":1: site: wanted YAML, found more than 30 levels"),
    "alias bomb": (ALIASES, "wanted at most 250000 values by alias (*), found more"),
}


@pytest.mark.parametrize(("content", "message"), SETTINGS.values(), ids=SETTINGS)
def test_invalid_settings_are_refused_with_their_line(site: Path, content: bytes, message: str, capsys, home: Path) -> None:
    (site / "site.yaml").write_bytes(content)
    assert main(NAMED, ("--site", str(site))) == REFUSED
    assert f"{site / 'site.yaml'}" in (err := capsys.readouterr().err)
    assert message in err
    assert records(home) == []


def test_settings_that_are_a_folder_are_refused(site: Path, capsys) -> None:
    (site / "site.yaml").unlink()
    (site / "site.yaml").mkdir()
    assert main(NAMED, ("--site", str(site))) == REFUSED
    assert f"{site / 'site.yaml'}:1: site: wanted a file" in capsys.readouterr().err


CONFIGS = {
    "nothing": ("", "no site home: wanted a block of that name"),
    "no user_defined": ("inventory: {plugin: BurrowInventory}\n", "no site home: wanted a block of that name"),
    "user_defined says nothing": ("user_defined:\n", "no site home: wanted a block of that name"),
    "sites are a list": ("user_defined:\n  sites: [home]\n", "no site home: wanted a block of that name"),
    "a list": ("- home\n", "no site home: wanted a block of that name"),
    "site says nothing": ("user_defined:\n  sites:\n    home:\n", "nornir_config.yaml:3: user_defined.sites.home: wanted settings"),
    "site is a name": ("user_defined:\n  sites:\n    home: attic\n", "nornir_config.yaml:3: user_defined.sites.home: wanted settings"),
    "no inventory": (
        "user_defined:\n  sites:\n    home: {user: ops}\n",
        "nornir_config.yaml:3: user_defined sites.home: wanted the key 'inventory'",
    ),
    "no YAML": ("user_defined: [\n", "nornir_config.yaml:2: nornir_config: wanted YAML"),
}


@pytest.mark.parametrize(("content", "message"), CONFIGS.values(), ids=CONFIGS)
def test_configuration_that_names_no_site_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "nornir_config.yaml"
    path.write_text(content)
    with pytest.raises(InventoryError) as raised:
        find_site("home", path)
    assert message in str(raised.value)


@pytest.mark.parametrize("content", ["runner: 5\n", "runner: {plugin: nobody}\n", "logging: {enabled: maybe}\n", "[]\n", "core: 1\n"])
def test_configuration_that_nornir_rejects_is_refused(tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # Nornir writes nornir.log to the working directory
    path = tmp_path / "nornir_config.yaml"
    path.write_text(content)
    with pytest.raises(Refused, match=r"nornir_config\.yaml:1: Nornir rejects it: "):
        nornir_takes(path)


@pytest.mark.parametrize("name", ["x" * 300, "nul\0", "~nobody/site", "/dev/null"])
def test_name_that_no_site_can_have_is_refused(name: str, capsys) -> None:
    assert main(NAMED, ("--site", name)) == REFUSED
    assert "no site " in capsys.readouterr().err


def test_open_run_contacts_no_host_and_uses_the_sites_settings(site: Path, alvin: FakeHost) -> None:
    settings = site / "site.yaml"
    settings.write_text(f"{settings.read_text()}revert_s: 90\nverify_s: 50\napply_s: 20\nmaintenance_s: 300\n")
    logging.getLogger("nornir").propagate = True
    run = open_run(Options(site=str(site), limit=("alvin",)))
    assert run.timers == Timers(90, 50, 20, 300)
    assert (run.stop.is_set(), run.rehearsal, run.watchers, alvin.tries) == (False, False, (), 0)
    assert not logging.getLogger("nornir").propagate, "a step's error reaches the operator once"
    assert any(isinstance(one, logging.NullHandler) for one in logging.getLogger("nornir").handlers)
    stop = threading.Event()
    assert open_run(Options(site=str(site)), stop=stop).stop is stop


def test_lab_that_was_up_is_a_rehearsal(tmp_path: Path) -> None:
    (tmp_path / "no-lab").mkdir()
    (tmp_path / "no-lab" / "ssh_config").write_text("Host alvin\n  HostName 127.0.0.1\n")
    assert open_run(Options()).rehearsal


def test_every_runbook_has_the_same_flags(capsys) -> None:
    assert main(NAMED, ("--help",)) == OK
    printed = capsys.readouterr().out
    assert "Try the engine." in printed
    assert [flag for flag in ("--site", "--dry-run", "--limit", "--stage", "--yes", "--json") if flag not in printed] == []


def test_site_of_ones_own_without_a_terminal_is_only_planned(site: Path, alvin: FakeHost, home: Path, capsys) -> None:
    assert main(NAMED, ("--site", str(site))) == PENDING
    printed = capsys.readouterr().out
    assert "alias uplink" in printed
    assert "nothing is applied: this is not the lab, there is no terminal to ask on, and --yes was not given" in printed
    assert {op for _, op in alvin.journal} == {"read"}
    assert [record["exit_code"] for record in records(home)] == [PENDING]


def test_yes_applies_and_leaves_a_record(site: Path, alvin: FakeHost, home: Path, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    assert main(NAMED, ("--site", str(site), "--yes", "--json", str(path))) == OK
    assert alvin.files["/etc/network/interfaces"] != FRESH
    (record,) = records(home)
    assert record == json.loads(path.read_text())
    (one,) = record["stages"][0]["sets"]
    assert (one["state"], one["confirmed"], record["purpose"]) == ("done", ["alvin"], "Try the engine.")
    assert record["holder"].startswith(alvin.records[0]["holder"])


def test_json_on_standard_output_is_nothing_but_json(site: Path, capsys) -> None:
    assert main(NAMED, ("--site", str(site), "--dry-run", "--json", "-")) == PENDING
    assert json.loads(capsys.readouterr().out)["stages"][0]["sets"][0]["state"] == "planned"


def interrupted(event: Event) -> None:
    if event.kind == "read":
        raise KeyboardInterrupt


def test_interrupt_before_the_plan_touches_nothing(site: Path, alvin: FakeHost, capsys) -> None:
    assert main(NAMED, ("--site", str(site), "--yes"), watchers=(interrupted,)) == INTERRUPTED
    assert "interrupted before anything was changed" in capsys.readouterr().err
    assert {op for _, op in alvin.journal} == {"read"}


def stranger(folder: Path) -> None:
    (folder / "known_hosts").write_text("")


def close_port(folder: Path) -> None:
    path = folder / "ssh_config"
    path.write_text("Host *\n  HostName 127.0.0.1\n  Port 1\n")


@pytest.mark.parametrize(
    ("spoil", "message"), [(stranger, "its host key is not in known_hosts"), (close_port, "nothing answers on its SSH port")]
)
def test_host_that_cannot_be_reached_fails_the_run(site: Path, home: Path, spoil: Callable[[Path], None], message: str, capsys) -> None:
    spoil(home)
    assert main(NAMED, ("--site", str(site), "--yes")) == FAILED
    assert f"alvin: {message}" in capsys.readouterr().out
    assert message in records(home)[0]["unreachable"]["alvin"]


def test_error_of_a_host_without_python_names_the_package(site: Path, alvin: FakeHost, capsys) -> None:
    def silent(*_: object) -> None:
        """No answer, as from a shell that did not find python3."""

    alvin.ask = silent  # type: ignore[method-assign]
    assert main(NAMED, ("--site", str(site), "--yes")) == FAILED
    assert "alvin: no answer (exit 0)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "rehearsal", "applies"),
    [
        (Options(), True, True),
        (Options(), False, False),
        (Options(yes=True), False, True),
        (Options(dry_run=True), True, False),
        (Options(dry_run=True, yes=True), False, False),
    ],
)
def test_only_a_rehearsal_or_a_yes_applies(world, options: Options, rehearsal: bool, applies: bool) -> None:
    run = world.run(rehearsal=rehearsal)
    assert Screen().ask(StageResult(NAMED.stages[0]), RunResult(options, run)) is applies
