"""The mirror of this machine's own apt sources, and the kernel that the lab tries first."""

import json
from pathlib import Path

import pytest

from lab.archive import mirror_in
from lab.errors import LabError
from lab.folders import Folders
from lab.kernel import cached, candidates, mode_parameters, release_number

DEB822 = """\
Types: deb
# a note
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
"""


def test_the_mirror_is_that_of_a_whole_release() -> None:
    assert mirror_in(DEB822) == "http://mirror.example/debian"


def test_one_line_sources_are_read_with_their_options() -> None:
    text = (
        "# deb http://old.example/debian bookworm main\n"
        "deb http://security.example/debian-security trixie-security main\n"
        "deb [signed-by=/usr/share/keyrings/some.gpg arch=amd64] http://mirror.example/debian trixie main contrib\n"
    )
    assert mirror_in(text) == "http://mirror.example/debian"


@pytest.mark.parametrize(
    "text", ["", "deb http://vendor.example/apt stable other\n", "Types: deb\nURIs: http://x.example\nSuites: nodistro\n"]
)
def test_other_archives_are_not_mirrored(text: str) -> None:
    assert mirror_in(text) is None


def keep(folders: Folders, suite: str, release: str) -> Path:
    """Put a kernel into a cache."""
    folder = folders.kernels / suite
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps({"version": f"{release}um1", "suite": suite, "release": release}))
    return folder


def test_kernels_are_tried_from_the_newest(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    keep(folders, "bookworm", "6.1.176")
    keep(folders, "testing", "7.2.7")
    keep(folders, "trixie", "6.12.113")
    assert [kernel.release for kernel in cached(folders)] == ["7.2.7", "6.12.113", "6.1.176"]
    messages: list[str] = []
    first = next(candidates(folders, None, messages.append))
    assert (first.release, first.modes) == ("7.2.7", ("seccomp", "ptrace"))
    assert next(candidates(folders, "bookworm", messages.append)).modes == ("ptrace",)
    assert messages == []


def test_a_refused_kernel_is_skipped_with_its_reason(tmp_path: Path) -> None:
    folders = Folders(tmp_path)
    keep(folders, "testing", "7.2.7")
    (keep(folders, "trixie", "6.12.113") / "refused").write_text("no such instruction\n")
    with pytest.raises(LabError, match=r"6\.12\.113 of trixie does not run on this machine: no such instruction"):
        list(candidates(folders, "trixie", print))


def test_releases_compare_as_numbers() -> None:
    assert release_number("6.9.1-rc1") < release_number("6.16.0") < release_number("7.2.7")
    assert mode_parameters("seccomp") == ["seccomp=on"]
    assert mode_parameters("ptrace") == []
