"""Somebody changes a host between the question and its answer: what is applied is what was shown, or nothing."""

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from rehearsal import ROOT, Lab
from sites import BY_ITSELF, variant
from test_nfs import ALONE, ROW, SCRATCH, mount, served, unmount, with_hosts

pytestmark = pytest.mark.lab

QUESTION = b"apply stage"


def answered(site: str, *flags: str, meanwhile: Callable[[], object], then: tuple[str, ...] = ()) -> tuple[int, str]:
    """A run on a terminal whose operator does something at the first question, answers yes, and gives these answers to the next ones.

    Returns the exit code and all output.
    """
    master, slave = os.openpty()
    words = [sys.executable, "runbooks/bootstrap.py", "--site", site, *flags]
    output, answers = b"", ["y", *then]
    with subprocess.Popen(words, cwd=ROOT, stdin=slave, stdout=slave, stderr=slave) as run:
        os.close(slave)
        with suppress(OSError):  # the terminal of a program that has ended
            while piece := os.read(master, 65536):
                output += piece
                if answers and output.count(QUESTION) == 2 + len(then) - len(answers):
                    if len(answers) > len(then):
                        meanwhile()
                    os.write(master, f"{answers.pop(0)}\n".encode())
    os.close(master)
    assert answers == [], output.decode()
    return run.returncode, output.decode()


@pytest.fixture
def asking(tmp_path: Path) -> str:
    """A site that asks before it applies, unlike a rehearsal."""
    return variant(tmp_path / "asking", rehearsal=False, timers=BY_ITSELF)


SETTINGS = ("--stage", "host", "--set", "settings alvin")


def test_edit_of_what_the_plan_owns_is_not_overwritten(lab: Lab, asking: str) -> None:
    code, output = answered(
        asking, *SETTINGS, meanwhile=lambda: lab.sh("alvin", "echo '172.16.101.2 simon.mrcurls.org simon' >> /etc/hosts")
    )
    assert code == 3, output
    assert "it is not what was shown: alvin: " in " ".join(output.split()), output
    assert lab.sh("alvin", "tail -n 1 /etc/hosts") == "172.16.101.2 simon.mrcurls.org simon\n"
    assert "theodore" not in lab.sh("alvin", "cat /etc/hosts")
    assert lab.sh("alvin", "ls /var/lib/burrow/backups 2>/dev/null || true") == ""


def test_edit_of_other_lines_stays_and_the_plan_is_applied(lab: Lab, asking: str) -> None:
    code, output = answered(asking, *SETTINGS, meanwhile=lambda: lab.sh("alvin", "echo '10.9.9.9 printer' >> /etc/hosts"))
    assert code == 0, output
    hosts = lab.sh("alvin", "cat /etc/hosts")
    assert "10.9.9.9 printer\n" in hosts
    assert "theodore" in hosts


def test_larger_impact_is_asked_about_again(lab: Lab, asking: str, tmp_path: Path) -> None:
    """A client appears on the server of an export that is to be removed."""
    assert lab.runbook("bootstrap", "--site", with_hosts(tmp_path / "more", ROW, ROW + SCRATCH), *ALONE).code == 0
    try:
        code, output = answered(asking, *ALONE, meanwhile=lambda: mount(lab, "simon", "/mnt/Flash/Scratch", "/run/scratch"), then=("n",))
        assert code == 3, output
        assert output.count("apply stage") == 2
        assert "simon (172.16.101.2)" in " ".join(output.rpartition("apply stage")[0].split()), output
        assert "/mnt/Flash/Scratch" in served(lab)
    finally:
        unmount(lab, "simon", "/run/scratch")
