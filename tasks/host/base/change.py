"""Base settings of a Linux host: its name, the names of its neighbours, packages, DNS, time, LLDP."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Package, Step, Sysctl
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Action, Unit
from tasks.host.base.facts import (
    HOST_NAME,
    HOST_NAME_FILE,
    HOSTS_FILE,
    LLDP_SETTINGS,
    PACKAGES,
    RESOLVER,
    RESOLVER_TARGET,
    TIME_SOURCES,
    UNITS,
)
from tasks.platforms.templates import render

RUNNING = ("active", "enabled")


@dataclass(frozen=True)
class NameState:
    """The name at boot and the name now."""

    file: str
    live: str


@dataclass(frozen=True)
class HostName(Change[NameState]):
    """The host is called as in the inventory, now and after a boot."""

    needs: ClassVar = (HOST_NAME, HOST_NAME_FILE)
    host: str

    def intend(self, site: Site, facts: Facts) -> NameState:  # noqa: ARG002
        """The inventory's name."""
        return NameState(self.host, self.host)

    def observe(self, site: Site, facts: Facts) -> NameState:  # noqa: ARG002
        """The file's and the kernel's."""
        return NameState(facts[self.host][HOST_NAME_FILE].strip(), facts[self.host][HOST_NAME])

    def steps(self, site: Site, facts: Facts, want: NameState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file, and the live name, which a revert gives back."""
        return (
            FilePart("/etc/hostname", HOST_NAME_FILE, lambda _: f"{want.file}\n"),
            Sysctl("kernel.hostname", want.live),
        )


@dataclass(frozen=True)
class LinesState:
    """The lines that are owned, in order."""

    lines: tuple[str, ...]


def _words(line: str) -> tuple[str, ...]:
    """A line's words without its comment."""
    return tuple(line.partition("#")[0].split())


@dataclass(frozen=True)
class HostsFile(Change[LinesState]):
    """/etc/hosts gives every host of the site its address; other lines, comments and further names stay."""

    needs: ClassVar = (HOSTS_FILE,)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinesState:  # noqa: ARG002
        """One line a host, in the order of the inventory."""
        return LinesState(tuple(f"{host.address.ip} {' '.join(_names(host.name, site))}" for host in site.hosts.values()))

    def observe(self, site: Site, facts: Facts) -> LinesState:
        """The site's names as they stand, each where it stands."""
        lines = [_words(line) for line in facts[self.host][HOSTS_FILE].splitlines()]
        ours = [(words[0], tuple(name for name in words[1:] if name in _all_names(site))) for words in lines if _is_judged(words)]
        have = [f"{address} {' '.join(names)}" for address, names in ours if names]
        want = self.intend(site, facts).lines
        same = {frozenset(line.split()) for line in have} == {frozenset(line.split()) for line in want}
        return LinesState(want if same else tuple(have))

    def steps(self, site: Site, facts: Facts, want: LinesState) -> tuple[Step, ...]:  # noqa: ARG002
        """A line that is wrong is mended where it stands; what is missing comes at the end."""
        return (FilePart("/etc/hosts", HOSTS_FILE, lambda text: _mend(text, want.lines, site)),)


def _names(host: str, site: Site) -> tuple[str, str]:
    return f"{host}.{site.domain}", host


def _all_names(site: Site) -> frozenset[str]:
    return frozenset(name for host in site.hosts for name in _names(host, site))


def _is_judged(words: tuple[str, ...]) -> bool:
    """IPv6 lines and the host's own loopback are somebody else's."""
    return bool(words) and ":" not in words[0] and not words[0].startswith("127.")


def _mend(text: str, wanted: tuple[str, ...], site: Site) -> str:
    missing = {line.split()[0]: tuple(line.split()[1:]) for line in wanted}
    kept = []
    for raw in text.splitlines():
        words, comment = _words(raw), raw.partition("#")[2]
        ours = [name for name in words[1:] if name in _all_names(site)]
        if not _is_judged(words) or not ours:
            kept.append(raw)
            continue
        names = missing.pop(words[0]) if words[0] in missing and set(ours) & set(missing[words[0]]) else ()
        others = tuple(name for name in words[1:] if name not in ours)
        if names and set(ours) == set(names):
            kept.append(raw)
        elif names or others:
            kept.append(" ".join((words[0], *names, *others)) + (f"  #{comment}" if comment else ""))
    return "".join(f"{line}\n" for line in (*kept, *(" ".join((address, *names)) for address, names in missing.items())))


@dataclass(frozen=True)
class Resolver(Change[LinesState]):
    """The host asks the site's name servers, and short names are of the site's domain."""

    needs: ClassVar = (RESOLVER, RESOLVER_TARGET)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinesState:
        """Domain and servers. Raises Refused where resolv.conf is another program's link."""
        if facts[self.host][RESOLVER_TARGET]:
            target = facts[self.host][RESOLVER_TARGET]
            raise Refused(
                f"{self.host}: /etc/resolv.conf is a link to {target}, which a program writes; set the servers there, or make it a file"
            )
        return LinesState((f"search {site.domain}", *(f"nameserver {server}" for server in site.name_servers)))

    def observe(self, site: Site, facts: Facts) -> LinesState:
        """The present lines of these words."""
        lines = (line.split() for line in facts[self.host][RESOLVER].splitlines())
        return LinesState(tuple(" ".join(words) for words in lines if words and words[0] in _owned_words(site)))

    def steps(self, site: Site, facts: Facts, want: LinesState) -> tuple[Step, ...]:  # noqa: ARG002
        """Options and comments stay."""

        def merge(text: str) -> str:
            rest = [line for line in text.splitlines() if not line.split() or line.split()[0] not in _owned_words(site)]
            return "".join(f"{line}\n" for line in (*want.lines, *rest))

        return (FilePart("/etc/resolv.conf", RESOLVER, merge),)


def _owned_words(site: Site) -> tuple[str, ...]:
    """What the suite owns of resolv.conf: an inventory without name servers leaves the host's own alone."""
    return ("search", "domain", "nameserver") if site.name_servers else ("search", "domain")


@dataclass(frozen=True)
class PackagesState:
    """Those of the site's packages that are installed, in the inventory's order."""

    installed: tuple[str, ...]


@dataclass(frozen=True)
class Packages(Change[PackagesState]):
    """The site's packages are installed; they are not taken back."""

    needs: ClassVar = (PACKAGES,)
    host: str

    def intend(self, site: Site, facts: Facts) -> PackagesState:  # noqa: ARG002
        """All of them."""
        return PackagesState(site.packages)

    def observe(self, site: Site, facts: Facts) -> PackagesState:
        """Those that dpkg has."""
        return PackagesState(tuple(name for name in site.packages if name in facts[self.host][PACKAGES]))

    def steps(self, site: Site, facts: Facts, want: PackagesState) -> tuple[Step, ...]:  # noqa: ARG002
        """One for each that is missing."""
        return tuple(Package(name) for name in want.installed if name not in facts[self.host][PACKAGES])


@dataclass(frozen=True)
class ServiceState:
    """A service of the base settings: its package, its unit, its one file."""

    installed: bool
    running: tuple[str, str]
    text: str


@dataclass(frozen=True)
class TimeSync(Change[ServiceState]):
    """chrony runs, at boot too, and follows the site's time servers."""

    needs: ClassVar = (PACKAGES, UNITS, TIME_SOURCES)
    host: str

    def intend(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """Installed, running, with the site's sources."""
        return ServiceState(True, RUNNING, render("time_sync", site.hosts[self.host].platform, self.host, servers=site.time_servers))

    def observe(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """As found."""
        have = facts[self.host]
        return ServiceState("chrony" in have[PACKAGES], have[UNITS].get("chrony.service", ("", "")), have[TIME_SOURCES])

    def steps(self, site: Site, facts: Facts, want: ServiceState) -> tuple[Step, ...]:  # noqa: ARG002
        """Package, file, unit; a running chronyd takes new sources without a restart, one that its package has just started does not."""
        installed = "chrony" in facts[self.host][PACKAGES]
        running = facts[self.host][UNITS].get("chrony.service", ("", ""))[0] == "active"
        reload = Action(("chronyc", "reload", "sources"), ("chronyc", "reload", "sources"), 10)
        return (
            *(() if installed else (Package("chrony"),)),
            FilePart("/etc/chrony/sources.d/burrow.sources", TIME_SOURCES, lambda _: want.text),
            *((reload,) if running and installed else ()),
            Unit("chrony.service", restart=not installed),
        )


@dataclass(frozen=True)
class Lldp(Change[ServiceState]):
    """lldpd runs, at boot too, and names ports as the cable table does."""

    needs: ClassVar = (PACKAGES, UNITS, LLDP_SETTINGS)
    host: str

    def intend(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """Installed, running, with the site's settings."""
        return ServiceState(True, RUNNING, render("lldp", site.hosts[self.host].platform, self.host))

    def observe(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """As found."""
        have = facts[self.host]
        return ServiceState("lldpd" in have[PACKAGES], have[UNITS].get("lldpd.service", ("", "")), have[LLDP_SETTINGS])

    def steps(self, site: Site, facts: Facts, want: ServiceState) -> tuple[Step, ...]:  # noqa: ARG002
        """Package, file, unit; lldpd reads its file at start alone, and carries no traffic."""
        return (
            *(() if "lldpd" in facts[self.host][PACKAGES] else (Package("lldpd"),)),
            FilePart("/etc/lldpd.d/burrow.conf", LLDP_SETTINGS, lambda _: want.text),
            Unit("lldpd.service", restart=want.text != facts[self.host][LLDP_SETTINGS]),
        )
