"""The lease: which run may change this host. It belongs to a run, and expires if it is not renewed or the host reboots."""

import sys
import time
from typing import Any

from tasks.core.agent import commands, disk, pending
from tasks.core.agent.process import boot_id, now
from tasks.core.agent.refusal import Refused, sentence
from tasks.core.agent.state import PATHS, Lease


def current(run_id: str | None = None) -> Lease | None:
    """The lease that is in force; None if there is none, or if `run_id` is given and another run has the lease."""
    lease: Lease | None = disk.load(PATHS.lease, "run", "holder", "since", "boot", "until", "ttl_s", lossy=True)
    return lease if lease and lease["boot"] == boot_id() and lease["until"] > now() and run_id in (None, lease["run"]) else None


def take(request: dict[str, Any]) -> None:
    """Take or renew the lease. Raises Refused if another run has the lease, an open transaction or a command that still runs."""
    lease, meta = current(), pending.opened()
    if meta and (why := pending.unfinished(meta)):
        raise Refused(f"a transaction of {meta['holder']} is being reverted: {why}")
    if lease and lease["run"] != request["run"]:
        expires = f"(if that run is dead, its lease expires in {lease['until'] - now():.0f} s)"
        raise Refused(f"{lease['holder']} has been changing this host since {lease['since']}; wait until that run ends {expires}")
    if meta and meta["run"] != request["run"]:
        reverts = f"it reverts in {max(0, meta['until'] - now()):.0f} s unless it is confirmed"
        raise Refused(f"a transaction of {meta['holder']} is open: {reverts}; to revert it now, run `burrow revert` on the host")
    for one in commands.kept():
        if one["state"] == "running" and one["run"] != request["run"]:
            raise Refused(f"`{one['command']}` of {one['holder']} has been running since {one['at']}; wait until it has ended")
    taken = {key: request[key] for key in ("run", "holder", "ttl_s")}
    since = lease["since"] if lease else time.strftime("%F %T")
    disk.save(PATHS.lease, {**taken, "since": since, "boot": boot_id(), "until": now() + request["ttl_s"]})


def renew(run_id: str, longer_s: float = 0) -> None:
    """Renew the lease if this run has it. A lease that cannot be written expires at its time."""
    if lease := current(run_id):
        try:
            disk.save(PATHS.lease, {**lease, "until": now() + lease["ttl_s"] + longer_s})
        except OSError as error:
            print(f"burrow: the lease was not renewed and will expire: {sentence(error)}", file=sys.stderr)


def release(run_id: str) -> None:
    """Release the lease if this run has it."""
    if current(run_id):
        PATHS.lease.unlink()
        disk.sync_folder(PATHS.home)
