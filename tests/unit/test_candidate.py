"""A host's network configuration as one text, and back."""

import pytest

from tasks.platforms.candidate import join, split
from tasks.platforms.frr.files import FRR_CONF, FRR_DAEMONS
from tasks.platforms.ifupdown2.files import INTERFACES

FILES = [
    {INTERFACES: ""},
    {INTERFACES: "auto lo\niface lo inet loopback\n"},
    {INTERFACES: "# one\n", FRR_CONF: "router ospf\n!\n"},
    {INTERFACES: "", FRR_CONF: "!\n", FRR_DAEMONS: "ospfd=yes\n"},
    {INTERFACES: "a\n", FRR_DAEMONS: ""},
]


@pytest.mark.parametrize("files", FILES)
def test_files_come_back(files: dict[str, str]) -> None:
    assert split(join(files)) == files


def test_text_of_a_host_without_frr_is_its_interfaces_file() -> None:
    assert join(FILES[1]) == FILES[1][INTERFACES]


def test_each_file_starts_on_a_line_of_its_own() -> None:
    assert split(join({INTERFACES: "auto a", FRR_CONF: "!"})) == {INTERFACES: "auto a\n", FRR_CONF: "!\n"}


def test_file_that_a_candidate_cannot_hold_is_named_with_its_line() -> None:
    with pytest.raises(ValueError, match=r"line 2: .*; found /etc/passwd"):
        split("auto lo\n#### file /etc/passwd\nroot::0:0\n")
