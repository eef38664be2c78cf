"""Fixtures of the unit tests."""

import gc
import logging
import shutil
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nornir.core.plugins.register import PluginRegister


def pytest_collection_finish() -> None:
    """Collect garbage seldom, and never what was imported and collected: it takes a third of the time of the tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture
def world(monkeypatch):
    """Hosts in memory behind nornir's own connections, on a simulated clock, so that no test waits in real time."""
    from engine import World, load_once
    from fake_host import plugins

    world = World()
    monkeypatch.setattr("inventory.load.load", load_once)
    monkeypatch.setattr(
        logging.getLogger("nornir.core.task"), "disabled", True
    )  # it formats a traceback for each answer that a test drops on purpose
    monkeypatch.setattr(PluginRegister, "available", plugins(world.hosts))
    monkeypatch.setattr(time, "monotonic", world.clock)
    monkeypatch.setattr(time, "sleep", world.clock.sleep)
    yield world
    assert world.unknown_kinds() == set()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A folder as a host's root, with the host agent in it."""
    from agent_machine import Machine

    memory = Path("/dev/shm")  # the agent syncs every file, which is slow on a real disk
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as root:
        yield Machine(Path(root), tmp_path, monkeypatch)


@pytest.fixture
def applied(machine):
    """A transaction that is applied and not confirmed: etc/hosts was old and is new."""
    from agent_machine import hosts

    machine.write("etc/hosts", "old\n", 0o640)
    transaction = hosts(machine)
    assert machine.begin(transaction)["state"] == "applied"
    return transaction


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home folder without keys, SSH agent, records or lab."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("BURROW_LAB", str(tmp_path / "no-lab"))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path


@pytest.fixture
def alvin():
    """A host in memory behind a real SSH server, on the real clock."""
    from fake_host import FakeHost

    return FakeHost("alvin", time.monotonic, [])


@pytest.fixture
def site(tmp_path, alvin):
    """The folder of a site that is reached over SSH."""
    from engine import FOLDER
    from fake_sshd import ssh_config

    folder = shutil.copytree(FOLDER, tmp_path / "attic")
    with ssh_config(tmp_path, {"alvin": alvin}) as path:
        (folder / "site.yaml").write_text(f"ssh_config: {path}\n")
        yield folder
