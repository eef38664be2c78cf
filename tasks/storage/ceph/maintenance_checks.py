"""The checks that must pass before a storage node is taken out of service."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Fact, Facts
from tasks.storage.ceph.facts import CEPH, CEPH_OSD, OF_CEPH, CephState, known, state_of
from tasks.storage.ceph.health_checks import TAGS, unclean

WAIT = "Wait until Ceph is clean and all monitors are in quorum; `ceph -s` shows the progress."


def _answer(output: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(output) if output.strip() else {}
    return answer


# The OSDs that report this host: a CRUSH bucket may have another name.
OWN_OSDS = r"""
import json, os, sys
for one in json.load(sys.stdin):
    if one.get("hostname", "").split(".")[0] == os.uname().nodename.split(".")[0]:
        sys.stdout.write("%s " % one["id"])
"""
# Ceph's own answer on whether they may stop: it knows the pools, the rules and what else is down (ceph(8)).
OK_TO_STOP = Fact(
    "ok_to_stop",
    f"ids=$({shlex.join(CEPH_OSD)} metadata -f json 2>/dev/null | python3 -c '{OWN_OSDS}' 2>/dev/null); "
    f'[ -z "$ids" ] || {shlex.join(CEPH_OSD)} ok-to-stop $ids -f json 2>/dev/null || true',
    _answer,
    within_s=12,
)


def may_be_lost(site: Site, state: CephState, host: str) -> frozenset[str]:
    """The monitors that may stop with the host: its own, and those on hosts that are not in the inventory."""
    return frozenset(name for name, runs_on in state.monitors.items() if runs_on == host or runs_on not in site.hosts)


@check(needs=(OK_TO_STOP,), also=OF_CEPH, severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def osds_may_stop(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every placement group accepts writes while the host's OSDs are down."""
    if site.ceph is not None and state_of(site, facts).osds_of(host):
        answer = facts[host][OK_TO_STOP]
        got = "ok to stop" if answer.get("ok_to_stop") else f"{answer.get('num_not_ok_pgs', 'all')} placement groups would stop"
        yield Finding(f"{host}:osd", "ok to stop", got, host)


@check(needs=(), also=OF_CEPH, severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def quorum_survives_the_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Without the host's monitor, the other monitors still have the majority."""
    if site.ceph is None or not (state := state_of(site, facts)).fsid:
        return
    if host in site.ceph.monitors or state.monitors_of(host):
        left = len(state.quorum - may_be_lost(site, state, host))
        unknown = [f"{name} is on {where}, no host of the inventory" for name, where in state.monitors.items() if where not in site.hosts]
        left_of = f"{left} of {len(state.monitors)}{'; ' if unknown else ''}{', '.join(unknown)}"
        yield Finding(f"{host}:mon", "a majority", "a majority" if 2 * left > len(state.monitors) else left_of, host)


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.CRITICAL, remediation=WAIT, tags=TAGS)
def ceph_is_whole(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Every monitor is in quorum, every OSD that data need is up, and all data has its copies. Where Ceph is not set up, this holds."""
    if error := facts[ceph][CEPH].error:
        yield Finding("ceph:daemons", "none down", error)
    if state := known(facts, ceph):
        down = [f"monitor {name}" for name in state.monitors if name not in state.quorum]
        groups = unclean(state)
        # An OSD that is out and whose data have all their copies elsewhere is not missed.
        down += [f"osd.{number}" for number, osd in state.osds.items() if not osd["up"] and (osd["in"] or groups)]
        yield Finding("ceph:daemons", "none down", ", ".join(down) or "none down")
        yield Finding("ceph:pgs", "active+clean", groups or "active+clean")


MAINTENANCE_CHECKS = (osds_may_stop, quorum_survives_the_host)
