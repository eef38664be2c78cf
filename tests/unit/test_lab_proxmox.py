"""The lab's stand-ins for Proxmox's commands: their files and command lines are Proxmox's. A drill tests their effect in the lab."""

import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT

from lab.rootfs.usr.lib.lab.proxmox import ceph_conf, cluster_fs, corosync_conf, options, pvecm, storage_cfg
from lab.rootfs.usr.lib.lab.proxmox.options import Command, Option, PveError, Values

CEPH_CONF = """\
[global]
	cluster_network = 10.103.0.0/24
	mon_host = 10.103.0.1 10.103.0.2

[client]
	keyring = /etc/pve/priv/$cluster.$name.keyring

[mon.alvin]
	public_addr = 10.103.0.1

"""
STORAGE_CFG = """\
dir: local
	path /var/lib/vz
	content iso,vztmpl,backup

nfs: data
	export /mnt/Vault/Data
	path /mnt/pve/data
	server 192.168.103.114
	content images

"""


@pytest.fixture
def pve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder instead of /etc/pve, of a node that is in no cluster."""
    monkeypatch.setattr(ceph_conf, "PATH", tmp_path / "ceph.conf")
    monkeypatch.setattr(storage_cfg, "PATH", tmp_path / "storage.cfg")
    monkeypatch.setattr(cluster_fs, "COROSYNC", tmp_path / "corosync.conf")
    monkeypatch.setattr(cluster_fs, "LOCKS", tmp_path / "priv" / "lock")
    return tmp_path


def test_ceph_conf_is_written_as_proxmox_writes_it(pve: Path) -> None:
    (pve / "ceph.conf").write_text(CEPH_CONF)
    sections = ceph_conf.read()
    assert sections["mon.alvin"] == {"public_addr": "10.103.0.1"}
    (pve / "ceph.conf").unlink()
    ceph_conf.write(dict(reversed(sections.items())))
    assert (pve / "ceph.conf").read_text() == CEPH_CONF


def test_storage_cfg_is_written_as_proxmox_writes_it(pve: Path) -> None:
    (pve / "storage.cfg").write_text(STORAGE_CFG)
    assert "".join(storage.text for storage in storage_cfg.read().values()) == STORAGE_CFG
    storage_cfg.remove("data")
    assert (pve / "storage.cfg").read_text() == STORAGE_CFG.partition("nfs: ")[0]
    with pytest.raises(PveError, match="storage 'data' does not exist"):
        storage_cfg.remove("data")


def test_a_lock_of_another_process_is_awaited_and_then_refused(pve: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_fs, "LOCK_S", 0.2)
    with (
        cluster_fs.locked("ceph.conf"),
        pytest.raises(PveError, match="cfs-lock 'file-ceph_conf' error: got lock request timeout"),
        cluster_fs.locked("ceph.conf"),
    ):
        pass
    assert list((pve / "priv" / "lock").iterdir()) == []


def test_corosync_conf_survives_being_read_and_written() -> None:
    links = {0: corosync_conf.parse_link("172.16.101.1,priority=20"), 1: corosync_conf.parse_link("10.103.0.1")}
    conf = corosync_conf.fresh("homelab", corosync_conf.member("alvin", 1, "1", links), links)
    text = corosync_conf.render(conf)
    assert "    ring1_addr: 10.103.0.1\n" in text
    assert "    knet_link_priority: 20\n    linknumber: 0\n" in text
    read = corosync_conf.parse(text)
    assert read == conf
    corosync_conf.next_version(read)
    assert "  config_version: 2\n" in corosync_conf.render(read)


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["pool", "create"], "400 not enough arguments"),
        (["pool", "create", "p", "--siz", "3"], "Unknown option: siz"),
        (["pool", "create", "p", "--size"], "Option size requires an argument"),
        (["pool", "create", "p", "--size", "0"], "size: value must have a minimum value of 1"),
        (["pool", "create", "p", "--size", "x"], "size: type check ('integer') failed - got 'x'"),
        (["pool", "drop"], "unknown command 'pveceph pool'"),
        (["pool", "create", "bad"], "no quorum"),
    ],
)
def test_an_error_is_reported_and_exits_with_255(argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Values) -> None:
        raise PveError("cluster not ready - no quorum?")

    commands = {"pool create": Command(run, ("name",), (Option("size", "integer", 1, 7),))}
    assert options.main("pveceph", commands, argv) == 255
    assert expected in capsys.readouterr().err


def test_failed_task_exits_with_0_and_reports_why_it_failed(capsys: pytest.CaptureFixture[str]) -> None:
    def run(_: Values) -> None:
        with options.task_without_exit_code():
            raise PveError("Could not set: size")

    assert options.main("pveceph", {"pool set": Command(run)}, ["pool", "set"]) == 0
    assert capsys.readouterr().err == "Could not set: size\n"


FAILS = """
import subprocess, sys
from lab.rootfs.usr.lib.lab.proxmox import options
def run(_):
    with options.task_without_exit_code():
        print("detected the following error(s):", file=sys.stderr)
        subprocess.run(["/bin/sh", "-c", "echo of a command >&2"], check=True)
        raise options.PveError("Check if node may join\\na cluster failed!")
