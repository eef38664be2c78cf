"""The host agent on full, read-only, separate or unmounted file systems. They are real, in this machine's memory, and need no lab."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from killed_agent import NEW, OLD, KilledAgent

pytestmark = [pytest.mark.lab, pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts")]


@pytest.fixture(scope="module", autouse=True)
def fresh() -> None:
    """No lab."""


class Disks:
    """An agent on a root in which some folders are separate file systems."""

    def __init__(self, folder: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, *mounts: str) -> None:
        self.root, self.mounted = folder / "root", [folder / "root" / name for name in mounts]
        for path in self.mounted:
            path.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", path], check=True)
        (self.root / "run").mkdir()
        self.agent = KilledAgent(folder, tools, monkeypatch)
        self.agent.advance(self.agent.transaction, "confirm")
        assert self.agent.texts() == NEW

    def remount(self, name: str, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", self.root / name], check=True)

    def fill(self, name: str) -> None:
        subprocess.run(["dd", "if=/dev/zero", f"of={self.root / name}/filler", "bs=4096"], capture_output=True, check=False)
        assert os.statvfs(self.root / name).f_bavail == 0

    def ask(self, verb: str) -> str:
        return str(self.agent.ask(verb, self.agent.transaction)["state"])

    def take_down(self) -> None:
        for path in reversed(self.mounted):
            subprocess.run(["umount", path], check=False)


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Disks]:
    """The root with the file systems of the test's parameter."""
    with TemporaryDirectory(dir="/dev/shm") as folder:
        made = Disks(Path(folder), tmp_path, monkeypatch, *request.param)
        yield made
        made.take_down()


@pytest.mark.parametrize("recovery", ["timer", "boot", "controller"])
@pytest.mark.parametrize("disks", [("",), ("etc",), ("var",), ("etc", "var")], indirect=True, ids="/".join)
def test_revert_on_full_disks(disks: Disks, recovery: str) -> None:
    for path in disks.mounted:
        disks.fill(str(path.relative_to(disks.root)))
    if recovery == "boot":
        disks.agent.machine.main(["boot"])
    elif recovery == "timer":
        disks.agent.console("revert", disks.agent.transaction.token, "timer")
    else:
        disks.ask("revert")
    assert disks.ask("outcome") == "reverted"
    assert disks.agent.texts() == OLD
    assert [name for name in disks.agent.strays() if name not in ("etc/.burrow", "etc/filler")] == []


@pytest.mark.parametrize("disks", [("",), ("etc", "var")], indirect=True, ids="/".join)
def test_confirm_on_full_disks(disks: Disks) -> None:
    for path in disks.mounted:
        disks.fill(str(path.relative_to(disks.root)))
    assert disks.ask("confirm") == "confirmed"
    assert disks.agent.texts() == NEW


@pytest.mark.parametrize("recovery", ["timer", "boot"])
@pytest.mark.parametrize(("disks", "name"), [(("etc",), "etc"), (("var",), "var"), (("etc", "var"), "var")], indirect=["disks"])
def test_revert_on_a_read_only_disk_goes_on_until_it_can_be_written(disks: Disks, name: str, recovery: str) -> None:
    disks.remount(name, "ro")
    if recovery == "boot":
        disks.agent.machine.main(["boot"])
    else:
        disks.agent.console("revert", disks.agent.transaction.token, "timer")
    kept = disks.agent.ask("outcome", disks.agent.transaction)
    assert kept["state"] == "reverting"
    assert "read-only file system: " in kept["reason"]
    assert disks.agent.texts() == (NEW if name == "etc" else OLD)
    assert disks.ask("confirm") == disks.ask("renew") == "refused"
    disks.remount(name, "rw")
    disks.agent.console("retry")
    assert disks.ask("outcome") == "reverted"
    assert disks.agent.texts() == OLD
    assert disks.agent.machine.read("live") == "old hosts\n"


@pytest.mark.parametrize("disks", [("etc/kept",)], indirect=True, ids="/".join)
def test_file_system_that_is_not_mounted_at_boot(disks: Disks) -> None:
    """Like /etc/pve: its file is restored when it is mounted, and nothing is written to its mount point before."""
    aside = disks.root / "aside"
    aside.mkdir()
    subprocess.run(["mount", "--bind", disks.mounted[0], aside], check=True)
    subprocess.run(["umount", disks.mounted[0]], check=True)
    disks.agent.machine.main(["boot"])
    kept = disks.agent.ask("outcome", disks.agent.transaction)
    assert kept["state"] == "reverting"
    assert f"{disks.mounted[0]} is not mounted" in kept["reason"]
    assert list(disks.mounted[0].iterdir()) == []
    subprocess.run(["mount", "--bind", aside, disks.mounted[0]], check=True)
    disks.agent.console("retry")
    subprocess.run(["umount", aside], check=True)
    assert disks.ask("outcome") == "reverted"
    assert disks.agent.texts() == OLD


@pytest.mark.parametrize("disks", [("",)], indirect=True, ids="/".join)
def test_begin_on_a_disk_that_is_nearly_full(disks: Disks) -> None:
    """Whichever write fails first, the agent refuses with one sentence, changes nothing, and leaves no file."""
    agent = disks.agent
    assert disks.ask("confirm") == "confirmed"
    agent.transaction = agent.change(NEW, OLD, "back")
    disks.fill("")
    filler = disks.root / "filler"
    present = set(disks.root.rglob("*"))
    answers: list[dict[str, str]] = []
    while not answers or "refused" in answers[-1]:
        assert agent.texts() == NEW
        assert set(disks.root.rglob("*")) == present
        os.truncate(filler, filler.stat().st_size - 4096)
        done = subprocess.run(agent.command("begin"), capture_output=True, check=False)
        answers.append(json.loads(done.stdout.splitlines()[-1]))
    sentences = {one["refused"].partition(" (")[0] for one in answers[:-1]}
    assert len(sentences) > 3
    assert all(one.startswith(f"no space left on {disks.root}/var/lib/burrow/") for one in sentences), sentences
    assert answers[-1]["answer"]["state"] == "armed", answers[-1]
