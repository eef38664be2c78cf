"""Room in Ceph: now, and with one host lost."""

from collections.abc import Iterator

from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, CephState
from tasks.storage.ceph.health_checks import NOT_KNOWN, TAGS, cluster_as_seen


def _nearfull(state: CephState) -> float:
    return float(state["osd dump"]["nearfull_ratio"])


@check(needs=(CEPH,), severity=Severity.CRITICAL, remediation="Add disks, or delete: a full OSD stops all writes.", tags=TAGS)
def osds_have_room(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Every OSD is below the ratio at which Ceph warns."""
    if (state := cluster_as_seen(site, facts, host)) and state.osds:
        dump, want = state["osd dump"], f"below {_nearfull(state):.0%}"
        ratios = {"full": dump["full_ratio"], "too full to take copies": dump["backfillfull_ratio"], "nearly full": _nearfull(state)}
        if not state.rows:
            yield Finding("ceph:osd", want, NOT_KNOWN)
        for number, row in state.rows.items():
            used = row["utilization"] / 100
            word = next((f", {name}" for name, ratio in ratios.items() if used >= ratio), "")
            yield Finding(f"ceph:osd.{number}", want, f"{used:.0%}{word}", passed=not word)


@check(
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="Add disks, or delete; until then, bring a lost host back before its OSDs are out (10 minutes), or set noout for it.",
    tags=TAGS,
)
def data_fits_without_any_one_host(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """With any one host lost, the others stay below the ratio at which Ceph warns, whatever is copied anew onto them.

    Copies are made anew only where there are hosts left that hold none: with three copies on three hosts nothing moves, and what was
    written has two copies until the host is back.
    """
    if (state := cluster_as_seen(site, facts, host)) and state.osds:
        want = f"below {_nearfull(state):.0%}"
        room = {name: _room(state, numbers) for name, numbers in state.hosts.items() if numbers}
        if not state.rows or len(room) < 2:
            yield Finding("ceph:room", want, NOT_KNOWN if not state.rows else "one host alone", passed=False)
            return
        copies = min((pool["size"] for pool in state.pools.values()), default=1)
        moves = copies < len(room)
        used, lost = max((_without(room, name, moves=moves), name) for name in room)
        means = "copied anew onto the others" if moves else f"nothing is copied anew, {copies - 1} of {copies} copies stay"
        yield Finding("ceph:room", want, f"{used:.0%} without {lost}: {means}", passed=used < _nearfull(state))


def _room(state: CephState, numbers: tuple[int, ...]) -> tuple[int, int]:
    """(used, all), in KiB."""
    rows = [state.rows[number] for number in numbers if number in state.rows]
    return sum(row["kb_used"] for row in rows), sum(row["kb"] for row in rows)


def _without(room: dict[str, tuple[int, int]], lost: str, *, moves: bool) -> float:
    others = [row for name, row in room.items() if name != lost]
    used = sum(row[0] for row in others) + (room[lost][0] if moves else 0)
    return used / max(1, sum(row[1] for row in others))


CAPACITY_CHECKS = (osds_have_room, data_fits_without_any_one_host)
