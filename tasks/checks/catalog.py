"""All checks, in the order in which the audit shows them."""

from tasks.checks.bonds import BOND_CHECKS
from tasks.checks.ceph import CEPH_CHECKS
from tasks.checks.files import FILE_CHECKS
from tasks.checks.firewall import FIREWALL_CHECKS
from tasks.checks.host import ENGINE_CHECKS, HOST_CHECKS
from tasks.checks.lldp import LLDP_CHECKS
from tasks.checks.mtus import full_packets_reach_the_next_node, single_ports_have_their_mtu
from tasks.checks.nfs import NFS_CHECKS
from tasks.checks.nfs_probes import NFS_PROBE_CHECKS
from tasks.checks.ospf import OSPF_CHECKS
from tasks.checks.probes import PROBE_CHECKS
from tasks.checks.proxmox_storages import STORAGE_PROBE_CHECKS
from tasks.checks.routing import ROUTER_CHECKS
from tasks.checks.truenas import TRUENAS_CHECKS

MTU_CHECKS = (single_ports_have_their_mtu, full_packets_reach_the_next_node)
NETWORK_CHECKS = (*BOND_CHECKS, *MTU_CHECKS, *LLDP_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *FIREWALL_CHECKS, *FILE_CHECKS)
STORAGE_CHECKS = (*NFS_CHECKS, *TRUENAS_CHECKS, *CEPH_CHECKS)
# Probes send packets and mount exports: the audit alone asks for them, but for those over uplinks, which say whether a new MTU holds.
CATALOG = (*HOST_CHECKS, *ENGINE_CHECKS, *NETWORK_CHECKS, *STORAGE_CHECKS, *PROBE_CHECKS, *NFS_PROBE_CHECKS, *STORAGE_PROBE_CHECKS)
