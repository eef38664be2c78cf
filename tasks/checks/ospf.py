"""The checks of the routed network: which of them the audit, the network stage and one router's change set ask."""

from tasks.checks.adjacencies import ADJACENCY_CHECKS, heard_neighbours_are_full
from tasks.checks.bfd import BFD_CHECKS
from tasks.checks.bridges import BRIDGE_CHECKS
from tasks.checks.frr import FRR_CHECKS, OWN_FRR_CHECKS
from tasks.checks.links import LINK_CHECKS
from tasks.checks.ospf_ports import OWN_PORT_CHECKS, PORT_CHECKS
from tasks.checks.paths import PATH_CHECKS

OSPF_CHECKS = (*FRR_CHECKS, *ADJACENCY_CHECKS, *PORT_CHECKS, *BFD_CHECKS, *PATH_CHECKS, *BRIDGE_CHECKS, *LINK_CHECKS)
# A router is judged by what it says itself: its neighbours may have their turn later.
FABRIC_CHECKS = (*OWN_FRR_CHECKS, *OWN_PORT_CHECKS, heard_neighbours_are_full)
