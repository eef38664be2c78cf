"""Take a node out of service, act on it, wait until all is well, and put it back."""

from inventory.schema import Site
from tasks.checks.bonds import BOND_CHECKS
from tasks.checks.ceph_daemons import MONITOR_CHECKS, NODE_CHECKS
from tasks.checks.ceph_health import ceph_is_healthy
from tasks.checks.ceph_maintenance import MAINTENANCE_CHECKS
from tasks.checks.ceph_pools import POOL_CHECKS
from tasks.checks.ospf import OSPF_CHECKS
from tasks.checks.routing import ROUTER_CHECKS
from tasks.core.facts import Facts
from tasks.core.maintenance import main
from tasks.core.service import Maintenance, Preparation
from tasks.network.drain import DRAIN
from tasks.storage.ceph_maintenance import ceph_maintenance, monitors


def ready(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """Its neighbours lead their traffic round it, and Ceph waits for it."""
    return (Preparation(host, (DRAIN,)), *ceph_maintenance(site, facts, host))


def beside(site: Site, host: str) -> tuple[str, ...]:
    """What is cabled to it, and the hosts by whose word Ceph is judged."""
    return (*(cable.far(host).host for cable in site.cables_of(host)), *monitors(site))


MAINTENANCE = Maintenance(
    purpose="Take a node out of service, act on it, wait until all is well, and put it back.",
    ready=ready,
    checks=(*BOND_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *MONITOR_CHECKS, *NODE_CHECKS, *POOL_CHECKS),
    outside=(*MAINTENANCE_CHECKS, ceph_is_healthy),
    beside=beside,
)

if __name__ == "__main__":
    raise SystemExit(main(MAINTENANCE))
