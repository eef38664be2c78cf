"""The keys of defaults.yaml for the Proxmox cluster and for Ceph on it."""

from collections.abc import Mapping
from typing import Literal

from inventory.strict import Strict
from inventory.value_types import ClusterName, HostName, Prefix, Replicas, StorageName

Flag = Literal["noup", "nodown", "noout", "noin", "nobackfill", "norebalance", "norecover", "noscrub", "nodeep-scrub", "nosnaptrim"]


class CephPool(Strict):
    """A replicated pool."""

    size: Replicas = 3
    """The number of copies of each object; each copy is on a different host."""
    min_size: Replicas = 2
    """The pool accepts writes while an object has this many copies. With one, the loss of the next disk loses data."""
    application: Literal["rbd", "cephfs", "rgw"] = "rbd"
    """The application that uses the pool."""
    autoscale: Literal["on", "warn", "off"] = "on"
    """Whether Ceph chooses the pool's number of placement groups."""


class Ceph(Strict):
    """A Proxmox cluster with Ceph on its nodes: monitors and managers on the listed hosts, an OSD on every disk with purpose `osd`."""

    cluster: ClusterName
    """The Proxmox cluster's name."""
    network: Prefix
    """Ceph's public and cluster network. The loopbacks of its hosts are in it."""
    monitors: tuple[HostName, ...]
    """The hosts with a monitor and a manager, in the order in which these are created. Their number is odd."""
    repository: Literal["enterprise", "no-subscription", "test", "manual"] = "no-subscription"
    """Proxmox's repository that nodes without Ceph install it from (pveceph(1), install); `enterprise` needs a subscription."""
    pools: Mapping[StorageName, CephPool] = {}
    """The pools by name. A pool with application `rbd` is also a Proxmox storage."""
    flags: tuple[Flag, ...] = ()
    """The cluster flags to keep set for work that takes longer than a run (ceph(8), osd set). Burrow clears all other flags."""
