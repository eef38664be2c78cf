"""Ceph's health: its own report, and flags, mutes and crash reports that an operator may have forgotten."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, CephState, known
from tasks.storage.ceph.osd_map import TEMPORARY

TAGS = ("storage", "ceph")
CLEAN = frozenset({"active", "clean"})
# Routine work on a clean group: scrubs, and removing what a deleted snapshot held (osd/osd_types.cc, pg_state_string).
ROUTINE = frozenset({"scrubbing", "deep", "snaptrim", "snaptrim_wait"})
DAMAGE = ("PG_DAMAGED", "OSD_SCRUB_ERRORS", "OBJECT_UNFOUND", "MON_DISK_CRIT")
FAILING = ("DEVICE_HEALTH", "OSD_TOO_MANY_REPAIRS", "BLUESTORE_SPURIOUS_READ_ERRORS", "BLUESTORE_SLOW_OP_ALERT", "SLOW_OPS")
MOST_WEAR = 0.9
OK = "HEALTH_OK"
NOT_KNOWN = "not known: no manager answers"
# Ceph's word for daemons that have not reported their version (mon/OSDMonitor.cc, count_metadata).
UNKNOWN = "unknown"


def unclean(state: CephState) -> str:
    """The placement groups that are not active and clean, by state, or why they are not known; empty where all groups of all pools are.

    The active manager counts them. Without one the monitors repeat the last count (Ceph's manual, "Ceph Manager Daemon").
    """
    wanted = sum(pool["pg_num"] for pool in state.pools.values())
    if wanted and not state["mgr dump"].get("available"):
        return NOT_KNOWN
    states = state["status"].get("pgmap", {}).get("pgs_by_state", ())
    counted = sum(one["count"] for one in states)
    bad = ", ".join(f"{one['count']} {one['state_name']}" for one in states if {*one["state_name"].split("+")} - ROUTINE != CLEAN)
    return bad or ("" if counted == wanted else f"not known: only {counted} of {wanted} are counted")


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.CRITICAL, remediation="`ceph health detail` explains each reason.", tags=TAGS)
def ceph_is_healthy(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Ceph reports HEALTH_OK, or warns of nothing but flags that the inventory keeps set. A muted alert is no reason."""
    state = facts[ceph][CEPH]
    health = state["status"].get("health", {})
    reasons = {code: one["summary"]["message"] for code, one in health.get("checks", {}).items() if not one.get("muted")}
    status = health.get("status", "no answer")
    got = f"{status}{': ' if reasons else ''}{'; '.join(reasons.values())}"
    wanted = site.ceph is not None and _flags(state) == [flag for flag in TEMPORARY if flag in site.ceph.flags]
    well = status == OK or (status == "HEALTH_WARN" and wanted and reasons.keys() == {"OSDMAP_FLAGS"})
    yield Finding("ceph:health", OK, state.error or (OK if status == OK else got), passed=well and not state.error)


def _flags(state: CephState) -> list[str]:
    """The temporary flags that are set on the cluster."""
    set_ = state["osd dump"].get("flags_set", ())
    return [flag for flag in TEMPORARY if flag in set_]


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="`ceph pg stat` and `ceph health detail` show which ones, and what they wait for.",
    tags=TAGS,
)
def placement_groups_are_clean(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """All placement groups are active and clean."""
    if state := known(facts, ceph):
        yield Finding("ceph:pgs", "active+clean", unclean(state) or "active+clean")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="`ceph health detail` and `rados list-inconsistent-obj` show which.",
    tags=TAGS,
)
def no_data_is_damaged(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No scrub found a damaged copy, and no object is lost."""
    if state := known(facts, ceph):
        found = [f"{code}: {text}" for code, text in state.alerts.items() if code in DAMAGE]
        yield Finding("ceph:data", "undamaged", "; ".join(found) or "undamaged")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="If no maintenance is in progress, run the storage stage. For a flag of one host: `ceph osd unset-group FLAG HOST`.",
    tags=TAGS,
)
def no_flag_is_left_behind(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No temporary flag is set on the cluster, a host, a device class or an OSD, except those in the inventory."""
    if (state := known(facts, ceph)) and site.ceph:
        dump = state["osd dump"]
        wanted = [flag for flag in TEMPORARY if flag in site.ceph.flags]
        found = _flags(state)
        parts = {**dump.get("crush_node_flags", {}), **dump.get("device_class_flags", {})}
        parts |= {f"osd.{number}": [flag for flag in osd["state"] if flag in TEMPORARY] for number, osd in state.osds.items()}
        found += [f"{' '.join(flags)} for {name}" for name, flags in parts.items() if flags]
        yield Finding("ceph:flags", ", ".join(wanted) or "none", ", ".join(found) or "none")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MINOR,
    remediation="`ceph crash info ID` shows what happened; then `ceph crash archive ID`.",
    tags=TAGS,
)
def crashes_are_looked_at(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Ceph has no crash report that is not archived."""
    if state := known(facts, ceph):
        news = state.listed("crash ls-new")
        found = [text for code, text in state.alerts.items() if code in ("RECENT_CRASH", "RECENT_MGR_MODULE_CRASH")]
        yield Finding("ceph:crashes", "none new", "; ".join(news or found) or "none new")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="`ceph device ls` and `smartctl -a` on the host; move the data off a failing disk (`ceph osd out`) before it fails.",
    tags=TAGS,
)
def disks_are_in_good_health(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No disk of an OSD is worn out, expected to fail, or slow."""
    if state := known(facts, ceph):
        found = [f"{code}: {text}" for code, text in state.alerts.items() if code.startswith(FAILING)]
        yield Finding("ceph:disks", "no complaint", "; ".join(found) or "no complaint")
        for one in state.listed("device ls"):
            if (wear := one.get("wear_level")) is not None:
                yield Finding(f"ceph:{one['devid']}", f"worn below {MOST_WEAR:.0%}", f"worn {wear:.0%}", passed=wear < MOST_WEAR)


@check(of=targets.CEPH, needs=(CEPH,), severity=Severity.MINOR, remediation="`ceph health unmute CODE`.", tags=TAGS)
def no_complaint_is_muted(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No health alert of Ceph is muted."""
    if state := known(facts, ceph):
        yield Finding("ceph:mutes", "none", ", ".join(one["code"] for one in state["health"].get("mutes", ())) or "none")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MINOR,
    remediation="Upgrade the rest, a host at a time: monitors, managers, OSDs.",
    tags=TAGS,
)
def ceph_versions_are_equal(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """All daemons of Ceph run one version, and the OSD map requires its release."""
    if state := known(facts, ceph):
        kinds = {kind: rows for kind, rows in state["versions"].items() if kind != "overall"}
        versions = dict.fromkeys(version for rows in kinds.values() for version in rows)
        found = [f"{_word(v, 2)}: {', '.join(f'{rows[v]} {kind}' for kind, rows in kinds.items() if v in rows)}" for v in versions]
        one = len(found) == 1 and UNKNOWN not in versions
        yield Finding("ceph:versions", "one", "one" if one else "; ".join(found) or "no daemon reports one")
        required = state["osd dump"].get("require_osd_release", "")
        if one and state.osds:
            yield Finding("ceph:require_osd_release", _word(next(iter(versions)), 4), required)


def _word(version: str, word: int) -> str:
    """Word 2 of `ceph version 18.2.7 (6b0e988) reef (stable)` is the number, word 4 the release; a shorter text is returned whole."""
    words = version.split()
    return words[word] if len(words) > word else version


HEALTH_CHECKS = (
    *(ceph_is_healthy, no_data_is_damaged, no_flag_is_left_behind, crashes_are_looked_at, disks_are_in_good_health),
    *(no_complaint_is_muted, ceph_versions_are_equal),
)
