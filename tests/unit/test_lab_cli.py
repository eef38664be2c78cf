"""The lab's command line: each error is one message."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from lab.cli import run
from lab.folders import VARIABLE

INVENTORY = Path(__file__).parents[2] / "inventory"
WRONG = {
    "typo": ("hosts", "  loopback: ", "  loopbak: ", "did you mean 'loopback'?"),
    "no YAML": ("cables", "cables:", "cables: [", "wanted YAML"),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="`up` goes on as root")
@pytest.mark.parametrize(("name", "right", "wrong", "message"), WRONG.values(), ids=WRONG)
def test_invalid_inventory_is_reported_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, name: str, right: str, wrong: str, message: str
) -> None:
    folder = shutil.copytree(INVENTORY, tmp_path / "site")
    path = folder / f"{name}.yaml"
    path.write_text(path.read_text().replace(right, wrong, 1))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "lab"))
    monkeypatch.setattr(sys, "argv", ["lab", "up", "--inventory", str(folder)])
    assert run() == 1
    printed = capsys.readouterr().err
    assert printed.startswith(f"lab: {path}:")
    assert message in printed
