"""Free space in Ceph: now, and with one host lost."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, CephState, known
from tasks.storage.ceph.health_checks import NOT_KNOWN, TAGS


def _nearfull(state: CephState) -> float:
    return float(state["osd dump"]["nearfull_ratio"])


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="Add disks, or delete data: a full OSD stops all writes.",
    tags=TAGS,
)
def osds_have_room(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Every OSD is below the ratio at which Ceph warns."""
    if (state := known(facts, ceph)) and state.osds:
        dump, want = state["osd dump"], f"below {_nearfull(state):.0%}"
        ratios = {"full": dump["full_ratio"], "too full to take copies": dump["backfillfull_ratio"], "nearly full": _nearfull(state)}
        if not state.rows:
            yield Finding("ceph:osd", want, NOT_KNOWN)
        for number, row in state.rows.items():
            used = row["utilization"] / 100
            state_text = next((f", {name}" for name, ratio in ratios.items() if used >= ratio), "")
            yield Finding(f"ceph:osd.{number}", want, f"{used:.0%}{state_text}", passed=not state_text)


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MAJOR,
    remediation="Add disks, or delete data. Until then, bring a lost host back before its OSDs are out (10 minutes), or set noout for it.",
    tags=TAGS,
)
def data_fits_without_any_one_host(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """With any one host lost, the remaining hosts stay below the ratio at which Ceph warns, including the copies that they take over.

    Ceph makes new copies only where a remaining host holds none: with three copies on three hosts it makes none, and the data has two
    copies until the host is back.
    """
    if (state := known(facts, ceph)) and state.osds:
        want = f"below {_nearfull(state):.0%}"
        room = {name: _room(state, numbers) for name, numbers in state.hosts.items() if numbers}
        if not state.rows or len(room) < 2:
            yield Finding("ceph:room", want, NOT_KNOWN if not state.rows else "only one host", passed=False)
            return
        copies = min((pool["size"] for pool in state.pools.values()), default=1)
        moves = copies < len(room)
        used, lost = max((_without(room, name, moves=moves), name) for name in room)
        means = "its copies move to the other hosts" if moves else f"no copies move, {copies - 1} of {copies} copies remain"
        yield Finding("ceph:room", want, f"{used:.0%} without {lost}: {means}", passed=used < _nearfull(state))


def _room(state: CephState, numbers: tuple[int, ...]) -> tuple[int, int]:
    """(used, total), in KiB."""
    rows = [state.rows[number] for number in numbers if number in state.rows]
    return sum(row["kb_used"] for row in rows), sum(row["kb"] for row in rows)


def _without(room: dict[str, tuple[int, int]], lost: str, *, moves: bool) -> float:
    rest = [row for name, row in room.items() if name != lost]
    used = sum(row[0] for row in rest) + (room[lost][0] if moves else 0)
    return used / max(1, sum(row[1] for row in rest))


CAPACITY_CHECKS = (osds_have_room, data_fits_without_any_one_host)
