"""What the map of the OSDs says: flags of the whole cluster, kinds of pools."""

from collections.abc import Mapping
from typing import Any

# Those that are meant for the time of a piece of work (ceph(8), osd set), each with what it keeps from happening; others are settings.
TEMPORARY = {
    "noup": "OSDs that start join",
    "nodown": "OSDs that do not answer are taken for down",
    "noout": "data of OSDs that are down for long is copied elsewhere",
    "noin": "OSDs that start take data",
    "nobackfill": "data is moved to where it belongs",
    "norebalance": "data is moved where the balance asks for it",
    "norecover": "missing copies are made",
    "noscrub": "copies are compared",
    "nodeep-scrub": "copies are compared byte by byte",
    "nosnaptrim": "what snapshots held is freed",
    "pauserd": "clients read and write",
    "pausewr": "clients read and write",
}

# One command sets both, and takes both away.
PAUSE = ("pauserd", "pausewr")

# As Ceph writes them: a pool of whole copies, and no pool.
REPLICATED, NONE = 1, -1


def other_kind(pool: Mapping[str, Any]) -> str:
    """Why a pool of `osd dump` is no plain pool of copies; empty where it is one (osd_types.h, pg_pool_t)."""
    if pool.get("type", REPLICATED) != REPLICATED:
        profile = pool.get("erasure_code_profile", "")
        return f"erasure-coded (profile {profile})" if profile else f"of type {pool['type']}"
    if pool.get("tier_of", NONE) != NONE:
        return f"a cache tier of pool {pool['tier_of']}"
    if pool.get("tiers"):
        return "behind a cache tier"
    return "stretched over sites" if pool.get("is_stretch_pool") else ""
