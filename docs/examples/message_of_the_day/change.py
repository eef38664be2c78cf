"""The message of the day, which names the host."""

from dataclasses import dataclass
from typing import ClassVar

from inventory.site import Site
from message_of_the_day.facts import MESSAGE
from tasks.core.model.change import Change, FilePart, Step
from tasks.core.model.fact import Facts


@dataclass(frozen=True)
class MessageState:
    """The part that the change owns: the whole file."""

    text: str


@dataclass(frozen=True)
class MessageOfTheDay(Change[MessageState]):
    """Users read the name of the host and of its site when they log in."""

    needs: ClassVar = (MESSAGE,)
    host: str

    def intend(self, site: Site, facts: Facts) -> MessageState:  # noqa: ARG002
        """One line."""
        return MessageState(f"{self.host} of {site.domain}\n")

    def observe(self, site: Site, facts: Facts) -> MessageState:  # noqa: ARG002
        """The present file."""
        return MessageState(facts[self.host][MESSAGE])

    def steps(self, site: Site, facts: Facts, want: MessageState) -> tuple[Step, ...]:  # noqa: ARG002
        """The file. No service needs a restart."""
        return (FilePart("/etc/motd", MESSAGE, lambda _: want.text),)
