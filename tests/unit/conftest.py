"""What the unit tests share."""

import logging
import time

import pytest
from nornir.core.plugins.register import PluginRegister


@pytest.fixture
def world(monkeypatch):
    """Hosts in memory behind nornir's own connections, on a clock of their own: nothing waits in earnest."""
    from engine import World
    from fake_host import plugins

    world = World()
    monkeypatch.setattr(
        logging.getLogger("nornir.core.task"), "disabled", True
    )  # it formats a traceback for each answer that is lost on purpose
    monkeypatch.setattr(PluginRegister, "available", plugins(world.hosts))
    monkeypatch.setattr(time, "monotonic", world.clock)
    monkeypatch.setattr(time, "sleep", world.clock.sleep)
    return world
