"""Sites: what a run is pointed at. A site is a block in nornir_config.yaml, or a folder of that name beside inventory/."""

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML

from inventory.strict import Strict
from tasks.core.errors import Refused

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "nornir_config.yaml"


class SiteSettings(Strict):
    """How a site is reached, and how long an unconfirmed change lives on it."""

    inventory: str
    ssh_config: str | None = None
    user: str | None = None
    sudo: bool = False
    api_user: str | None = None
    api_key_file: str | None = None
    api_ca_file: str | None = None
    rehearsal: bool = False
    revert_s: int = 60
    settle_s: int = 40
    apply_s: int = 30
    maintenance_s: int = 180

    @property
    def folder(self) -> Path:
        """The inventory's folder; a relative path counts from the project."""
        return ROOT / Path(self.inventory).expanduser()

    @property
    def ssh_config_path(self) -> str | None:
        """The SSH configuration's path; the lab writes its own where it keeps all it has (see docs/lab.md)."""
        if self.rehearsal and not self.ssh_config:
            cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
            return str(Path(os.environ.get("BURROW_LAB") or Path(cache) / "burrow" / "lab") / "ssh_config")
        return str(Path(self.ssh_config).expanduser()) if self.ssh_config else None

    @property
    def api(self) -> dict[str, str | None]:
        """Who calls the APIs of hosts that have one: the key is in a file, and read when a host is reached."""
        files = {"key_file": self.api_key_file, "ca_file": self.api_ca_file}
        return {"user": self.api_user, **{key: str(Path(path).expanduser()) if path else None for key, path in files.items()}}


def read_config() -> dict[str, Any]:
    """nornir_config.yaml as it stands."""
    config: dict[str, Any] = YAML(typ="safe").load(CONFIG.read_text())
    return config


def find_site(name: str) -> SiteSettings:
    """The site's settings. Raises Refused with the names that exist, or the line of the block that is wrong."""
    blocks = read_config().get("user_defined", {}).get("sites", {})
    folder = ROOT / name
    if name in blocks:
        where, block = f"{CONFIG.name}: user_defined.sites.{name}", blocks[name]
    elif (folder / "hosts.yaml").exists():
        own = folder / "site.yaml"
        where, block = str(own), {"inventory": name, **(YAML(typ="safe").load(own.read_text()) if own.exists() else {})}
    else:
        raise Refused(
            f"no site {name}: wanted a block of that name in {CONFIG.name} ({', '.join(blocks)}) or a folder {name}/ with hosts.yaml"
        )
    try:
        return SiteSettings.model_validate(block)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise Refused(f"{where}: {problems}") from error
