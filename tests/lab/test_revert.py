"""A revert on a real host whose disk refuses writes (full, read-only, immutable file), by its timer and at boot."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from deeds import open_set
from rehearsal import Lab

pytestmark = pytest.mark.lab

SET = ("uplink alvin", "--stage", "network", "--set", "uplink alvin", "--limit", "alvin")
FILE = "/etc/network/interfaces"


def state(lab: Lab) -> str:
    """The console's status of the pending and the last transaction."""
    return lab.sh("alvin", "burrow status")


def is_back(lab: Lab) -> bool:
    """Whether file and kernel are as freshly installed, by cmp and sysfs."""
    script = f"cmp -s {FILE} /root/fresh.interfaces && [ ! -e /sys/class/net/bond0 ] && ls /sys/class/net/vmbr0/brif"
    return "eno1" in lab.sh("alvin", script, check=False)


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    """A fresh site with its base settings applied."""
    assert lab.runbook("bootstrap", "--stage", "host", "--limit", "alvin").code == 0


@pytest.fixture
def left_open(lab: Lab, tmp_path: Path) -> Iterator[None]:
    """The controller dies after alvin's new network is applied and before it is confirmed."""
    with open_set(tmp_path / "go", "applied", "alvin", *SET) as run:
        run.kill()
    yield
    lab.sh("alvin", f"chattr -i {FILE}; rm -f /root/filler", check=False)
    lab.put_back("alvin")


@pytest.mark.usefixtures("left_open")
def test_timer_on_a_full_disk(lab: Lab) -> None:
    """The root's file system has no free block, and all files are restored at once."""
    lab.sh("alvin", "dd if=/dev/zero of=/root/filler bs=1M 2>/dev/null; cat /dev/zero >> /root/filler 2>/dev/null; sync", check=False)
    assert lab.sh("alvin", "df --output=avail / | tail -n 1").strip() == "0"
    lab.wait("the timer has restored alvin", lambda: not lab.pending("alvin"), 90)
    assert is_back(lab), state(lab)
    assert "by its timer" in state(lab)
    refused = lab.runbook("bootstrap", *SET[1:])
    assert refused.code == 3, refused.out
    assert "alvin: no space left on /var/lib/burrow/" in refused.out.replace("\n", " "), refused.out
    assert "Traceback" not in refused.out + refused.err
    assert lab.sh("alvin", "ls -A /var/lib/burrow | grep '^[.]' || true") == ""


@pytest.mark.usefixtures("left_open")
def test_timer_that_meets_an_immutable_file(lab: Lab) -> None:
    """The agent retries until it can write the file, and refuses a confirmation meanwhile."""
    lab.sh("alvin", f"chattr +i {FILE}")
    lab.wait("the first attempt is over", lambda: "reverting until every file is restored" in state(lab), 90)
    assert FILE in state(lab)
    lab.wait("another attempt runs", lambda: "running" in lab.sh("alvin", "systemctl show -p SubState burrow-retry.service"), 20)
    assert "is reverting: " in lab.runbook("bootstrap", *SET[1:]).out
    lab.sh("alvin", f"chattr -i {FILE}")
    lab.wait("it is reverted", lambda: not lab.pending("alvin"), 70)
    assert is_back(lab), state(lab)


@pytest.mark.usefixtures("left_open")
def test_boot_that_meets_an_immutable_file(lab: Lab) -> None:
    """The agent retries later in that boot."""
    lab.sh("alvin", f"chattr +i {FILE}; sync")
    lab.command("kill", "alvin")
    lab.command("start", "alvin")
    lab.wait("the boot's attempt is over", lambda: "reverting until every file is restored" in state(lab), 60)
    lab.sh("alvin", f"chattr -i {FILE}")
    lab.wait("it is reverted", lambda: not lab.pending("alvin"), 70)
    assert is_back(lab), state(lab)
    assert "at boot" in state(lab)


@pytest.mark.usefixtures("left_open")
def test_agent_that_is_killed_again_and_again(lab: Lab) -> None:
    """Every process of the agent is killed at once, while a timer and its restarts run. Then the kills stop."""
    # Each pause is longer: on a slow machine, Python needs more than the first one to start.
    kills = 'n=3; while :; do pkill -9 -f "burrow (revert|retry|apply)"; sleep $((n / 10)).$((n % 10)); n=$((n + 1)); done'
    lab.sh("alvin", f"systemd-run -q --unit=burrow-drill sh -c '{kills}'")
    lab.wait("its timer has come", lambda: "reverting" in state(lab) or not lab.pending("alvin"), 90)
    lab.sh("alvin", "systemctl stop burrow-drill.service")  # in a separate command, because the next one matches the pattern of pkill
    lab.sh("alvin", "systemctl reset-failed 'burrow-revert-*'; burrow revert")
    assert is_back(lab), state(lab)
    assert not lab.pending("alvin")
