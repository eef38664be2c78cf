"""Files that the host agent writes: what it keeps of them, what it checks right before, and what it refuses in one sentence."""

import ast
import errno
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from agent_machine import KIM, SAM, Machine, hosts, refusal

from tasks.core.agent import apply, disk, install, requests
from tasks.core.agent.state import BOOT_UNIT, PATHS
from tasks.core.connectors.agent_artefact import FOLDER
from tasks.core.connectors.agent_session import LOADER
from tasks.core.model.fact import Reading, text
from tasks.core.model.operation import TimedTransaction


def test_edit_during_validation_is_refused_and_stays(machine: Machine) -> None:
    path = machine.write("etc/hosts", "old\n")
    edits = ("/bin/sh", "-c", f"echo mine >> {path}")
    reason = refusal(machine, "begin", **hosts(machine, validate=edits).request(60))
    assert "was changed since it was read" in reason
    assert machine.read("etc/hosts") in ("old\nmine\n", "old\nmine\nmine\n")
    assert machine.ask("read")["pending"] is None
    assert not (machine.root / "var/lib/burrow/draft").exists()


@pytest.mark.parametrize("edit", ["written into", "replaced", "made"])
def test_edit_between_backup_and_write_stays(machine: Machine, edit: str) -> None:
    path = machine.root / "etc/hosts"
    if edit != "made":
        machine.write("etc/hosts", "old\n")
    machine.write("etc/motd", "old\n")
    transaction = hosts(machine, before=None if edit == "made" else "old\n")
    both = TimedTransaction("x", (*hosts(machine, before="old\n").files[:0], *transaction.files))
    machine.ask("prepare")
    machine.ask("begin", **both.request(60))
    if edit == "replaced":
        machine.write("etc/other", "mine\n").replace(path)
    else:
        path.write_text("mine\n")
    machine.main(["apply", both.token])
    kept = machine.ask("outcome", token=both.token)
    assert kept["state"] == "reverted"
    assert "was changed while the transaction was prepared" in kept["reason"]
    assert "is left unchanged" in kept["reason"]
    assert machine.read("etc/hosts") == "mine\n"


def test_bytes_that_are_not_utf8_survive_from_the_fact_to_the_file(machine: Machine) -> None:
    """Read, sent as JSON, compared and written: a file with a comment in Latin-1 can still be changed."""
    path = machine.write("etc/hosts", "")
    path.write_bytes(b"# caf\xe9\n")
    fact = text("hosts", str(path))
    answer = json.loads(json.dumps(machine.ask("read", facts={fact.name: fact.command})["facts"]["hosts"]))
    before = fact.parse(Reading(**answer).out)
    transaction = hosts(machine, before=before, text=before + "new\n")
    assert machine.begin(transaction)["state"] == "applied"
    assert path.read_bytes() == b"# caf\xe9\nnew\n"


def test_linked_file_is_refused(machine: Machine) -> None:
    path = machine.write("etc/hosts", "old\n")
    os.link(path, machine.root / "etc/second")
    reason = refusal(machine, "begin", **hosts(machine).request(60))
    assert "has 2 hard links" in reason
    assert f"find / -xdev -samefile {path}" in reason


def test_extended_attributes_are_kept_both_ways(machine: Machine) -> None:
    path = machine.write("etc/hosts", "old\n")
    try:
        os.setxattr(path, "user.owner", b"kim")
    except OSError:
        os.setxattr(path, "trusted.owner", b"kim")
    have = disk.attributes_of(path)
    transaction = hosts(machine)
    machine.begin(transaction)
    assert machine.read("etc/hosts") == "new\n"
    assert disk.attributes_of(path) == have
    (machine.root / "var/lib/burrow/pending/0.old").unlink()  # then only the copy is left
    machine.ask("revert", token=transaction.token)
    assert machine.read("etc/hosts") == "old\n"
    assert disk.attributes_of(path) == have


