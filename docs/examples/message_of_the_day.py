"""A change and a check: whoever logs in reads which host this is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from inventory.schema import Site
from tasks.core.change import Change, FilePart, Step
from tasks.core.check import Finding, Severity, check
from tasks.core.facts import Facts, text

MESSAGE = text("message", "/etc/motd")


@dataclass(frozen=True)
class MessageState:
    """What the change owns: the whole file."""

    text: str


@dataclass(frozen=True)
class MessageOfTheDay(Change[MessageState]):
    """Whoever logs in reads the name of the host and of its site."""

    needs: ClassVar = (MESSAGE,)
    host: str

    def intend(self, site: Site, facts: Facts) -> MessageState:  # noqa: ARG002
        """One line."""
        return MessageState(f"{self.host} of {site.domain}\n")

    def observe(self, site: Site, facts: Facts) -> MessageState:  # noqa: ARG002
        """The file as it stands."""
        return MessageState(facts[self.host][MESSAGE])

    def steps(self, site: Site, facts: Facts, want: MessageState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file; nothing has to be restarted."""
        return (FilePart("/etc/motd", MESSAGE, lambda _: want.text),)


@check(needs=(MESSAGE,), severity=Severity.MINOR, remediation="Run the stage that writes it.", tags=("host",))
def message_names_the_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The message of the day names the host and its site."""
    yield Finding(f"{host}:/etc/motd", f"{host} of {site.domain}", facts[host][MESSAGE].strip())
