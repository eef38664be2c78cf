"""The OSD map: flags of the whole cluster, kinds of pools."""

from collections.abc import Mapping
from typing import Any

# The flags that operators set for a task and then remove (ceph(8), osd set), each with what it stops; other flags are settings.
TEMPORARY = {
    "noup": "starting OSDs are marked up",
    "nodown": "OSDs that do not answer are marked down",
    "noout": "OSDs that stay down are marked out and their data is copied to other OSDs",
    "noin": "starting OSDs are marked in and receive data",
    "nobackfill": "backfill",
    "norebalance": "rebalancing",
    "norecover": "recovery of missing copies",
    "noscrub": "scrubbing",
    "nodeep-scrub": "deep scrubbing",
    "nosnaptrim": "the space of deleted snapshots is freed",
    "pauserd": "client reads and writes",
    "pausewr": "client reads and writes",
}

# One command sets both, and one unsets both.
PAUSE = ("pauserd", "pausewr")

# Ceph's numbers for a replicated pool, and for no pool.
REPLICATED, NONE = 1, -1


def other_kind(pool: Mapping[str, Any]) -> str:
    """Why a pool of `osd dump` is not a plain replicated pool; empty where it is one (osd_types.h, pg_pool_t)."""
    if pool.get("type", REPLICATED) != REPLICATED:
        profile = pool.get("erasure_code_profile", "")
        return f"erasure-coded (profile {profile})" if profile else f"of type {pool['type']}"
    if pool.get("tier_of", NONE) != NONE:
        return f"a cache tier of pool {pool['tier_of']}"
    if pool.get("tiers"):
        return "behind a cache tier"
    return "stretched over sites" if pool.get("is_stretch_pool") else ""


def data_devices(metadata: Mapping[str, Any]) -> frozenset[str]:
    """The kernel names of the disks with an OSD's data, without those of its DB and WAL (Ceph: BlueStore::collect_metadata)."""
    names = metadata.get("bluestore_bdev_devices") or metadata.get("devices") or ""
    return frozenset(name for name in names.split(",") if name)
