"""The controller's output and its signals: whatever happens to them, both ends of a set are new or both are old, with a correct record."""

import json
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rehearsal import ROOT, Lab

pytestmark = pytest.mark.lab

NAME, SAFE, OTHER = "uplink alvin", "alvin", "sw-rack"
BONDS = {SAFE: "bond0", OTHER: "po-alvin"}


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    assert lab.runbook("bootstrap", "--stage", "host").code == 0


@pytest.fixture(autouse=True)
def plain(lab: Lab) -> Iterator[None]:
    """Every drill starts from the fresh network."""
    yield
    for host in (OTHER, SAFE):
        lab.put_back(host)


def state(lab: Lab) -> Path:
    """The folder of these runs' records, separate from those of another lab's site with this name."""
    return Path(lab.site) / "state"


def bootstrap(lab: Lab, **streams: Any) -> "subprocess.Popen[str]":
    """A run with default signal handlers, even if these drills run in the background."""
    environment = ("env", "--default-signal=HUP,INT,TERM", f"XDG_STATE_HOME={state(lab)}")
    words = [*environment, sys.executable, "runbooks/bootstrap.py", "--site", lab.site, "--stage", "network", "--set", NAME]
    return subprocess.Popen(words, cwd=ROOT, text=True, **streams)


def is_new(lab: Lab, host: str) -> bool:
    """Whether this end of the set is in LACP, by the kernel."""
    return "802.3ad" in lab.sh(host, f"cat /sys/class/net/{BONDS[host]}/bonding/mode 2>/dev/null || echo plain")


def in_file(lab: Lab, host: str) -> bool:
    return f"iface {BONDS[host]}" in lab.sh(host, "cat /etc/network/interfaces")


def last_record(lab: Lab) -> Any:
    path = max((state(lab) / "burrow" / Path(lab.site).name).glob("*.json"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    return json.loads(path.read_text())


def assert_both_ends(lab: Lab, err: str, code: int, wanted: int, *, new: bool) -> None:
    """Both ends are new or both are old, nothing is pending or leased, and the record reports that."""
    assert code == wanted, err
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    assert {host: (is_new(lab, host), in_file(lab, host)) for host in BONDS} == dict.fromkeys(BONDS, (new, new)), err
    for host in BONDS:
        assert not lab.pending(host)
        assert lab.sh(host, "test -e /var/lib/burrow/lease.json && echo leased || echo free") == "free\n"
    record = last_record(lab)
    (one,) = record["stages"][0]["sets"]
    assert (record["exit_code"], one["state"]) == (wanted, "done" if new else "interrupted")
    assert one["confirmed"] == ([SAFE, OTHER] if new else [])


@pytest.mark.parametrize("kind", ["armed", "applied", "confirmed"])
def test_reader_leaves(lab: Lab, kind: str) -> None:
    """Like `bootstrap.py | head -n N`: the reader reads up to the line with `kind`, and closes the pipe."""
    with bootstrap(lab, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        lines = []
        for line in run.stdout:
            lines.append(line)
            if f" {SAFE} " in line and f" {kind} " in f"{line.strip()} ":
                break
        else:
            pytest.fail(f"{SAFE} was never {kind}:\n{''.join(lines)}")
        run.stdout.close()
        err = run.stderr.read()
        code = run.wait()
    assert_both_ends(lab, err, code, 0, new=True)
    assert "the screen is switched off" in err
    assert len(last_record(lab)["switched_off"]) == 1


def test_full_disk_under_the_output(lab: Lab) -> None:
    with Path("/dev/full").open("w") as full, bootstrap(lab, stdout=full, stderr=subprocess.PIPE) as run:
        assert run.stderr is not None
        err = run.stderr.read()
        code = run.wait()
    assert_both_ends(lab, err, code, 0, new=True)
    assert "No space left on device" in err


@pytest.mark.parametrize("host", [SAFE, OTHER])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_signal_once_applied(lab: Lab, number: signal.Signals, host: str) -> None:
    """The signal arrives twice. The second one changes nothing."""
    with bootstrap(lab, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        lines = []
        for line in run.stdout:
            lines.append(line)
            if f" {host} " in line and " applied " in f"{line.strip()} ":
                run.send_signal(number)
                run.send_signal(number)
                break
        out = "".join([*lines, *run.stdout])
        err = run.stderr.read()
        code = run.wait()
    assert_both_ends(lab, f"{out}\n{err}", code, 130, new=False)
    assert f"{number.name}: rolling back" in out
