"""The switch's firmware: which LAGs it suspends."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[2] / "lab/rootfs/usr/lib/lab/switchd.py"


@pytest.fixture(scope="module")
def switchd() -> ModuleType:
    spec = importlib.util.spec_from_file_location("switchd", SOURCE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_fallback_is_read_from_the_channels_stanza(switchd: ModuleType) -> None:
    text = (
        "auto po-alvin\niface po-alvin inet manual\n\tbond-slaves swp1 swp2\n\tbond-lacp-bypass-allow no\n\n"
        "auto trunk\niface trunk inet manual\n\tbond-slaves swp7 swp8\n\tbond-lacp-bypass-allow yes\n\n"
        "auto br0\niface br0 inet static\n\taddress 172.16.0.2/16\n"
    )
    assert list(switchd.parse(text)) == ["trunk"]


def test_a_missing_file_reads_as_empty(switchd: ModuleType, tmp_path: Path) -> None:
    assert switchd.read(str(tmp_path), "none") == ""
    assert switchd.wanted("no-such-channel", frozenset()) == switchd.FORWARDING
