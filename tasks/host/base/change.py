"""Base settings of a Linux host: its name, its hosts file, packages, DNS, time, LLDP."""

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
from tasks.platforms.text_lines import bare_lines, raw_lines

RUNNING = ("active", "enabled")


@dataclass(frozen=True)
class NameState:
    """The name in /etc/hostname, for the next boot, and the live name."""

    file: str
    live: str


@dataclass(frozen=True)
class HostName(Change[NameState]):
    """The host has its inventory name, now and after a boot."""

    needs: ClassVar = (HOST_NAME, HOST_NAME_FILE)
    host: str

    def intend(self, site: Site, facts: Facts) -> NameState:  # noqa: ARG002
        """The inventory's name."""
        return NameState(self.host, self.host)

    def observe(self, site: Site, facts: Facts) -> NameState:  # noqa: ARG002
        """The names in the file and in the kernel."""
        return NameState(facts[self.host][HOST_NAME_FILE].strip(), facts[self.host][HOST_NAME])

    def steps(self, site: Site, facts: Facts, want: NameState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file, and the live name, which a revert restores."""
        return (
            FilePart("/etc/hostname", HOST_NAME_FILE, lambda _: f"{want.file}\n"),
            Sysctl("kernel.hostname", want.live),
        )


@dataclass(frozen=True)
class LinesState:
    """The lines that the change owns, in order."""

    lines: tuple[str, ...]


def _words(line: str) -> tuple[str, ...]:
    """A line's words without its comment."""
    return tuple(line.partition("#")[0].split())


@dataclass(frozen=True)
class HostsFile(Change[LinesState]):
    """/etc/hosts has the address of every host of the site. Other lines, comments and additional names stay."""

    needs: ClassVar = (HOSTS_FILE,)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinesState:  # noqa: ARG002
        """One line for each host, in the order of the inventory."""
        return LinesState(site.hosts_lines)

    def observe(self, site: Site, facts: Facts) -> LinesState:
        """The lines with the site's names, in the order of the file."""
        lines = [_words(line) for line in raw_lines(facts[self.host][HOSTS_FILE])]
        ours = [(words[0], tuple(name for name in words[1:] if name in site.names)) for words in lines if _is_owned(words)]
        have = [f"{address} {' '.join(names)}" for address, names in ours if names]
        want = self.intend(site, facts).lines
        same = {frozenset(line.split()) for line in have} == {frozenset(line.split()) for line in want}
        return LinesState(want if same else tuple(have))

    def steps(self, site: Site, facts: Facts, want: LinesState) -> tuple[Step, ...]:  # noqa: ARG002
        """A wrong line is corrected in place. Missing lines are added at the end."""
        return (FilePart("/etc/hosts", HOSTS_FILE, lambda text: _merged(text, want.lines, site)),)


def _is_owned(words: tuple[str, ...]) -> bool:
    """Whether the change may own a line: it owns no IPv6 line and none of the host's loopback."""
    return bool(words) and ":" not in words[0] and not words[0].startswith("127.")


def _merged(text: str, wanted: tuple[str, ...], site: Site) -> str:
    missing = {line.split()[0]: tuple(line.split()[1:]) for line in wanted}
    kept = []
    for raw in bare_lines(text):
        words, comment = _words(raw), raw.partition("#")[2]
        ours = [name for name in words[1:] if name in site.names]
        if not _is_owned(words) or not ours:
            kept.append(raw)
            continue
        names = missing.pop(words[0]) if words[0] in missing and set(ours) & set(missing[words[0]]) else ()
        additional = tuple(name for name in words[1:] if name not in ours)
        if names and set(ours) == set(names):
            kept.append(raw)
        elif names or additional:
            kept.append(" ".join((words[0], *names, *additional)) + (f"  #{comment}" if comment else ""))
    return "".join(f"{line}\n" for line in (*kept, *(" ".join((address, *names)) for address, names in missing.items())))


@dataclass(frozen=True)
class Resolver(Change[LinesState]):
    """The host uses the site's name servers, and completes short names with the site's domain."""

    needs: ClassVar = (RESOLVER, RESOLVER_TARGET)
    host: str

    def intend(self, site: Site, facts: Facts) -> LinesState:
        """The search domain and the name servers. Raises Refused if resolv.conf is a link: another program writes it then."""
        if facts[self.host][RESOLVER_TARGET]:
            target = facts[self.host][RESOLVER_TARGET]
            raise Refused(
                f"{self.host}: /etc/resolv.conf is a link to {target}, which another program writes; set the servers there,"
                " or make it a file"
            )
        return LinesState((f"search {site.domain}", *(f"nameserver {server}" for server in site.name_servers)))

    def observe(self, site: Site, facts: Facts) -> LinesState:
        """The present lines with the owned keywords."""
        lines = (line.split() for line in raw_lines(facts[self.host][RESOLVER]))
        return LinesState(tuple(" ".join(words) for words in lines if words and words[0] in _owned_keywords(site)))

    def steps(self, site: Site, facts: Facts, want: LinesState) -> tuple[Step, ...]:  # noqa: ARG002
        """One file part. Options and comments stay."""

        def merge(text: str) -> str:
            rest = [line for line in bare_lines(text) if not line.split() or line.split()[0] not in _owned_keywords(site)]
            return "".join(f"{line}\n" for line in (*want.lines, *rest))

        return (FilePart("/etc/resolv.conf", RESOLVER, merge),)


def _owned_keywords(site: Site) -> tuple[str, ...]:
    """The keywords that the suite owns in resolv.conf. Without name servers in the inventory, the host's own stay."""
    return ("search", "domain", "nameserver") if site.name_servers else ("search", "domain")


@dataclass(frozen=True)
class PackagesState:
    """The site's packages that are installed, in the inventory's order."""

    installed: tuple[str, ...]


@dataclass(frozen=True)
class Packages(Change[PackagesState]):
    """The site's packages are installed. An undo does not remove them."""

    needs: ClassVar = (PACKAGES,)
    host: str

    def intend(self, site: Site, facts: Facts) -> PackagesState:  # noqa: ARG002
        """All of the site's packages."""
        return PackagesState(site.packages)

    def observe(self, site: Site, facts: Facts) -> PackagesState:
        """The site's packages that dpkg lists as installed."""
        return PackagesState(tuple(name for name in site.packages if name in facts[self.host][PACKAGES]))

    def steps(self, site: Site, facts: Facts, want: PackagesState) -> tuple[Step, ...]:  # noqa: ARG002
        """One step for each missing package."""
        return tuple(Package(name) for name in want.installed if name not in facts[self.host][PACKAGES])


@dataclass(frozen=True)
class ServiceState:
    """A service of the base settings: its package, its unit and its file."""

    installed: bool
    running: tuple[str, str]
    text: str


@dataclass(frozen=True)
class TimeSync(Change[ServiceState]):
    """chrony runs, starts at boot, and uses the site's time servers."""

    needs: ClassVar = (PACKAGES, UNITS, TIME_SOURCES)
    host: str

    def intend(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """Installed, running, with the site's sources."""
        return ServiceState(True, RUNNING, render("time_sync", site.hosts[self.host].platform, self.host, servers=site.time_servers))

    def observe(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """The present state."""
        have = facts[self.host]
        return ServiceState("chrony" in have[PACKAGES], have[UNITS]["chrony.service"], have[TIME_SOURCES])

    def steps(self, site: Site, facts: Facts, want: ServiceState) -> tuple[Step, ...]:  # noqa: ARG002
        """Package, file, unit. A running chronyd reloads new sources. If its package is only now installed, chronyd restarts."""
        installed = "chrony" in facts[self.host][PACKAGES]
        running = facts[self.host][UNITS]["chrony.service"][0] == "active"
        reload = Action(("chronyc", "reload", "sources"), ("chronyc", "reload", "sources"), 10)
        return (
            *(() if installed else (Package("chrony"),)),
            FilePart("/etc/chrony/sources.d/burrow.sources", TIME_SOURCES, lambda _: want.text),
            *((reload,) if running and installed else ()),
            Unit("chrony.service", restart=not installed),
        )


@dataclass(frozen=True)
class Lldp(Change[ServiceState]):
    """lldpd runs, starts at boot, and reports ports by the names in the cable table."""

    needs: ClassVar = (PACKAGES, UNITS, LLDP_SETTINGS)
    host: str

    def intend(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """Installed, running, with the site's settings."""
        return ServiceState(True, RUNNING, render("lldp", site.hosts[self.host].platform, self.host))

    def observe(self, site: Site, facts: Facts) -> ServiceState:  # noqa: ARG002
        """The present state."""
        have = facts[self.host]
        return ServiceState("lldpd" in have[PACKAGES], have[UNITS]["lldpd.service"], have[LLDP_SETTINGS])

    def steps(self, site: Site, facts: Facts, want: ServiceState) -> tuple[Step, ...]:  # noqa: ARG002
        """Package, file, unit. lldpd reads its file only when it starts; a restart interrupts no traffic."""
        return (
            *(() if "lldpd" in facts[self.host][PACKAGES] else (Package("lldpd"),)),
            FilePart("/etc/lldpd.d/burrow.conf", LLDP_SETTINGS, lambda _: want.text),
            Unit("lldpd.service", restart=want.text != facts[self.host][LLDP_SETTINGS]),
        )
