"""All checks of the Proxmox cluster and of Ceph on it."""

from tasks.checks.ceph_auth import AUTH_CHECKS
from tasks.checks.ceph_capacity import CAPACITY_CHECKS
from tasks.checks.ceph_daemons import DAEMON_CHECKS
from tasks.checks.ceph_health import HEALTH_CHECKS
from tasks.checks.ceph_network import CEPH_NETWORK_CHECKS
from tasks.checks.ceph_pools import CEPH_POOL_CHECKS
from tasks.checks.proxmox_cluster import PROXMOX_CHECKS
from tasks.checks.proxmox_storages import STORAGE_CHECKS

CEPH_CHECKS = (
    *(*PROXMOX_CHECKS, *HEALTH_CHECKS, *DAEMON_CHECKS, *CEPH_POOL_CHECKS, *CAPACITY_CHECKS, *CEPH_NETWORK_CHECKS, *AUTH_CHECKS),
    *STORAGE_CHECKS,
)
