"""How a host is taken out of service and put back, and what has to hold around it: as data. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from inventory.site import Site
from tasks.core.model.check import Check
from tasks.core.model.errors import UNEXPECTED, Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Action


@dataclass(frozen=True)
class Preparation:
    """What makes a host ready, done on `on` and undone there: the host itself, or one that speaks for the cluster it is in."""

    on: str
    actions: tuple[Action, ...]


def everybody(site: Site) -> tuple[str, ...]:
    """All hosts."""
    return tuple(site.hosts)


def all_of_them(site: Site, facts: Facts, hosts: Iterable[str]) -> tuple[str, ...]:
    """Without a look at them."""
    del site, facts
    return tuple(hosts)


def none_of_them(site: Site, facts: Facts, hosts: Iterable[str]) -> Mapping[str, str]:
    """Of every host it is known."""
    del site, facts, hosts
    return {}


@dataclass(frozen=True)
class Maintenance:
    """How a host is made ready, which checks hold all the while, and which only `entry_checks` of it.

    `peers` names the hosts of which the checks speak too. Of the hosts that it `may_concern`, `concerns` tells those that are not to be
    touched without it as they are now; `unheard` says of which this is not known, and why: these are changed without it, so that they can
    be mended. One host at a time is in maintenance or is changed unheard: that is its `lock`.
    """

    purpose: str
    ready: Callable[[Site, Facts, str], tuple[Preparation, ...]]
    checks: tuple[Check, ...]
    entry_checks: tuple[Check, ...] = ()
    peers: Callable[[Site, str], Iterable[str]] = lambda _, __: ()
    may_concern: Callable[[Site], Iterable[str]] = everybody
    concerns: Callable[[Site, Facts, Iterable[str]], tuple[str, ...]] = all_of_them
    unheard: Callable[[Site, Facts, Iterable[str]], Mapping[str, str]] = none_of_them
    lock: str = ""

    def around(self, site: Site, host: str) -> tuple[str, ...]:
        """The hosts that its checks speak of, when it is about this one."""
        return tuple(name for name in dict.fromkeys((host, *self.peers(site, host))) if site.hosts[name].managed)

    def preparations(self, site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
        """What makes it ready. Raises Refused where that cannot be done, or cannot be told from what was read."""
        try:
            return self.ready(site, facts, host)
        except UNEXPECTED as error:
            raise Refused(f"{host}: it cannot be told how to take it out of service: an unexpected answer: {error!r}") from error


ENDED = "maintenance has ended"
