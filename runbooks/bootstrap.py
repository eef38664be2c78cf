"""Bring the site from bare hosts to a working data center."""

from tasks.checks.catalog import NETWORK_CHECKS, STORAGE_CHECKS
from tasks.core.cli.command_line import main
from tasks.core.engine.runbook import Runbook, Stage
from tasks.host.base.checks import HOST_CHECKS
from tasks.host.base.sets import base_settings
from tasks.network.fabric import fabric
from tasks.network.uplink.sets import gateways, inter_switch_lags, larger_packets, packet_sizes, uplinks
from tasks.storage.ceph.maintenance import CEPH_MAINTENANCE
from tasks.storage.ceph.sets import ceph
from tasks.storage.nfs.sets import nfs

RUNBOOK = Runbook(
    purpose="Bring the site from bare hosts to a working data center.",
    stages=(
        Stage("host", sets=(base_settings,), checks=HOST_CHECKS, maintenance=CEPH_MAINTENANCE),
        Stage(
            "network",
            sets=(larger_packets, uplinks, inter_switch_lags, gateways, packet_sizes, fabric),
            checks=NETWORK_CHECKS,
            maintenance=CEPH_MAINTENANCE,
        ),
        Stage("storage", sets=(nfs, ceph), checks=STORAGE_CHECKS),
    ),
)

if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK))
