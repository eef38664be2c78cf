"""Whoever logs in reads which host this is."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from message_of_the_day.facts import MESSAGE
from tasks.core.model.change import Change, FilePart, Step
from tasks.core.model.fact import Facts


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
