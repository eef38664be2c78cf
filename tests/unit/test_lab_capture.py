"""A capture is a file that tcpdump and Wireshark can read, wherever it ends."""

import struct
from pathlib import Path

import pytest

from lab.capture import capture
from lab.control import NoLabError
from lab.folders import Folders
from lab.recording import whole_records

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)


def record(data: bytes) -> bytes:
    """A captured frame."""
    return struct.pack("<IIII", 1, 2, len(data), len(data)) + data


@pytest.mark.parametrize("lost", [0, 1, 60, 70])
def test_the_record_at_the_end_is_whole_or_gone(lost: int) -> None:
    first, second = HEADER + record(b"a" * 60), record(b"b" * 60)
    data = first + second
    assert whole_records(data[: len(data) - lost]) == (first if lost else data)


def test_a_capture_of_nothing_is_its_header() -> None:
    assert whole_records(HEADER) == HEADER


def test_without_a_lab_no_file_is_created(tmp_path: Path) -> None:
    with pytest.raises(NoLabError, match="`python -m lab up` boots it"):
        capture(Folders(tmp_path), "alvin", "eno1", tmp_path / "file", None)
    assert not (tmp_path / "file").exists()
