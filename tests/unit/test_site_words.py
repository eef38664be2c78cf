"""Every setting of a site reaches what uses it: the connections, the run's timers, or its refusal."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from case_files import with_edits
from cases import BASES
from nornir.core import Nornir
from nornir.plugins.runners import SerialRunner

from inventory.load import BurrowInventory
from inventory.sites import SiteSettings
from tasks.core.engine.execute import run_of
from tasks.core.model.errors import Refused

# Another valid value of each setting; `inventory` is tried with a folder of its own.
OTHER: dict[str, Any] = {
    "ssh_config": "other",
    "user": "kim",
    "sudo": True,
    "api_user": "kim",
    "api_key_file": "key",
    "api_ca_file": "ca.pem",
    "rehearsal": True,
    "revert_s": 90,
    "verify_s": 50,
    "apply_s": 35,
    "maintenance_s": 200,
}


def used(folder: Path, **settings: Any) -> Any:
    """What connections and the run take from the settings, or the refusal."""
    (folder / "site.yaml").write_text(yaml.safe_dump(settings))
    source = BurrowInventory(site=str(folder))
    loaded = source.load()
    options = [(host.hostname, host.connection_options) for host in loaded.hosts.values()]
    shown = repr([source.folder, loaded.defaults.username, [(name, {key: one.extras for key, one in of.items()}) for name, of in options]])
    try:
        run = run_of(Nornir(loaded, runner=SerialRunner()))
    except Refused as error:
        return shown, str(error)
    return shown, run.timers, run.rehearsal


def test_every_setting_is_tried() -> None:
    assert {"inventory", *OTHER} == SiteSettings.model_fields.keys()


@pytest.mark.parametrize("name", OTHER)
def test_another_setting_is_used(name: str, tmp_path: Path, home: Path) -> None:
    del home
    folder = with_edits(BASES["small"], {}, tmp_path / "attic")
    as_it_is = {"inventory": str(folder), "user": "root"}
    assert used(folder, **as_it_is) != used(folder, **{**as_it_is, name: OTHER[name]})


def test_another_inventory_is_used(tmp_path: Path, home: Path) -> None:
    del home
    one, other = (with_edits(BASES["small"], {}, tmp_path / name) for name in ("attic", "cellar"))
    assert used(one, inventory=str(one)) != used(one, inventory=str(other))
