"""Base settings of a host, and transactions, leases and staged changes that are still open on it."""

from collections.abc import Iterator

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import STATUS, Facts
from tasks.host.base.facts import FAILED_UNITS, HOST_NAME, HOSTS_FILE, OWN_NAME_IN_DNS, TRACKING
from tasks.network.links.facts import STAGED

MOST_OFFSET_S = 0.1
TAGS = ("host",)


def _has_base_settings(site: Site, host: str) -> bool:
    """Whether the suite manages the base settings of this host. Those of a switch belong to its firmware."""
    return site.hosts[host].link is LinkKind.SSH


@check(needs=(HOST_NAME,), severity=Severity.MINOR, remediation="Run the host stage.", tags=TAGS)
def host_name_is_as_intended(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The running kernel has the inventory's host name."""
    if _has_base_settings(site, host):
        yield Finding(host, host, facts[host][HOST_NAME])


@check(needs=(HOSTS_FILE,), severity=Severity.MINOR, remediation="Run the host stage.", tags=TAGS)
def hosts_file_names_every_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """/etc/hosts resolves the name of every host of the site without a name server."""
    if _has_base_settings(site, host):
        words = {tuple(line.split()[:3]) for line in facts[host][HOSTS_FILE].splitlines()}
        missing = [one.name for one in site.hosts.values() if (str(one.address.ip), f"{one.name}.{site.domain}", one.name) not in words]
        yield Finding(f"{host}:/etc/hosts", "every host", f"all but {' '.join(missing)}" if missing else "every host")


@check(
    needs=(OWN_NAME_IN_DNS,),
    severity=Severity.MAJOR,
    remediation="Query the name server for this name, and check /etc/resolv.conf.",
    tags=(*TAGS, "dns"),
)
def name_server_knows_the_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The site's name server answers with the host's own address."""
    if _has_base_settings(site, host) and site.name_servers:
        found = facts[host][OWN_NAME_IN_DNS]
        yield Finding(f"{host}.{site.domain}", str(site.hosts[host].address.ip), " ".join(sorted(found)) or "no answer")


@check(
    needs=(TRACKING,),
    severity=Severity.MAJOR,
    remediation="Check `chronyc sources`, and whether the time server is reachable.",
    tags=(*TAGS, "time"),
)
def time_is_synchronised(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The clock is synchronised to one of the site's time servers, and is less than 0.1 s off."""
    if _has_base_settings(site, host) and site.time_servers:
        tracking = facts[host][TRACKING]
        servers = {str(server) for server in site.time_servers}
        if not tracking or tracking["leap"] == "Not synchronised":
            yield Finding(
                f"{host}:clock",
                f"synchronised to {' '.join(sorted(servers))}",
                "not synchronised" if tracking else "chronyd does not answer",
            )
            return
        yield Finding(f"{host}:clock", " or ".join(sorted(servers)), tracking["source"], passed=tracking["source"] in servers)
        offset_s = abs(float(tracking["offset_s"]))
        yield Finding(f"{host}:clock", f"off by under {MOST_OFFSET_S} s", f"off by {offset_s:.3f} s", passed=offset_s < MOST_OFFSET_S)


@check(
    needs=(FAILED_UNITS,),
    severity=Severity.MAJOR,
    remediation="`systemctl status UNIT` shows why. Once it is fixed, run `systemctl reset-failed UNIT`.",
    tags=TAGS,
)
def no_unit_has_failed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Systemd has no failed unit."""
    del site
    yield Finding(f"{host}:units", "none failed", " ".join(facts[host][FAILED_UNITS]) or "none failed")


@check(
    needs=(STATUS, STAGED),
    severity=Severity.MAJOR,
    remediation="`burrow status` on the host shows the owner. The host restores itself by its timer, or at once by `burrow revert`."
    " The host retries a deferred undo until it succeeds, or at once by `burrow deferred`.",
    tags=(*TAGS, "engine"),
)
def no_change_is_pending(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No transaction waits for its confirmation, no undo is deferred, and no network change is staged."""
    del site
    pending = facts[host][STATUS]["pending"]
    yield Finding(f"{host}:transaction", "none open", f"{pending['why']} of {pending['holder']}" if pending else "none open")
    for one in facts[host][STATUS].get("deferred", ()):
        yield Finding(f"{host}:transaction", "no deferred undo", f"{one['why']} of {one['holder']}: {one['trouble']}")
    yield Finding(f"{host}:/etc/network/interfaces.new", "absent", "present" if facts[host][STAGED] else "absent")


@check(
    needs=(STATUS,),
    severity=Severity.MINOR,
    remediation="Wait for the run that has the lease. When a run ends without releasing it, the lease lapses by itself.",
    tags=(*TAGS, "engine"),
)
def no_lease_is_forgotten(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """No run has a lease on this host."""
    del site
    lease = facts[host][STATUS]["lease"]
    yield Finding(f"{host}:lease", "none", f"{lease['holder']}, since {lease['since']}" if lease else "none")


SETTINGS_CHECKS = (host_name_is_as_intended, hosts_file_names_every_host, name_server_knows_the_host, time_is_synchronised)
HOST_CHECKS = (*SETTINGS_CHECKS, no_unit_has_failed)
ENGINE_CHECKS = (no_change_is_pending, no_lease_is_forgotten)
