"""The check of the message of the day."""

from collections.abc import Iterator

from inventory.site import Site
from message_of_the_day.facts import MESSAGE
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts


@check(needs=(MESSAGE,), severity=Severity.MINOR, remediation="Run the stage that writes this file.", tags=("host",))
def message_names_the_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The message of the day names the host and its site."""
    yield Finding(f"{host}:/etc/motd", f"{host} of {site.domain}", facts[host][MESSAGE].strip())