def test_acl_is_kept_and_none_comes_from_the_folder(machine: Machine) -> None:
    """POSIX ACLs in the kernel's own form: version 2, then (tag, permissions, id) of each entry."""

    def entry(tag: int, bits: int, who: int = 0xFFFFFFFF) -> bytes:
        return tag.to_bytes(2, "little") + bits.to_bytes(2, "little") + who.to_bytes(4, "little")

    acl = (2).to_bytes(4, "little") + entry(1, 6) + entry(2, 4, 7) + entry(4, 4) + entry(16, 4) + entry(32, 0)
    path = machine.write("etc/hosts", "old\n", 0o640)
    name = "system.posix_acl_access"
    try:
        os.setxattr(path, name, acl)
        os.setxattr(path.parent, "system.posix_acl_default", acl)
    except OSError:
        pytest.skip("this file system has no ACLs")
    machine.begin(hosts(machine))
    assert machine.read("etc/hosts") == "new\n"
    assert os.getxattr(path, name) == acl
    os.removexattr(path, name)
    mode = path.stat().st_mode
    disk.write(path, b"x", {"mode": mode & 0o7777, "attributes": {}})
    assert name not in os.listxattr(path)


def test_umask_decides_nothing(machine: Machine) -> None:
    before = os.umask(0)
    try:
        machine.write("etc/hosts", "old\n")
        transaction = hosts(machine)
        machine.begin(transaction)
        machine.ask("confirm", token=transaction.token)
    finally:
        os.umask(before)
    library = machine.root / "usr/local/lib/burrow"
    assert {path.stat().st_mode & 0o777 for path in (library, *library.iterdir())} == {0o755}
    home = machine.root / "var/lib/burrow"
    modes = {path: path.stat().st_mode & 0o777 for path in (home, *home.rglob("*"))}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_commands_have_the_umask_of_a_boot(machine: Machine) -> None:
    before = os.umask(0o077)
    try:
        assert machine.ask("read", facts={"umask": "umask"})["facts"]["umask"]["out"].strip() == "0022"
    finally:
        os.umask(before)


def test_leftovers_of_a_killed_write_go(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    for path in ("var/lib/burrow/.lease.json.burrow", "var/lib/burrow/.lease.json.k271w_gi", "etc/.hosts.burrow"):
        machine.write(path, "half")
    transaction = hosts(machine)
    machine.begin(transaction)
    machine.write("etc/.hosts.burrow", "half")
    machine.ask("revert", token=transaction.token)
    assert list(machine.root.rglob(".*")) == []


def test_folder_that_was_made_for_a_file_goes_with_it(machine: Machine) -> None:
    path = machine.root / "etc/exports.d/deep/site.exports"
    transaction = TimedTransaction("x", (hosts(machine).files[0].__class__(str(path), None, "new\n"),))
    machine.begin(transaction)
    assert (path.parent.stat().st_mode & 0o777, machine.read("etc/exports.d/deep/site.exports")) == (0o755, "new\n")
    machine.ask("revert", token=transaction.token)
    assert not (machine.root / "etc/exports.d").exists()


def test_unreadable_record_and_lease_block_no_run(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.write("etc/hosts", "old\n")
    transaction = hosts(machine)
    machine.begin(transaction)
    machine.ask("confirm", token=transaction.token)
    record = machine.root / "var/lib/burrow/record.jsonl"
    record.write_bytes(b'{"token": \xff\n\0\0\0\n[1]\n' + record.read_bytes() + b'{"token": "cut of')
    machine.write("var/lib/burrow/lease.json", "")
    assert len(machine.ask("read")["remarks"]) == 2
    machine.main(["status"])
    assert "record.jsonl: 3 unreadable lines are skipped" in capsys.readouterr().out
    following = hosts(machine, before="new\n", text="newer\n")
    assert machine.begin(following, SAM)["state"] == "applied"
    assert machine.ask("confirm", token=following.token)["state"] == "confirmed"
    assert machine.ask("read")["remarks"] == []
    assert machine.ask("outcome", token=transaction.token)["state"] == "confirmed"


DAMAGES = {
    "masked": lambda root: (root / "etc/systemd/system/burrow-boot.service").symlink_to("/dev/null"),
    "replaced": lambda root: (root / "etc/systemd/system/burrow-boot.service").write_text("[Service]\nExecStart=true\n"),
    "disabled": lambda _: None,
    "program": lambda root: next((root / "usr/local/lib/burrow").glob("*/burrow")).write_text("raise SystemExit\n"),
    "mode": lambda root: next((root / "usr/local/lib/burrow").glob("*/burrow")).chmod(0o777),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_agent_is_repaired(machine: Machine, damage: str) -> None:
    machine.ask("prepare")
    unit, wanted = PATHS.units / BOOT_UNIT, install.enabling_link(BOOT_UNIT)
    if damage == "masked":
        unit.unlink()
    if damage == "disabled":
        wanted.unlink()
    DAMAGES[damage](machine.root)
    machine.ask("prepare")
    assert (unit.is_symlink(), unit.read_text(), wanted.resolve()) == (False, install.unit_text(BOOT_UNIT), unit)
    assert PATHS.command.read_text() == machine.program
    assert PATHS.command.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(("code", "says"), [(errno.ENOSPC, "no space left on"), (errno.EROFS, "read-only file system:")])
@pytest.mark.parametrize("op", ["prepare", "begin", "start", "reboot"])
def test_disk_that_takes_nothing_is_one_sentence_and_leaves_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], op: str, code: int, says: str
) -> None:
    machine.write("etc/hosts", "old\n")
    machine.ask("prepare")
    machine.ask("release")
    before = {path for path in machine.root.rglob("*") if path.is_file()}
    capfd.readouterr()

    def refuses(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuses)
    request = {"op": op, "packages": [], "deadline_s": 5, "argv": ["true"], "handle": "t-0", **vars(KIM), **hosts(machine).request(60)}
    umask = os.umask(0o022)
    requests.answer(json.loads(json.dumps(request)))
    os.umask(umask)
    monkeypatch.undo()
    reason = json.loads(capfd.readouterr().out.splitlines()[-1])["refused"]
    assert reason.startswith(f"{says} {machine.root}/var/lib/burrow/.lease.json.burrow (")
    assert "nothing was changed" in reason
    assert reason.endswith("and run again")
    assert {path for path in machine.root.rglob("*") if path.is_file()} == before


def test_file_whose_mount_is_gone_is_refused_before_anything_is_written(machine: Machine) -> None:
    machine.write("etc/hosts", "old\n")
    request = hosts(machine).request(60)
    request["files"][0]["mount"] = str(machine.root / "etc")
    assert f"{machine.root}/etc is not mounted" in refusal(machine, "begin", **request)
    assert machine.ask("read")["pending"] is None


def test_file_whose_mount_goes_before_it_is_written_is_left(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.write("etc/hosts", "old\n")
    transaction = hosts(machine)
    machine.ask("prepare")
    machine.ask("begin", **transaction.request(60))
    monkeypatch.setattr(apply, "mount_of", lambda _: "/elsewhere")
    machine.main(["apply", transaction.token])
    assert machine.read("etc/hosts") == "old\n"
    assert "and is now on /elsewhere" in machine.ask("outcome", token=transaction.token)["reason"]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_source_is_python_of_the_oldest_host(path: Path) -> None:
    """Debian 11, which Proxmox VE 7 stands on, has Python 3.9."""
    source = path.read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))
    assert "strict=" not in source
    assert source.isascii()


