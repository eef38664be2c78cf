"""The base settings of each Linux host, as one change set a host."""

from collections.abc import Iterator

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.model.change import ChangeSet, Member
from tasks.host.base.change import HostName, HostsFile, Lldp, Packages, Resolver, TimeSync
from tasks.host.base.checks import SETTINGS_CHECKS


def base_settings(site: Site) -> Iterator[ChangeSet]:
    """One set for each node and server. The firmware of a switch has its own settings."""
    for host in site.hosts.values():
        if host.link is LinkKind.SSH and host.vm is None:
            changes = tuple(change(host.name) for change in (HostName, HostsFile, Packages, Resolver, TimeSync, Lldp))
            yield ChangeSet(f"settings {host.name}", (Member(host.name, changes, safe_alone=True),), SETTINGS_CHECKS)
