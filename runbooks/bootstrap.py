"""Bring the site from bare hosts to a working data centre."""

from tasks.checks.catalog import NETWORK_CHECKS, STORAGE_CHECKS
from tasks.checks.host import HOST_CHECKS
from tasks.core.command_line import main
from tasks.core.runbook import Runbook, Stage
from tasks.host.base_settings import base_settings
from tasks.network.fabric import fabric
from tasks.network.uplinks import gateways, larger_packets, packet_sizes, trunks, uplinks
from tasks.storage.ceph import ceph
from tasks.storage.ceph_maintenance import CEPH_MAINTENANCE
from tasks.storage.nfs import nfs

RUNBOOK = Runbook(
    purpose="Bring the site from bare hosts to a working data centre.",
    stages=(
        Stage("host", sets=(base_settings,), checks=HOST_CHECKS, inside=CEPH_MAINTENANCE),
        Stage(
            "network",
            sets=(larger_packets, uplinks, trunks, gateways, packet_sizes, fabric),
            checks=NETWORK_CHECKS,
            inside=CEPH_MAINTENANCE,
        ),
        Stage("storage", sets=(nfs, ceph), checks=STORAGE_CHECKS),
    ),
)

if __name__ == "__main__":
    raise SystemExit(main(RUNBOOK))
