"""Take a node out of service, act on it, wait until its checks pass, and put it back."""

from inventory.site import Site
from tasks.core.cli.maintain import main
from tasks.core.model.fact import Facts
from tasks.core.model.maintenance import Maintenance, Preparation
from tasks.network.forwarding.checks import ROUTER_CHECKS
from tasks.network.ospf.checks import OSPF_CHECKS
from tasks.network.ospf.drain import DRAIN
from tasks.network.uplink.checks import BOND_CHECKS
from tasks.storage.ceph.daemon_checks import MONITOR_CHECKS, NODE_CHECKS
from tasks.storage.ceph.health_checks import ceph_is_healthy
from tasks.storage.ceph.maintenance import ceph_maintenance
from tasks.storage.ceph.maintenance_checks import MAINTENANCE_CHECKS
from tasks.storage.ceph.pool_checks import POOL_CHECKS


def ready(site: Site, facts: Facts, host: str) -> tuple[Preparation, ...]:
    """The preparations: OSPF routes around the node, and Ceph does not rebalance."""
    return (Preparation(host, (DRAIN,)), *ceph_maintenance(site, facts, host))


def peers(site: Site, host: str) -> tuple[str, ...]:
    """The hosts with a cable to the node."""
    return tuple(cable.far(host).host for cable in site.cables_of(host))


MAINTENANCE = Maintenance(
    purpose="Take a node out of service, act on it, wait until its checks pass, and put it back.",
    ready=ready,
    checks=(*BOND_CHECKS, *ROUTER_CHECKS, *OSPF_CHECKS, *MONITOR_CHECKS, *NODE_CHECKS, *POOL_CHECKS),
    entry_checks=(*MAINTENANCE_CHECKS, ceph_is_healthy),
    peers=peers,
)

if __name__ == "__main__":
    raise SystemExit(main(MAINTENANCE))
