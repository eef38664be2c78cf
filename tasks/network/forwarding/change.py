"""Packet forwarding and reverse-path filters of a router."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Step, Sysctl
from tasks.core.model.fact import Facts
from tasks.network.forwarding.facts import FORWARD, KERNEL_VALUES, LOOSE, ROUTING_FILE
from tasks.platforms.templates import render


@dataclass(frozen=True)
class ForwardingState:
    """The file with the values for the next boot, and the live values of the interfaces that exist."""

    file: str
    live: tuple[tuple[str, str], ...]


def wanted(site: Site, host: str) -> dict[str, str]:
    """{name: value} as sysctl.d(5) writes them. A port that reappears gets its value again, because udev runs systemd-sysctl."""
    ports = [cable.near(host).port for cable in site.routed(host)]
    return {FORWARD: "1", **{f"net/ipv4/conf/{port}/rp_filter": LOOSE for port in ports}}


@dataclass(frozen=True)
class Forwarding(Change[ForwardingState]):
    """The host forwards packets, and accepts replies on any of its point-to-point ports."""

    needs: ClassVar = (ROUTING_FILE, KERNEL_VALUES)
    host: str

    def intend(self, site: Site, facts: Facts) -> ForwardingState:
        """The file that this change owns, and the same values live."""
        values, now = wanted(site, self.host), facts[self.host][KERNEL_VALUES]
        file = render("forwarding", site.hosts[self.host].platform, self.host, values=values)
        return ForwardingState(file, tuple((name, value) for name, value in values.items() if name in now))

    def observe(self, site: Site, facts: Facts) -> ForwardingState:
        """The file and the live values."""
        now = facts[self.host][KERNEL_VALUES]
        live = tuple((name, now[name]) for name in wanted(site, self.host) if name in now)
        return ForwardingState(facts[self.host][ROUTING_FILE], live)

    def steps(self, site: Site, facts: Facts, want: ForwardingState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file, and each live value that differs."""
        now = facts[self.host][KERNEL_VALUES]
        live = (Sysctl(name, value) for name, value in want.live if now[name] != value)
        return (FilePart("/etc/sysctl.d/60-burrow-routing.conf", ROUTING_FILE, lambda _: want.file), *live)
