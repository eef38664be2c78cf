"""The lease: which run may change this host. It belongs to the run, and lapses when nobody renews it or the host reboots."""

import sys
import time
from typing import Any

from tasks.core.agent import disk, pending
from tasks.core.agent.process import boot_id, now
from tasks.core.agent.refusal import Refused, sentence
from tasks.core.agent.state import PATHS, Lease


def current(run_id: str | None = None) -> Lease | None:
    """The lease that is in force; with a run, only where that holds it."""
    lease: Lease | None = disk.lenient(PATHS.lease, "run", "holder", "since", "boot", "until", "ttl_s")
    return lease if lease and lease["boot"] == boot_id() and lease["until"] > now() and run_id in (None, lease["run"]) else None


def take(ask: dict[str, Any]) -> None:
    """Take or renew the lease. Refuses while another run holds it or has a transaction open."""
    lease, meta = current(), pending.opened()
    if meta and (why := pending.unfinished(meta)):
        raise Refused(f"a transaction of {meta['holder']} is being reverted: {why}")
    if lease and lease["run"] != ask["run"]:
        lapses = f"(without it, its lease lapses in {lease['until'] - now():.0f} s)"
        raise Refused(f"{lease['holder']} changes this host since {lease['since']}; wait until that run ends {lapses}")
    if meta and meta["run"] != ask["run"]:
        left = f"it restores itself in {max(0, meta['until'] - now()):.0f} s, or run `burrow revert` on the host"
        raise Refused(f"a transaction of {meta['holder']} is open: {left}")
    taken = {key: ask[key] for key in ("run", "holder", "ttl_s")}
    since = lease["since"] if lease else time.strftime("%F %T")
    disk.save(PATHS.lease, {**taken, "since": since, "boot": boot_id(), "until": now() + ask["ttl_s"]})


def renew(run_id: str, longer_s: float = 0) -> None:
    """Renew the lease where this run holds it; one that cannot be written lapses at its time."""
    if lease := current(run_id):
        try:
            disk.save(PATHS.lease, {**lease, "until": now() + lease["ttl_s"] + longer_s})
        except OSError as error:
            print(f"burrow: the lease is not renewed: {sentence(error)}", file=sys.stderr)


def give_back(run_id: str) -> None:
    """This run holds the lease no more."""
    if current(run_id):
        PATHS.lease.unlink()
        disk.sync_folder(PATHS.home)
