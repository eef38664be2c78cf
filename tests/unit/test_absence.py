"""Absence is proven: a fact that is missing, failed or empty ends in a refusal or in the same plan."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cases import Case, modules, with_clusters
from replay import SHARED
from test_changes import PLANNED, plan_of

from inventory.site import Site
from inventory.targets import HOST, kind_of
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import READ_FILE, Fact, Facts, HostFacts, Reading, text
from tasks.storage.nfs.facts import READ_FOLDERS

LOST = {"removed": None, "failed": Reading(1, "", "no answer"), "empty": Reading(0, "")}
# Facts whose command proves by itself that an empty output means nothing is there. All others are read from what is never empty.
PROVEN = {
    "authorized_keys_path": "`readlink -m` always prints a path",
    "ceph_conf": "its script ends with 1 where /etc/pve is not mounted",
    "ceph_identity": "its script lists files of folders on the host's own disk, which it finds mounted",
    "ceph_programs": "its script ends with 1 where it finds no /usr/bin",
    "corosync": "its script ends with 1 where the file is empty, and where /etc/pve is not mounted",
    "export_table": "`exportfs -s` ends with 1 where it cannot read its table",
    "storages": "its script ends with 1 where /etc/pve is not mounted",
    "thunderbolt_loaded": "its script ends with 1 where /sys is not mounted",
}
TEXTS = {
    fact.name
    for module in modules()
    for found in vars(module).values()
    for fact in (found if isinstance(found, tuple) else (found,))
    if isinstance(fact, Fact) and fact.command.startswith(READ_FILE.partition("{path}")[0]) and "\n" in fact.command
}


def losses(facts: Facts, site: Site) -> Iterator[tuple[str, Facts]]:
    """The facts of a case, each time with one that its plan used lost in one way: of one host, or of all where they answer alike."""
    hosts = {name: answers for name, answers in facts.items() if kind_of(name) == HOST}
    used = dict.fromkeys(name for answers in facts.values() for one in (answers, *answers.each.values()) for name in one.parsed)
    for fact in used:
        having = [host for host, answers in hosts.items() if fact in answers.readings and answers.readings[fact].out]
        for how, instead in LOST.items():
            if how == "empty" and (fact in TEXTS or fact in PROVEN or fact.startswith("link_file_")):
                continue
            for group in [having] if fact in SHARED else [[host] for host in having]:
                changed = {host: _without(hosts[host], fact, instead) for host in group}
                yield f"{', '.join(group)}: {fact} {how}", with_clusters(site, {**hosts, **changed})


def _without(answers: HostFacts, fact: str, instead: Reading | None) -> HostFacts:
    rest = {name: one for name, one in answers.readings.items() if name != fact}
    return HostFacts(answers.host, rest if instead is None else {**rest, fact: instead})


@pytest.mark.parametrize("case", PLANNED, ids=str)
def test_a_lost_fact_makes_nothing_anew(case: Case) -> None:
    given, wrong = case.facts, []
    right = plan_of(case, given).diff()
    for what, facts in losses(given, case.site):
        try:
            plan = plan_of(case, facts)
        except BurrowError:
            continue
        if plan.diff() != right:
            wrong.append(what)
    assert wrong == []


def read(script: str) -> tuple[int, str, str]:
    done = subprocess.run(["/bin/sh", "-c", script], check=False, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("path", ["absent", "no/such/folder/absent"])
def test_a_file_that_no_folder_lists_is_absent(tmp_path: Path, path: str) -> None:
    assert read(text("one", f"{tmp_path}/{path}").command)[:2] == (0, "")


def test_a_file_that_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a\nb")
    assert read(text("one", f"{tmp_path}/file").command)[:2] == (0, "a\nb")


@pytest.mark.parametrize("path", ["folder", "link", "link/file", "file/below"])
def test_a_file_that_is_there_but_cannot_be_read_is_an_error(tmp_path: Path, path: str) -> None:
    """Root reads any mode, so a folder, a link that leads nowhere, and a file in the place of a folder stand for what fails on a disk."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("/nowhere")
    code, out, err = read(text("one", f"{tmp_path}/{path}").command)
    assert (code, out) == (1, "")
    assert f"{tmp_path}/{path.partition('/')[0]} is there, but cannot be read" in err


def test_a_folder_that_cannot_be_looked_at_is_no_absent_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    absent = READ_FOLDERS.replace("{paths}", f"{tmp_path}/folder {tmp_path}/none")
    assert [line.split("\t")[:2] for line in read(absent)[1].splitlines()] == [[f"{tmp_path}/folder", "directory"]]
    assert read(READ_FOLDERS.replace("{paths}", f"{tmp_path}/file/below"))[0] == 1
