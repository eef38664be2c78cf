"""What has to hold before a storage node is taken out of service."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Fact, Facts
from tasks.storage.ceph.facts import CEPH, CEPH_OSD, CephState
from tasks.storage.ceph.health_checks import TAGS, cluster_as_seen, speaker, unclean

WAIT = "Wait until Ceph is clean and all monitors are in quorum; `ceph -s` says what is going on."


def _answer(output: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(output) if output.strip() else {}
    return answer


# The OSDs of this host are those that say so: a bucket of CRUSH may be called otherwise.
OWN_OSDS = r"""
import json, os, sys
for one in json.load(sys.stdin):
    if one.get("hostname", "").split(".")[0] == os.uname().nodename.split(".")[0]:
        sys.stdout.write("%s " % one["id"])
"""
# What Ceph itself says of stopping them: it knows pools, rules and what else is down (ceph(8)).
OK_TO_STOP = Fact(
    "ok_to_stop",
    f"ids=$({shlex.join(CEPH_OSD)} metadata -f json 2>/dev/null | python3 -c '{OWN_OSDS}' 2>/dev/null); "
    f'[ -z "$ids" ] || {shlex.join(CEPH_OSD)} ok-to-stop $ids -f json 2>/dev/null || true',
    _answer,
    within_s=12,
)


def may_be_lost(site: Site, state: CephState, host: str) -> frozenset[str]:
    """The monitors that may be gone with the host: its own, and those that are on no host of the inventory."""
    return frozenset(name for name, runs_on in state.monitors.items() if runs_on == host or runs_on not in site.hosts)


def _heard(site: Site, facts: Facts, host: str) -> CephState:
    """What the host hears of Ceph, or else what others hear: one that hears nothing has OSDs and a monitor all the same."""
    reading = facts[host].readings.get(CEPH.name)
    by = host if reading and not reading.rc and facts[host][CEPH].fsid else speaker(site, facts)
    return facts[by][CEPH] if by else CephState({})


@check(needs=(CEPH, OK_TO_STOP), severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def osds_may_stop(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every placement group takes writes while the host's OSDs are down."""
    if site.ceph is not None and _heard(site, facts, host).osds_of(host):
        answer = facts[host][OK_TO_STOP]
        waits = f"{answer.get('num_not_ok_pgs', 'all')} placement groups would stop" if not answer.get("ok_to_stop") else "ok to stop"
        yield Finding(f"{host}:osd", "ok to stop", waits, host)


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def quorum_survives_the_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Without the host's monitor the others are still the majority."""
    if site.ceph is None or not (state := _heard(site, facts, host)).fsid:
        return
    if host in site.ceph.monitors or state.monitors_of(host):
        left = len(state.quorum - may_be_lost(site, state, host))
        strange = [f"{name} is on {where}, no host of the inventory" for name, where in state.monitors.items() if where not in site.hosts]
        left_of = f"{left} of {len(state.monitors)}{'; ' if strange else ''}{', '.join(strange)}"
        got = "a majority" if 2 * left > len(state.monitors) else left_of
        yield Finding(f"{host}:mon", "a majority", got, host)


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def ceph_is_whole(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every monitor that there is is in quorum, every OSD up, and all data has its copies. Where Ceph is not set up nothing is missed."""
    if host == speaker(site, facts) and (silent := facts[host][CEPH].error):
        yield Finding("ceph:daemons", "none missed", silent)
    if state := cluster_as_seen(site, facts, host):
        missed = [f"monitor {name}" for name in state.monitors if name not in state.quorum]
        missed += [f"osd.{number}" for number, osd in state.osds.items() if not osd["up"]]
        yield Finding("ceph:daemons", "none missed", ", ".join(missed) or "none missed")
        yield Finding("ceph:pgs", "active+clean", unclean(state) or "active+clean")


MAINTENANCE_CHECKS = (osds_may_stop, quorum_survives_the_host)
