"""All checks, in the order in which the audit shows them."""

from tasks.checks.bonds import BOND_CHECKS
from tasks.checks.ceph import CEPH_CHECKS
from tasks.checks.files import FILE_CHECKS
from tasks.checks.firewall import FIREWALL_CHECKS
from tasks.checks.host import ENGINE_CHECKS, HOST_CHECKS
from tasks.checks.lldp import LLDP_CHECKS
from tasks.checks.nfs import NFS_CHECKS
from tasks.checks.nfs_probes import NFS_PROBE_CHECKS
from tasks.checks.ospf import OSPF_CHECKS
from tasks.checks.probes import PROBE_CHECKS
from tasks.checks.proxmox_storages import STORAGE_PROBE_CHECKS
from tasks.checks.routing import ROUTER_CHECKS
from tasks.checks.truenas import TRUENAS_CHECKS

NETWORK_CHECKS = (*BOND_CHECKS, *LLDP_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *FIREWALL_CHECKS, *FILE_CHECKS)
STORAGE_CHECKS = (*NFS_CHECKS, *TRUENAS_CHECKS, *CEPH_CHECKS)
# Probes send packets and mount exports: the audit alone asks for them.
CATALOG = (*HOST_CHECKS, *ENGINE_CHECKS, *NETWORK_CHECKS, *STORAGE_CHECKS, *PROBE_CHECKS, *NFS_PROBE_CHECKS, *STORAGE_PROBE_CHECKS)
