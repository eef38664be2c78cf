"""Renamed modules and classes: the old name is refused with the new one, and the page of renames is correct."""

import importlib
import re
from pathlib import Path

import pytest
from cases import ROOT

from inventory.errors import InventoryError
from inventory.renamed import MODULES, SETTINGS
from inventory.sites import SiteSettings, find_site

PAGE = (ROOT / "docs" / "upgrading.md").read_text()
ROWS = dict(re.findall(r"^\| `([\w.]+)` \| `([\w.]+)` \|$", PAGE, re.MULTILINE))


def test_the_page_lists_what_is_refused() -> None:
    assert {**SETTINGS, **MODULES} == ROWS


@pytest.mark.parametrize(("old", "new"), MODULES.items(), ids=MODULES)
def test_an_old_import_is_refused_with_the_new_name(old: str, new: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=re.escape(f"{old} is called {new} now")):
        importlib.import_module(old)
    assert importlib.import_module(new)


def test_an_old_site_folder_can_be_upgraded_by_the_messages(tmp_path: Path) -> None:
    path = tmp_path / "nornir_config.yaml"
    path.write_text("user_defined:\n  sites:\n    home:\n      inventory: examples/home\n      settle_s: 30\n")
    with pytest.raises(InventoryError) as raised:
        find_site("home", path)
    place = f"{path}:5: user_defined sites.home"
    assert str(raised.value) == f"{place}: wanted only known keys, found 'settle_s'; it is called 'verify_s' now: rename it"
    for old, new in SETTINGS.items():
        path.write_text(path.read_text().replace(old, new))
    assert find_site("home", path) == SiteSettings(inventory="examples/home", verify_s=30)