def test_older_python_gets_one_sentence() -> None:
    command = LOADER.replace("python3 -I -c 'import sys,", f"{sys.executable} -c 'import sys;sys.version_info=(3,8,1);import ", 1)
    done = subprocess.run(["/bin/sh", "-c", command], input=b"", capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"Burrow needs Python 3.9 or newer on the host, found ")


def test_text_that_is_not_utf8_is_refused(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    machine.write("etc/hosts", "old\n")
    machine.ask("prepare")
    request = {"op": "begin", "packages": [], "deadline_s": 5, **vars(KIM), **hosts(machine, text="\ud800\n").request(60)}
    umask = os.umask(0o022)
    requests.answer(json.loads(json.dumps(request)))
    os.umask(umask)
    assert "cannot be written as UTF-8" in json.loads(capfd.readouterr().out.splitlines()[-1])["refused"]
    assert machine.ask("read")["pending"] is None


def test_modules_of_the_login_are_not_loaded(machine: Machine, tmp_path: Path) -> None:
    """The loader runs as root and starts in the login's home."""
    (tmp_path / "json.py").write_text(f"open('{tmp_path}/taken', 'w')\n")
    source, request = zlib.compress(machine.program.encode()), json.dumps({"op": "read", "facts": {}, "deadline_s": 9}).encode()
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = LOADER.replace("python3", sys.executable, 1)
    subprocess.run(
        ["/bin/sh", "-c", command],
        input=b"%d\n%b%b" % (len(source), source, request),
        capture_output=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    assert not (tmp_path / "taken").exists()
    assert machine.program.startswith("#!/usr/bin/python3 -I\n")
