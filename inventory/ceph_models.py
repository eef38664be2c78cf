"""What defaults.yaml may say of the Proxmox cluster and of Ceph on it."""

from collections.abc import Mapping
from typing import Literal

from inventory.strict import Strict
from inventory.value_types import HostName, Prefix, Replicas

Flag = Literal["noup", "nodown", "noout", "noin", "nobackfill", "norebalance", "norecover", "noscrub", "nodeep-scrub", "nosnaptrim"]


class CephPool(Strict):
    """A replicated pool."""

    size: Replicas = 3
    """How many copies there are of each object, on as many hosts."""
    min_size: Replicas = 2
    """With how many copies it still takes writes; with one, the next lost disk loses what was written."""
    application: Literal["rbd", "cephfs", "rgw"] = "rbd"
    """What uses it."""
    autoscale: Literal["on", "warn", "off"] = "on"
    """Whether Ceph chooses the number of its placement groups."""


class Ceph(Strict):
    """A Proxmox cluster with Ceph on its nodes: monitors and managers on the named hosts, OSDs on every disk of that purpose."""

    cluster: HostName
    """The Proxmox cluster's name."""
    network: Prefix
    """Where the loopbacks are that Ceph speaks on, its public and its cluster network."""
    monitors: tuple[HostName, ...]
    """The hosts with a monitor and a manager, in the order in which they come: an odd number."""
    pools: Mapping[HostName, CephPool] = {}
    """The pools, by their names; each of application rbd is a storage of Proxmox too."""
    flags: tuple[Flag, ...] = ()
    """What Ceph is kept from for a piece of work that takes longer than a run (ceph(8), osd set); all else that is set is taken away."""
