"""Maintenance as data: how a host is taken out of service and put back, and which checks must hold meanwhile. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from inventory.site import Site
from inventory.targets import HOST
from tasks.core.model.check import Check
from tasks.core.model.errors import UNEXPECTED, Refused
from tasks.core.model.fact import Fact, Facts
from tasks.core.model.operation import Action
from tasks.core.model.shape import reason


@dataclass(frozen=True)
class Preparation:
    """Actions that take a host out of service, done and undone on the host `on`: the host itself, or an endpoint of its cluster."""

    on: str
    actions: tuple[Action, ...]


def all_hosts(site: Site) -> tuple[str, ...]:
    """All hosts of the site."""
    return tuple(site.hosts)


def every_host(site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """All of the hosts, whatever their facts."""
    del site, facts
    return tuple(hosts)


def no_host(site: Site, facts: Facts, hosts: Iterable[str]) -> Mapping[str, str]:
    """None: the state of every host is known."""
    del site, facts, hosts
    return {}


@dataclass(frozen=True)
class Maintenance:
    """How a host is taken out of service, the checks that hold throughout, and the `entry_checks` that hold before and after.

    `peers` are the other hosts that the checks judge. Of the hosts in `may_concern`, `concerns` returns those that need maintenance in
    their present state, which `needs` shows, and `unknown` those whose state could not be read, with the reason: these are changed without
    maintenance, so that they can be repaired. `lock` admits one host at a time, in maintenance or unknown.
    """

    purpose: str
    ready: Callable[[Site, Facts, str], tuple[Preparation, ...]]
    checks: tuple[Check, ...]
    entry_checks: tuple[Check, ...] = ()
    needs: tuple[Fact[Any], ...] = ()
    peers: Callable[[Site, str], Iterable[str]] = lambda _, __: ()
    may_concern: Callable[[Site], Iterable[str]] = all_hosts
    concerns: Callable[[Site, Facts, Iterable[str]], tuple[str, ...]] = every_host
    unknown: Callable[[Site, Facts, Iterable[str]], Mapping[str, str]] = no_host
    lock: str = ""

    def around(self, site: Site, host: str) -> tuple[str, ...]:
        """The managed hosts that its checks judge when this host is in maintenance, this host first, and the clusters."""
        hosts = (name for name in dict.fromkeys((host, *self.peers(site, host))) if site.hosts[name].managed)
        kinds = dict.fromkeys(one.of for one in (*self.checks, *self.entry_checks) if one.of != HOST)
        return (*hosts, *(target for kind in kinds for target in site.targets(kind)))

    def preparations(self, site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
        """What takes the host out of service. Raises Refused where that is impossible, or unknown from these facts."""
        try:
            return self.ready(site, facts, host)
        except UNEXPECTED as error:
            raise Refused(f"{host}: how to take it out of service is unknown from its facts: {reason(error)}") from error


ENDED = "maintenance has ended"
