"""Loads the inventory: `load` returns a site, `BurrowInventory` is Nornir's plugin."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.derive import site_of
from inventory.draft import draft_of
from inventory.errors import InventoryError
from inventory.models import Platform
from inventory.rules import RULES
from inventory.site import Host, Site
from inventory.sites import SiteSettings, find_site

if TYPE_CHECKING:
    from nornir.core import inventory as nornir

__all__ = ["BurrowInventory", "InventoryError", "load"]


def load(folder: Path) -> Site:
    """The site that the four YAML files of `folder` describe.

    Raises:
        InventoryError: Lists every problem of every file, each with its file and line.
    """
    draft, problems = draft_of(folder)
    between = tuple(problem for rule in RULES for problem in rule(draft))
    if problems or between:
        raise InventoryError(problems, between)
    return site_of(draft)


class BurrowInventory:
    """Nornir's inventory plugin. A host's intent is in its `data["intent"]`; `site` and `settings` are in the `data` of the defaults.

    Without options it loads the lab. Options override the site's settings.

    Args:
        site: A block of nornir_config.yaml, or a folder next to it.
        folder: The inventory folder.
        ssh_config: The OpenSSH configuration for the site. With it, Burrow reaches a host by its name, which the configuration resolves,
            and NAPALM's drivers use it too. Drivers always check host keys.
        username: The login, unless the SSH configuration sets one.
        sudo: Whether that user becomes root with sudo.
        api: The login for hosts with their own API: `user`, `key_file`, `ca_file`.
    """

    def __init__(
        self,
        folder: str | None = None,
        ssh_config: str | None = None,
        username: str | None = None,
        *,
        sudo: bool | None = None,
        api: "dict[str, str | None] | None" = None,
        site: str = "lab",
    ) -> None:
        self.settings = SiteSettings(inventory=folder) if folder else find_site(site)
        self.folder = self.settings.folder
        self.ssh_config = ssh_config or self.settings.ssh_config_path
        self.username = username or self.settings.user
        self.sudo = self.settings.sudo if sudo is None else sudo
        self.api = api or self.settings.api

    def load(self) -> "nornir.Inventory":
        """The site as Nornir's inventory.

        Raises:
            InventoryError: Lists every problem of every file.
        """
        from nornir.core import inventory as nornir  # noqa: PLC0415 - Nornir's import is slow, and `load` does not need it

        site = load(self.folder)
        defaults = nornir.Defaults(username=self.username, data={"site": site, "settings": self.settings})
        names = dict.fromkeys(group for host in site.hosts.values() for group in host.groups)
        groups = nornir.Groups({name: nornir.Group(name=name, defaults=defaults) for name in names})
        hosts = nornir.Hosts(
            {
                name: nornir.Host(
                    name=name,
                    hostname=self._hostname(host),
                    platform=str(host.platform),
                    groups=nornir.ParentGroups([groups[group] for group in host.groups]),
                    data={"intent": host},
                    defaults=defaults,
                    connection_options=self._connection_options(nornir.ConnectionOptions, host),
                )
                for name, host in site.hosts.items()
            }
        )
        return nornir.Inventory(hosts=hosts, groups=groups, defaults=defaults)

    def _hostname(self, host: Host) -> str:
        return host.name if self.ssh_config else str(host.address.ip)

    def _connection_options(self, options: "type[nornir.ConnectionOptions]", host: Host) -> "dict[str, nornir.ConnectionOptions]":
        path = {"ssh_config_file": self.ssh_config} if self.ssh_config else {}
        return {
            "napalm": options(extras={"optional_args": {**path, "ssh_strict": True, "sudo": self.sudo, **self._strict(host.platform)}}),
            "burrow_api": options(extras=self.api),
            "burrow_ssh": options(extras={"ssh_config": self.ssh_config, "sudo": self.sudo}),
        }

    def _strict(self, platform: Platform) -> dict[str, Any]:
        """The options, beyond `ssh_strict`, that make a vendor's driver authenticate the device before it sends a login."""
        if platform is Platform.IOS:
            return {"system_host_keys": True}  # netmiko's; without it netmiko loads no known keys
        if platform is not Platform.EOS:
            return {}
        ca_file = {"ca_file": self.api["ca_file"]} if self.api.get("ca_file") else {}
        return {"transport": "https", "enforce_verification": True, **ca_file}  # pyeapi's
