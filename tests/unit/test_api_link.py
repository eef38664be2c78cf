"""A device with an API: its calls, its jobs, its refusals, and a change set that is applied and undone through it."""

import time

import pytest
from cases import case_of, folder_of
from fake_host import Clock, Stop
from nornir.core import Nornir
from nornir.core.plugins.connections import ConnectionPluginRegister
from nornir.plugins.runners import SerialRunner
from truenas_device import Device, Wire, of_readings

from inventory.load import BurrowInventory
from inventory.models import LinkKind
from inventory.targets import TRUENAS, Target
from tasks.core.connectors.json_rpc import ApiConnection, JsonRpc, _reason
from tasks.core.engine.apply import apply_set
from tasks.core.engine.planning import plan_member
from tasks.core.engine.run import Run, Timers
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.errors import LinkError, Refused
from tasks.core.model.fact import union
from tasks.core.model.operation import Action
from tasks.storage.nfs.sets import nfs
from tasks.storage.truenas.change import TruenasExports

SITE = folder_of("truenas-exports")
VAULT = Target(TRUENAS, "vault")
MADE = ["nfs.update", *["sharing.nfs.create"] * 3, "service.update", "service.control"]


@pytest.fixture
def device() -> Device:
    """A TrueNAS without shares."""
    readings = case_of("truenas_exports", "fresh").facts["vault"].readings
    return of_readings({name: reading.out for name, reading in readings.items()})


@pytest.fixture
def wire(device: Device) -> Wire:
    return Wire(device)


