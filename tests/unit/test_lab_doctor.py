"""The lab's report on this machine and on itself."""

import sys
from pathlib import Path

import pytest

from lab import settings
from lab.absent import ABSENT
from lab.doctor import report
from lab.folders import Folders
from lab.image import CONTENT, key_of
from lab.kernel import Kernel

DOCS = Path(__file__).parents[2] / "docs/lab.md"


def test_missing_parts_of_the_lab_are_listed_once_and_shown_in_the_docs() -> None:
    text = DOCS.read_text()
    for absence in ABSENT:
        assert f"| {absence.what} | {absence.instead} |" in text


@pytest.mark.skipif(sys.platform != "linux", reason="the lab is for Linux")
def test_the_doctor_names_each_need_and_its_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = report(Folders(tmp_path))
    printed = capsys.readouterr().out
    assert "a kernel: none yet; `up` downloads it" in printed
    assert all(absence.what in printed for absence in ABSENT)
    assert good == ("MISSING" not in printed)
    assert printed.count("MISSING") == printed.count("  do: ")


def test_another_kernel_needs_another_image(tmp_path: Path) -> None:
    first = Kernel("7.2um1", "testing", "7.2.7", tmp_path)
    assert key_of(first) == key_of(Kernel("7.2um1", "testing", "7.2.7", tmp_path / "elsewhere"))
    assert key_of(first) != key_of(Kernel("7.3um1", "testing", "7.3.1", tmp_path))
    assert all(hasattr(settings, name) for name in CONTENT)
