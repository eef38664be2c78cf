"""The parts of Ceph's JSON that the suite reads, by command (Ceph 18.2). A release may add keys; these are there, with their types."""

from collections.abc import Mapping
from typing import Any, NotRequired, TypedDict

from tasks.core.model.shape import misfit


class Address(TypedDict):
    """An address of a daemon."""

    addr: str


class Addresses(TypedDict):
    """All addresses of a daemon for one purpose."""

    addrvec: list[Address]


class Message(TypedDict):
    """A sentence of a health alert."""

    message: str


class Mute(TypedDict):
    """A muted health alert."""

    code: str


class Skew(TypedDict):
    """A monitor's clock."""

    health: str


class States(TypedDict):
    """How many placement groups are in a state."""

    count: int
    state_name: str


class Named(TypedDict):
    """A row with a name."""

    name: str


class Daemon(Named):
    """A monitor or a manager of `metadata`."""

    hostname: NotRequired[str]


class Monitor(Named):
    """A monitor of the map."""

    public_addrs: Addresses


class MonDump(TypedDict):
    """`mon dump`."""

    mons: NotRequired[list[Monitor]]


class MgrDump(TypedDict):
    """`mgr dump`."""

    available: NotRequired[bool]
    active_name: NotRequired[str]
    standbys: NotRequired[list[Named]]


class Alert(TypedDict):
    """A health alert."""

    summary: Message
    detail: NotRequired[list[Message]]
    muted: NotRequired[bool]


class Health(TypedDict):
    """`health detail`."""

    status: NotRequired[str]
    checks: NotRequired[Mapping[str, Alert]]
    mutes: NotRequired[list[Mute]]


class PgMap(TypedDict):
    """The placement groups of `status`."""

    pgs_by_state: NotRequired[list[States]]


class Status(TypedDict):
    """`status`."""

    health: NotRequired[Health]
    quorum_names: NotRequired[list[str]]
    pgmap: NotRequired[PgMap]


class Pool(TypedDict):
    """A pool of `osd dump`."""

    pool_name: str
    size: int
    min_size: int
    crush_rule: int
    pg_num: int
    pg_autoscale_mode: str
    application_metadata: Mapping[str, Any]
    type: NotRequired[int]
    tier_of: NotRequired[int]
    tiers: NotRequired[list[int]]
    erasure_code_profile: NotRequired[str]


# `in` is no name in Python.
Osd = TypedDict(
    "Osd",
    {
        "osd": int,
        "up": int,
        "in": int,
        "state": list[str],
        "public_addrs": Addresses,
        "cluster_addrs": Addresses,
        "heartbeat_back_addrs": Addresses,
        "heartbeat_front_addrs": Addresses,
    },
)


class OsdDump(TypedDict):
    """`osd dump`."""

    pools: NotRequired[list[Pool]]
    osds: NotRequired[list[Osd]]
    flags_set: NotRequired[list[str]]
    crush_node_flags: NotRequired[Mapping[str, list[str]]]
    device_class_flags: NotRequired[Mapping[str, list[str]]]
    require_osd_release: NotRequired[str]
    full_ratio: float
    backfillfull_ratio: float
    nearfull_ratio: float


class CrushNode(Named):
    """A bucket or an OSD of `osd tree`."""

    id: int
    type: str
    children: NotRequired[list[int]]


class OsdTree(TypedDict):
    """`osd tree`."""

    nodes: NotRequired[list[CrushNode]]


class OsdMetadata(TypedDict):
    """What an OSD reports; a few keys alone, where it never ran."""

    id: int
    hostname: NotRequired[str]


class Usage(TypedDict):
    """An OSD's row of `osd df`."""

    id: int
    utilization: float
    kb: int
    kb_used: int
    device_class: NotRequired[str]


class OsdDf(TypedDict):
    """`osd df`."""

    nodes: NotRequired[list[Usage]]


class Setting(TypedDict):
    """A row of `config dump`."""

    section: str
    name: str
    value: str


class Step(TypedDict):
    """A step of a CRUSH rule."""

    type: NotRequired[str]
    item_name: NotRequired[str]


class Rule(TypedDict):
    """A CRUSH rule."""

    rule_id: int
    steps: list[Step]


class TimeSync(TypedDict):
    """`time-sync-status`."""

    time_skew_status: NotRequired[Mapping[str, Skew]]


class Device(TypedDict):
    """A device of `device ls`."""

    devid: str
    wear_level: NotRequired[float]


class Whole(TypedDict):
    """All answers together."""

    fsid: NotRequired[str]
    error: NotRequired[str]


SHAPES: Mapping[str, Any] = {
    "status": Status,
    "health": Health,
    "mon dump": MonDump,
    "mon metadata": list[Daemon],
    "mgr dump": MgrDump,
    "mgr metadata": list[Daemon],
    "osd dump": OsdDump,
    "osd tree": OsdTree,
    "osd metadata": list[OsdMetadata],
    "osd df": OsdDf,
    "osd crush rule dump": list[Rule],
    "versions": Mapping[str, Mapping[str, int]],
    "config dump": list[Setting],
    "time-sync-status": TimeSync,
    "device ls": list[Device],
    "crash ls-new": list[str],
}


def odd(answers: Mapping[str, Any]) -> Mapping[str, str]:
    """{command: what its answer has in another shape}. A command that Ceph refused has none."""
    given = {name: one for name, one in answers.items() if name in SHAPES and not (isinstance(one, dict) and "error" in one)}
    return {name: wrong for name, one in given.items() if (wrong := misfit(one, SHAPES[name]))}