@pytest.fixture
def run(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Run:
    class Connection:
        def open(self, *_: object, **__: object) -> None:
            wire.broken = False
            wire.waiting.clear()
            self.connection = JsonRpc("vault", wire)

        def close(self) -> None:
            wire.close()

    monkeypatch.setitem(ConnectionPluginRegister.available, "burrow_api", Connection)
    loaded = BurrowInventory(str(SITE)).load()
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    run = Run(Nornir(loaded, runner=SerialRunner()), loaded.defaults.data["site"], "kim@desk", Timers(16, 3, 8), stop=Stop(clock))
    (one,) = nfs(run.site)
    run.needs = {target: union(lists) for target, lists in one.needs(run.site).items()}
    return run


def the_set(run: Run) -> ChangeSet:
    (one,) = nfs(run.site)
    return one


def test_a_set_is_applied_and_a_second_run_changes_nothing(run: Run, device: Device) -> None:
    assert apply_set(run, the_set(run)).reasons == []
    assert [name for name in device.calls if name not in ("filesystem.mkdir", "filesystem.setperm")] == MADE
    assert apply_set(run, the_set(run)).state == "unchanged"
    assert {share["comment"] for share in device.shares} == {"Burrow"}
    assert device.service == {"id": 9, "service": "nfs", "enable": True, "state": "RUNNING", "pids": []}


def test_a_refused_call_undoes_the_calls_before_it(run: Run, device: Device) -> None:
    before = dict(device.config)
    device.refuses = "service.update"
    outcome = apply_set(run, the_set(run))
    assert outcome.state == "reverted"
    assert "`service.update` was refused: it does not want to" in outcome.reasons[0]
    assert device.shares == []
    assert device.config == before


def test_a_failed_check_undoes_all_calls(run: Run, device: Device) -> None:
    """The service reports that it started, but did not start."""
    device.service_control = lambda *_: True  # type: ignore[method-assign]
    outcome = apply_set(run, the_set(run))
    assert outcome.state == "reverted"
    assert "running, enabled" in outcome.reasons[0]
    assert device.shares == []
    assert device.service["enable"] is False


def test_calls_without_an_undo_are_reported(run: Run, device: Device) -> None:
    device.service_control = lambda *_: True  # type: ignore[method-assign]
    device.sharing_nfs_delete = lambda _: (_ for _ in ()).throw(AssertionError)  # type: ignore[method-assign]
    device.refuses = "sharing.nfs.delete"
    outcome = apply_set(run, the_set(run))
    assert outcome.state == "reverted"
    assert any("could not be undone" in reason for reason in outcome.reasons)


def test_a_broken_connection_is_opened_again(run: Run, wire: Wire) -> None:
    run.read([VAULT])
    wire.broken = True
    assert apply_set(run, the_set(run)).state == "done"


def test_a_lost_answer_undoes_the_known_calls_and_the_next_run_continues(run: Run, wire: Wire, device: Device) -> None:
    """The run does not know whether the share was created. It was, and the next run finds it."""
    wire.loses = "sharing.nfs.create"
    outcome = apply_set(run, the_set(run))
    assert outcome.state == "reverted"
    assert "whether the last operation was done is unknown" in outcome.reasons[0]
    assert (device.config["protocols"], len(device.shares)) == (["NFSV3", "NFSV4"], 1)
    assert apply_set(run, the_set(run)).state == "done"
    assert len(device.shares) == 3


def test_a_step_that_is_not_a_call_is_refused(run: Run) -> None:
    class WithAnAction(TruenasExports):
        """Also runs a command."""

        def steps(self, *_: object) -> tuple[Action, ...]:  # type: ignore[override]
            return (Action(("true",), ("true",)),)

    outcome = apply_set(run, ChangeSet("nfs", (Member(VAULT, (WithAnAction(VAULT),), safe_alone=True),)))
    assert outcome.state == "refused"
    assert outcome.reasons == ["vault: its API accepts only calls"]


def test_a_call_on_a_host_without_an_api_is_refused(run: Run) -> None:
    host = run.site.hosts["vault"]
    other = host.model_copy(update={"link": LinkKind.SSH})
    site = run.site.model_copy(update={"hosts": {**run.site.hosts, "vault": other}})
    run.read([VAULT])
    with pytest.raises(Refused, match="vault: its link \\(ssh\\) cannot perform folder/mnt/Flash/Configs, "):
        plan_member(the_set(run).members[0], "nfs", site, run.facts)


def test_a_job_that_fails_is_an_error_with_its_reason(run: Run, device: Device) -> None:
    device.refuses = "filesystem.setperm"
    assert "vault: `filesystem.setperm` ended FAILED: it does not want to" in apply_set(run, the_set(run)).reasons[0]


def test_a_job_that_the_device_forgot_may_have_been_done(run: Run, wire: Wire) -> None:
    """TrueNAS forgets its jobs when its middleware restarts."""
    wire.forgets_jobs = True
    outcome = apply_set(run, the_set(run))
    assert outcome.state == "reverted"
    assert "whether the last operation was done is unknown: vault: what became of `filesystem.setperm` is not known" in outcome.reasons[0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"extra": [["path", "is a pool", 22], ["mode", "too large", 22]]}, "path: is a pool; mode: too large"),
        ({"extra": {"errno": 13}, "reason": "[EACCES] denied"}, "[EACCES] denied"),
        ({"extra": "text", "reason": "[EFAULT] text"}, "[EFAULT] text"),
        ({"extra": [7, ["path"]], "reason": "[EINVAL] odd"}, "[EINVAL] odd"),
        ({}, "Method call error"),
    ],
)
def test_the_reason_of_a_refusal_is_found_whatever_its_shape(data: dict[str, object], reason: str) -> None:
    assert _reason({"message": "Method call error", "data": data}) == reason


def test_no_answer_and_a_broken_connection_are_errors_of_the_link(wire: Wire) -> None:
    rpc = JsonRpc("vault", wire)
    wire.send = lambda _: None  # type: ignore[method-assign]
    with pytest.raises(LinkError, match=r"`core\.ping` had no answer within 30 s"):
        rpc.call("core.ping", [])
    wire.broken = True
    with pytest.raises(LinkError, match="the connection to its API broke"):
        rpc.call("core.ping", [])


def test_the_error_of_a_refused_key_does_not_contain_the_key(wire: Wire) -> None:
    rpc = JsonRpc("vault", wire)
    rpc.login("burrow", "the-key")
    with pytest.raises(LinkError, match="rejects the key of burrow") as raised:
        rpc.login("burrow", "another-key")
    assert "another-key" not in str(raised.value)


@pytest.mark.parametrize("extras", [{}, {"user": "burrow"}, {"user": "burrow", "key_file": "/nowhere/key"}])
def test_the_error_of_a_site_without_a_key_names_the_missing_setting(extras: dict[str, str]) -> None:
    with pytest.raises(LinkError, match=r"set api_user and api_key_file|cannot be read"):
        ApiConnection().open("vault", None, None, None, None, extras)