sys.exit(options.main("pvecm", {"add": options.Command(run)}, ["add"]))
"""


def test_all_but_the_last_line_of_a_failed_task_is_on_standard_output() -> None:
    done = subprocess.run([sys.executable, "-c", FAILS], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "detected the following error(s):\nof a command\n"
    assert done.stderr == "Check if node may join a cluster failed!\n"


NAMED = {"add": Command(lambda _: None, ("type", storage_cfg.ID))}


@pytest.mark.parametrize(
    ("commands", "argv", "expected"),
    [
        (pvecm.COMMANDS, ["create", "sixteen-letters-"], "clustername: value may only be 15 characters long"),
        (pvecm.COMMANDS, ["create", "home_lab"], "clustername: invalid format - value does not look like a valid node name"),
        (NAMED, ["add", "rbd", "1st"], "storage: invalid format - storage ID '1st' contains illegal characters"),
        (NAMED, ["add", "rbd", "v"], "storage: invalid format - storage ID 'v' contains illegal characters"),
    ],
)
def test_names_are_checked_as_proxmox_checks_them(commands, argv: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert options.main("pve", commands, argv) == 255
    assert expected in capsys.readouterr().err


def test_a_storage_makes_the_folders_of_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "is_mount", lambda _: True)
    storage = storage_cfg.Storage("nfs", "data", {"path": str(tmp_path), "content": "backup,iso,vztmpl"})
    storage_cfg.activate(storage)
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.glob("**/*")) == ["dump", "template", "template/cache", "template/iso"]
    (tmp_path / "images").touch()
    with pytest.raises(PveError, match=r"failed to create content directory '.*/images' for content 'images' - File exists"):
        storage_cfg.activate(storage_cfg.Storage("nfs", "data", {"path": str(tmp_path), "content": "images"}))


def test_guests_of_every_node_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_fs, "PVE", tmp_path)
    for path in ("alvin/qemu-server/100.conf", "old/lxc/205.conf", "alvin/qemu-server/notes.conf", "alvin/config"):
        (tmp_path / "nodes" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "nodes" / path).touch()
    assert cluster_fs.guests() == ["100", "205"]


def test_options_are_accepted_in_all_of_perls_forms() -> None:
    seen: list[Values] = []
    command = Command(seen.append, ("name",), (Option("size", "integer"), Option("use_ssh", "boolean"), Option("force", "boolean")))
    assert options.main("x", {"add": command}, ["add", "--size=3", "-use_ssh", "p", "--force", "1"]) == 0
    assert seen == [{"name": "p", "size": "3", "use_ssh": "1", "force": "1"}]


def test_stand_in_exits_with_its_code_even_if_a_thread_aborts() -> None:
    words = f"import atexit, os; atexit.register(os.abort); from {options.__name__} import leave; print('all'); leave(3)"
    done = subprocess.run([sys.executable, "-c", words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "all\n")
