"""All checks, in the order in which the audit shows them."""

from tasks.checks.bonds import BOND_CHECKS
from tasks.checks.files import FILE_CHECKS
from tasks.checks.firewall import FIREWALL_CHECKS
from tasks.checks.host import ENGINE_CHECKS, HOST_CHECKS
from tasks.checks.lldp import LLDP_CHECKS
from tasks.checks.ospf import OSPF_CHECKS
from tasks.checks.probes import PROBE_CHECKS
from tasks.checks.routing import ROUTER_CHECKS

NETWORK_CHECKS = (*BOND_CHECKS, *LLDP_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *FIREWALL_CHECKS, *FILE_CHECKS)
# Probes send packets: the audit alone asks for them.
CATALOG = (*HOST_CHECKS, *ENGINE_CHECKS, *NETWORK_CHECKS, *PROBE_CHECKS)
