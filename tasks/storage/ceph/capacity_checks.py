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
    """With any one host lost, the others stay below the ratio at which Ceph warns, with the copies that they take over, by device class.

    Ceph makes new copies only where a remaining host holds none: with three copies on three hosts it makes none, and the data has two
    copies until the host is back.
    """
    if (state := known(facts, ceph)) and state.osds:
        want = f"below {_nearfull(state):.0%}"
        if not state.rows:
            yield Finding("ceph:room", want, NOT_KNOWN)
            return
        for of_class, copies in _copies(state).items():
            what, room = f"ceph:room{of_class and ' on '}{of_class}", _rooms(state, of_class)
            if len(room) < 2:
                yield Finding(what, want, "only one host", passed=False)
                continue
            moves = copies < len(room)
            used, lost = max((_without(room, name, moves=moves), name) for name in room)
            means = "its copies move to the other hosts" if moves else f"no copies move, {copies - 1} of {copies} copies remain"
            yield Finding(what, want, f"{used:.0%} without {lost}: {means}", passed=used < _nearfull(state))


def _copies(state: CephState) -> dict[str, int]:
    """{device class: the fewest copies of a pool whose rule takes it}; a rule without a class takes all devices (`default~ssd`)."""
    taken = {
        rule["rule_id"]: next((step["item_name"].partition("~")[2] for step in rule["steps"] if "item_name" in step), "")
        for rule in state.listed("osd crush rule dump")
    }
    found: dict[str, int] = {}
    for pool in state.pools.values():
        of_class = taken.get(pool["crush_rule"], "")
        found[of_class] = min(pool["size"], found.get(of_class, pool["size"]))
    return found or {"": 1}


def _rooms(state: CephState, of_class: str) -> dict[str, tuple[int, int]]:
    """{host: (used, total) of its devices of a class in KiB}, for hosts that have any."""
    found = {name: [state.rows[number] for number in numbers if number in state.rows] for name, numbers in state.hosts.items()}
    rows = {name: [row for row in rows if of_class in ("", row.get("device_class"))] for name, rows in found.items()}
    return {name: (sum(row["kb_used"] for row in its), sum(row["kb"] for row in its)) for name, its in rows.items() if its}


def _without(room: dict[str, tuple[int, int]], lost: str, *, moves: bool) -> float:
    rest = [row for name, row in room.items() if name != lost]
    used = sum(row[0] for row in rest) + (room[lost][0] if moves else 0)
    return used / max(1, sum(row[1] for row in rest))


CAPACITY_CHECKS = (osds_have_room, data_fits_without_any_one_host)
