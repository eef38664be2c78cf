"""Sites. A site is a block in nornir_config.yaml, or a folder of that name next to inventory/."""

import os
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from inventory.at_home import at_home
from inventory.errors import InventoryError, Problem, SiteError
from inventory.files import YamlFile, read
from inventory.strict import Strict
from inventory.structure import check_part, found_text
from inventory.value_types import FileName

ROOT = Path(__file__).parents[1]
CONFIG = ROOT / "nornir_config.yaml"


class SiteSettings(Strict):
    """How Burrow reaches a site, and how long an unconfirmed change lasts there."""

    inventory: FileName
    ssh_config: FileName | None = None
    user: FileName | None = None
    sudo: bool = False
    api_user: FileName | None = None
    api_key_file: FileName | None = None
    api_ca_file: FileName | None = None
    rehearsal: bool = False
    revert_s: Annotated[int, Field(ge=1)] = 60
    verify_s: Annotated[int, Field(ge=1)] = 40
    apply_s: Annotated[int, Field(ge=1)] = 30
    maintenance_s: Annotated[int, Field(ge=1)] = 180

    @property
    def folder(self) -> Path:
        """The inventory's folder. A relative path starts at the project's folder."""
        return ROOT / at_home(self.inventory)

    @property
    def ssh_config_path(self) -> str | None:
        """The SSH configuration's path. The lab writes its own into its state folder (see docs/lab.md)."""
        if self.rehearsal and not self.ssh_config:
            cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
            return str(Path(os.environ.get("BURROW_LAB") or Path(cache) / "burrow" / "lab") / "ssh_config")
        return str(at_home(self.ssh_config)) if self.ssh_config else None

    @property
    def api(self) -> dict[str, str | None]:
        """The login for hosts with their own API. The key is in a file, which Burrow reads when it connects."""
        files = {"key_file": self.api_key_file, "ca_file": self.api_ca_file}
        return {"user": self.api_user, **{key: str(at_home(path)) if path else None for key, path in files.items()}}


def find_site(name: str, config: Path = CONFIG) -> SiteSettings:
    """The site's settings. Raises SiteError with the existing names, InventoryError with the file and line of each problem."""
    file = _read(config)
    blocks = _mapping(_mapping(file.data).get("user_defined")).get("sites")
    folder, path = ROOT / name, ("user_defined", "sites", name)
    if name in _mapping(blocks):
        return _settings(file, _mapping(blocks)[name], *path)
    if not _is_site(folder):
        known = ", ".join(_mapping(blocks))
        raise SiteError(f"no site {name}: wanted a block of that name in {config.name} ({known}) or a folder {name}/ with hosts.yaml")
    if not (folder / "site.yaml").exists():
        return SiteSettings(inventory=name)
    own = _read(folder / "site.yaml")
    return _settings(own, {"inventory": name, **own.data} if isinstance(own.data, dict) and own.data else own.data)


def _read(path: Path) -> YamlFile:
    file = read(path)
    if file.problems:
        raise InventoryError(file.problems)
    return file


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_site(folder: Path) -> bool:
    try:
        return (folder / "hosts.yaml").exists()
    except OSError:  # the name cannot be a folder's
        return False


def _settings(file: YamlFile, data: Any, *path: str) -> SiteSettings:
    if not data or not isinstance(data, dict):
        found = found_text(data) if data else "nothing"
        what = ".".join(path) or file.path.stem
        raise InventoryError([Problem(file.place(*path), what, "settings (key: value)", found, "add settings, or remove it")])
    return check_part(SiteSettings, file, data, *path)
