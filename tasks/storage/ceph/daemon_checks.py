"""Ceph's monitors, managers and OSDs: those of the inventory, and no others."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, OF_CEPH, known, state_of
from tasks.storage.ceph.health_checks import TAGS
from tasks.storage.ceph.host_facts import AT_BOOT, CEPH_PROGRAMS, PROGRAMS, nodes_with_daemons
from tasks.storage.ceph.osd_map import data_devices

STAGE = "Run the storage stage; `journalctl -u ceph-*` on the host shows why a daemon does not run."


@check(needs=(), also=OF_CEPH, severity=Severity.CRITICAL, remediation=STAGE, tags=TAGS)
def monitors_are_in_quorum(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each host that needs a monitor has one, and it is in quorum."""
    if site.ceph is not None and host in site.ceph.monitors:
        state = state_of(site, facts)
        there = "a monitor, not in quorum" if state.monitors_of(host) else "no monitor"
        yield Finding(f"{host}:mon", "in quorum", "in quorum" if state.monitors_of(host) & state.quorum else state.error or there, host)


@check(
    needs=(),
    also=OF_CEPH,
    severity=Severity.MAJOR,
    remediation="Run the storage stage, which makes or starts it. Where it stops again: `journalctl -u ceph-mgr@HOST`, and"
    " `pveceph mgr destroy HOST` for an incomplete one.",
    tags=TAGS,
)
def managers_are_there(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each host with a monitor has a manager, so that there is a standby."""
    if site.ceph is not None and host in site.ceph.monitors:
        yield Finding(f"{host}:mgr", "a manager", "a manager" if state_of(site, facts).managers_of(host) else "none", host)


@check(needs=(), also=OF_CEPH, severity=Severity.CRITICAL, remediation=STAGE, tags=TAGS)
def osds_are_up_and_in(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each disk that the inventory gives to Ceph has the data of at least one OSD, and each OSD of the host is up and in."""
    wanted = site.osds(host) if site.ceph is not None else ()
    if not wanted:
        return
    state = state_of(site, facts)
    osds = state.osds_of(host)
    # One disk may have several OSDs. An OSD that never ran reports no disk, and counts as one.
    disks = {name for number, osd in osds.items() for name in data_devices(osd) or {f"osd.{number}"}}
    want, got = (f"data on {count} disk{'' if count == 1 else 's'}" for count in (len(wanted), len(disks)))
    yield Finding(f"{host}:osd", want, got, host)
    for number in osds:
        osd = state.osds[number]
        yield Finding(f"{host}:osd.{number}", "up and in", f"{'up' if osd['up'] else 'down'} and {'in' if osd['in'] else 'out'}", host)


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="Run the storage stage for a missing one; `pveceph mon destroy NAME` on the host of one that is not in the inventory.",
    tags=TAGS,
)
def monitors_are_those_intended(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """The monitors are those of the inventory, which are odd in number."""
    if site.ceph is not None and (state := known(facts, ceph)):
        want, got = sorted(site.ceph.monitors), sorted(state.monitors.values())
        yield Finding("ceph:mon", f"{len(want)}: {', '.join(want)}", f"{len(got)}: {', '.join(got)}")


@check(
    of=targets.CEPH, needs=(CEPH,), severity=Severity.MAJOR, remediation="`chronyc tracking` on the host; then the time servers.", tags=TAGS
)
def monitors_clocks_agree(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No monitor's clock is further off than Ceph allows."""
    if state := known(facts, ceph):
        for name, row in state["time-sync-status"].get("time_skew_status", {}).items():
            good = row["health"] == "HEALTH_OK"
            yield Finding(f"ceph:mon.{name}", "as Ceph allows", f"{row['skew']:.3f} s off", passed=good)


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.MAJOR, remediation=STAGE, tags=TAGS)
def one_manager_is_active(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """A manager is active, and a second one stands by where the inventory has several monitors."""
    if site.ceph is not None and (state := known(facts, ceph)):
        least = min(1, len(site.ceph.monitors) - 1)
        active = state["mgr dump"].get("active_name", "") if state["mgr dump"].get("available") else ""
        standbys = len(state["mgr dump"].get("standbys", ()))
        want = f"one active, {least} or more standing by"
        yield Finding("ceph:mgr", want, f"{active or 'none'} active, {standbys} standing by", passed=bool(active) and standbys >= least)


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="Name its disk in hosts.yaml, or remove it as in pveceph(1): out, wait until clean, stop, destroy."
    " For one that only CRUSH still lists: `ceph osd crush rm osd.N`.",
    tags=TAGS,
)
def no_osd_is_unintended(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Every OSD is on a host whose disks the inventory names, and no host has more OSDs than such disks."""
    if state := known(facts, ceph):
        intended = {name: len(site.osds(name)) for name in site.hosts if site.osds(name)}
        found = {name: len(numbers) for name, numbers in state.hosts.items() if numbers}
        if homeless := len(state.osds) - sum(found.values()):
            found["no host"] = homeless
        if state.left_in_crush:
            found["CRUSH only"] = len(state.left_in_crush)
        more = {name: count for name, count in found.items() if count > intended.get(name, 0)}
        yield Finding("ceph:osd", _counts(intended), _counts(found), passed=not more)


def _counts(osds: dict[str, int]) -> str:
    return ", ".join(f"{count} on {name}" for name, count in sorted(osds.items())) or "none"


@check(needs=(AT_BOOT,), also=OF_CEPH, severity=Severity.MAJOR, remediation="`systemctl enable UNIT` on the host.", tags=TAGS)
def ceph_starts_at_boot(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """The host's monitor, manager and OSDs start at boot."""
    if site.ceph is None or not (host in site.ceph.monitors or site.osds(host)):
        return
    at_boot, state = facts[host][AT_BOOT], state_of(site, facts)
    units = ["ceph.target"]
    units += [f"ceph-mon@{name}.service" for name in sorted(state.monitors_of(host))]
    units += [f"ceph-mgr@{name}.service" for name in state.managers_of(host)]
    missing = [unit for unit in units if unit not in at_boot]
    missing += [
        f"ceph-volume for osd.{number}"
        for number in state.osds_of(host)
        if not any(unit.startswith((f"ceph-volume@lvm-{number}-", f"ceph-volume@simple-{number}-")) for unit in at_boot)
    ]
    yield Finding(f"{host}:ceph", "all enabled", f"not enabled: {', '.join(missing)}" if missing else "all enabled", host)


@check(
    needs=(CEPH_PROGRAMS,),
    severity=Severity.MAJOR,
    remediation="Run the storage stage, or `pveceph install` on the host.",
    tags=TAGS,
)
def ceph_programs_are_installed(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Each node with a daemon of Ceph has the programs of all of them."""
    if host in nodes_with_daemons(site):
        missing = [one.rpartition("/")[2] for one in PROGRAMS if one not in facts[host][CEPH_PROGRAMS]]
        yield Finding(f"{host}:programs", "all", f"no {', '.join(missing)}" if missing else "all", host)


MONITOR_CHECKS = (monitors_are_in_quorum,)
NODE_CHECKS = (managers_are_there, osds_are_up_and_in)
DAEMON_CHECKS = (
    *(*MONITOR_CHECKS, *NODE_CHECKS, monitors_are_those_intended, monitors_clocks_agree, one_manager_is_active),
    *(no_osd_is_unintended, ceph_starts_at_boot, ceph_programs_are_installed),
)
