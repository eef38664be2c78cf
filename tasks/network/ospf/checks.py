"""The checks of the routed network: those of the audit and the network stage, and those of one router's change set."""

from tasks.network.bridge.checks import BRIDGE_CHECKS
from tasks.network.links.checks import LINK_CHECKS
from tasks.network.ospf.adjacency_checks import ADJACENCY_CHECKS, heard_neighbours_are_full
from tasks.network.ospf.bfd_checks import BFD_CHECKS
from tasks.network.ospf.frr_checks import FRR_CHECKS, OWN_FRR_CHECKS
from tasks.network.ospf.path_checks import PATH_CHECKS
from tasks.network.ospf.port_checks import OWN_PORT_CHECKS, PORT_CHECKS

OSPF_CHECKS = (*FRR_CHECKS, *ADJACENCY_CHECKS, *PORT_CHECKS, *BFD_CHECKS, *PATH_CHECKS, *BRIDGE_CHECKS, *LINK_CHECKS)
# These use the router's own facts alone: its neighbours may be changed later.
FABRIC_CHECKS = (*OWN_FRR_CHECKS, *OWN_PORT_CHECKS, heard_neighbours_are_full)
