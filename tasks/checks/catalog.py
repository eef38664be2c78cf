"""All checks, in the order in which the audit shows them."""

from tasks.host.base.checks import ENGINE_CHECKS, HOST_CHECKS
from tasks.network.firewall.checks import FIREWALL_CHECKS
from tasks.network.forwarding.checks import ROUTER_CHECKS
from tasks.network.links.file_checks import FILE_CHECKS
from tasks.network.links.lldp_checks import LLDP_CHECKS
from tasks.network.links.own_checks import OWN_CHECKS
from tasks.network.mtu.checks import full_packets_reach_the_next_node, single_ports_have_their_mtu
from tasks.network.ospf.checks import OSPF_CHECKS
from tasks.network.ospf.probe_checks import PROBE_CHECKS
from tasks.network.uplink.checks import BOND_CHECKS
from tasks.storage.ceph.checks import CEPH_CHECKS
from tasks.storage.nfs.checks import NFS_CHECKS
from tasks.storage.nfs.probe_checks import NFS_PROBE_CHECKS
from tasks.storage.truenas.checks import TRUENAS_CHECKS
from tasks.virtualization.storages.checks import STORAGE_PROBE_CHECKS

MTU_CHECKS = (single_ports_have_their_mtu, full_packets_reach_the_next_node)
NETWORK_CHECKS = (*(*BOND_CHECKS, *MTU_CHECKS, *OWN_CHECKS, *LLDP_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *FIREWALL_CHECKS, *FILE_CHECKS),)
STORAGE_CHECKS = (*NFS_CHECKS, *TRUENAS_CHECKS, *CEPH_CHECKS)
# Probes send packets and mount exports, so only the audit runs them. Those over uplinks also run after a change, to prove a new MTU.
CATALOG = (*HOST_CHECKS, *ENGINE_CHECKS, *NETWORK_CHECKS, *STORAGE_CHECKS, *PROBE_CHECKS, *NFS_PROBE_CHECKS, *STORAGE_PROBE_CHECKS)
