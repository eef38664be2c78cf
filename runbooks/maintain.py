"""Take a node out of service, act on it, wait until all is well, and put it back."""

from tasks.checks.bonds import BOND_CHECKS
from tasks.checks.ospf import OSPF_CHECKS
from tasks.checks.routing import ROUTER_CHECKS
from tasks.core.maintenance import Maintenance, main
from tasks.network.drain import DRAIN

MAINTENANCE = Maintenance(
    purpose="Take a node out of service, act on it, wait until all is well, and put it back.",
    ready=(DRAIN,),
    checks=(*BOND_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS),
)

if __name__ == "__main__":
    raise SystemExit(main(MAINTENANCE))
