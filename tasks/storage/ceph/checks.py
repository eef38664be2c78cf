"""All checks of the Proxmox cluster and Ceph."""

from tasks.storage.ceph.auth_checks import AUTH_CHECKS
from tasks.storage.ceph.capacity_checks import CAPACITY_CHECKS
from tasks.storage.ceph.daemon_checks import DAEMON_CHECKS
from tasks.storage.ceph.health_checks import HEALTH_CHECKS
from tasks.storage.ceph.network_checks import CEPH_NETWORK_CHECKS
from tasks.storage.ceph.pool_checks import CEPH_POOL_CHECKS
from tasks.virtualization.proxmox_cluster.checks import PROXMOX_CHECKS
from tasks.virtualization.storages.checks import STORAGE_CHECKS

CEPH_CHECKS = (
    *(*PROXMOX_CHECKS, *HEALTH_CHECKS, *DAEMON_CHECKS, *CEPH_POOL_CHECKS, *CAPACITY_CHECKS, *CEPH_NETWORK_CHECKS, *AUTH_CHECKS),
    *STORAGE_CHECKS,
)
