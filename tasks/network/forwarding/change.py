"""What the kernel does with packets that are not its own."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from tasks.core.model.change import Change, FilePart, Step, Sysctl
from tasks.core.model.fact import Facts
from tasks.network.forwarding.facts import FORWARD, KERNEL_VALUES, LOOSE, ROUTING_FILE
from tasks.platforms.templates import render


@dataclass(frozen=True)
class ForwardingState:
    """The values after a boot, and those in force of the interfaces that are there."""

    file: str
    live: tuple[tuple[str, str], ...]


def wanted(site: Site, host: str) -> dict[str, str]:
    """{name: value} as sysctl.d(5) writes it: a port that goes and comes gets its own when it comes (udev runs systemd-sysctl)."""
    ports = [cable.near(host).port for cable in site.routed(host)]
    return {FORWARD: "1", **{f"net/ipv4/conf/{port}/rp_filter": LOOSE for port in ports}}


@dataclass(frozen=True)
class Forwarding(Change[ForwardingState]):
    """The host forwards packets, and takes answers on whichever of its point-to-point ports they come."""

    needs: ClassVar = (ROUTING_FILE, KERNEL_VALUES)
    host: str

    def intend(self, site: Site, facts: Facts) -> ForwardingState:
        """A file of our own, and the same in force."""
        values, now = wanted(site, self.host), facts[self.host][KERNEL_VALUES]
        file = render("forwarding", site.hosts[self.host].platform, self.host, values=values)
        return ForwardingState(file, tuple((name, value) for name, value in values.items() if name in now))

    def observe(self, site: Site, facts: Facts) -> ForwardingState:
        """The file and what is in force."""
        now = facts[self.host][KERNEL_VALUES]
        live = tuple((name, now[name]) for name in wanted(site, self.host) if name in now)
        return ForwardingState(facts[self.host][ROUTING_FILE], live)

    def steps(self, site: Site, facts: Facts, want: ForwardingState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file, and each value that is not in force."""
        now = facts[self.host][KERNEL_VALUES]
        live = (Sysctl(name, value) for name, value in want.live if now[name] != value)
        return (FilePart("/etc/sysctl.d/60-burrow-routing.conf", ROUTING_FILE, lambda _: want.file), *live)
