"""FRR itself: its daemons, its router id, and its running configuration against its file."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.agent.secrets import redact
from tasks.core.model.check import Finding, Kept, Scope, Severity, check
from tasks.core.model.fact import Facts
from tasks.network.forwarding.facts import DAEMONS, FRR_UNIT, RUNNING
from tasks.network.links.remedies import NEW_ROUTER_ID
from tasks.network.ospf.facts import FRR
from tasks.platforms.frr.files import CONF_FACT, DAEMONS_FACT
from tasks.platforms.frr.form import Statement, beyond, is_repeated, normal_form
from tasks.platforms.frr.frr_file import daemons

TAGS = ("network", "frr")
# Lines of `show running-config` about itself, which the file may have in another form.
ITS_OWN = (
    "frr version",
    "frr defaults",
    "hostname",
    "log ",
    "service ",
    "no service ",
    "Building configuration",
    "Current configuration",
    "end",
)


@check(needs=(FRR,), severity=Severity.CRITICAL, remediation="`systemctl status frr` and `journalctl -u frr` show why.", tags=TAGS)
def frr_daemons_run(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The daemons that the routers need run."""
    if any(site.routed(host)):
        wanted = sorted({*DAEMONS, "zebra"})
        yield Finding(f"{host}:frr", " ".join(wanted), " ".join(name for name in wanted if name in facts[host][FRR].daemons) or "none")


@check(
    needs=(FRR_UNIT, DAEMONS_FACT),
    severity=Severity.CRITICAL,
    remediation="Run the network stage: it enables FRR and its daemons in /etc/frr/daemons.",
    tags=TAGS,
)
def frr_starts_at_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """FRR is enabled, and its daemons file starts the daemons that the routers need."""
    if any(site.routed(host)):
        yield Finding(f"{host}:frr.service", " ".join(RUNNING), " ".join(facts[host][FRR_UNIT]).strip())
        started = daemons(facts[host][DAEMONS_FACT])
        yield Finding(f"{host}:/etc/frr/daemons", " ".join(DAEMONS), " ".join(name for name in DAEMONS if name in started) or "none")


def _statements(text: str) -> frozenset[Statement]:
    """The statements in FRR's normal form. Keys are compared in clear; they are redacted only when shown."""
    return frozenset(one for one in normal_form(text) if one[0] or not one[1].startswith(ITS_OWN))


@check(
    needs=(FRR, CONF_FACT),
    severity=Severity.MAJOR,
    remediation="`systemctl reload frr` applies the file, `vtysh -c write` saves the running configuration. Then run the network stage.",
    tags=(*TAGS, "files"),
)
def frr_runs_what_its_file_says(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """FRR's running configuration is /etc/frr/frr.conf."""
    if not any(site.routed(host)) or not facts[host][FRR].configuration:
        return
    file, runs = _statements(facts[host][CONF_FACT]), _statements(facts[host][FRR].configuration)
    differ = {one for one in beyond(file, runs) if is_repeated(one)} | beyond(runs, file)
    for path, words in sorted(differ, key=lambda one: " / ".join((*one[0], one[1]))):
        places = ("in the file", "running") if (path, words) in file else ("running", "in the file")
        shown = redact(" / ".join((*path, words)))
        yield Finding(f"{host}:frr.conf {shown}", "in the file and running", f"{places[0]}, not {places[1]}")
    if not differ:
        yield Finding(f"{host}:frr.conf", "running as the file says", "running as the file says")


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation=NEW_ROUTER_ID,
    tags=(*TAGS, "ospf"),
)
def router_id_is_the_own_loopback(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """A router's id is the address of its loopback."""
    if host in site.router_ids:
        yield Finding(f"{host}:router-id", site.router_ids[host], facts[host][FRR].router_id or "none")


@check(
    needs=(FRR,),
    severity=Severity.CRITICAL,
    remediation=f"On the host whose loopback has another address: {NEW_ROUTER_ID}",
    tags=(*TAGS, "ospf"),
    scope=Scope.SITE,
    keep=lambda facts: facts[FRR].router_id if FRR.name in facts.readings else "",
)
def router_ids_are_unique(site: Site, ids: Kept, host: str) -> Iterator[Finding]:
    """No two routers have the same id."""
    if host not in site.router_ids or not (own := ids[host]):
        return
    others = [name for name in ids.having(own) if name != host and name in site.router_ids]
    want = f"{own} on {host} only"
    yield Finding(f"{host}:router-id", want, f"{own} on {' and '.join([host, *others])}" if others else want)


OWN_FRR_CHECKS = (frr_daemons_run, frr_starts_at_boot, router_id_is_the_own_loopback)
FRR_CHECKS = (*OWN_FRR_CHECKS, frr_runs_what_its_file_says, router_ids_are_unique)
