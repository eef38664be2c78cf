"""What a controller can ask of a host that changes something. Each of these may be asked again, but for `begin` and `perform`."""

import os
from typing import Any

from tasks.core.agent import disk, lease, pending
from tasks.core.agent.apply import begin
from tasks.core.agent.draft import tidy
from tasks.core.agent.install import install
from tasks.core.agent.process import DETACHED, failure, now, run
from tasks.core.agent.record import close, remember
from tasks.core.agent.refusal import Refused
from tasks.core.agent.requests import status
from tasks.core.agent.restore import revert
from tasks.core.agent.state import PATHS


def prepare(ask: dict[str, Any]) -> dict[str, Any]:
    """The lease, the agent with its units, and packages: all that comes before a transaction and is not taken back."""
    meta = pending.opened()
    if meta and (pending.overdue(meta) or pending.unfinished(meta)):
        revert(meta["token"], "overdue")
    with disk.locked():
        lease.take(ask)
        tidy()
        install()
        lease.renew(ask["run"], longer_s=ask["deadline_s"] if ask["packages"] else 0)
    if ask["packages"]:
        environment = "DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l"
        names = " ".join(ask["packages"])
        script = f"{environment} apt-get -o DPkg::Lock::Timeout=60 install -y -q --no-install-recommends {names}"
        if trouble := failure(["/bin/sh", "-c", script, f"apt-get install {names}"], ask["deadline_s"]):
            raise Refused(trouble)
    with disk.locked():
        lease.renew(ask["run"])
    return status()


def renew(ask: dict[str, Any]) -> dict[str, Any]:
    """The timer of an applied transaction begins anew; answers what the host holds of it."""
    with disk.locked():
        if meta := pending.opened(ask["token"]):
            if why := pending.unfinished(meta):
                raise Refused(f"the transaction is being reverted, so its timer is not renewed: {why}")
            if pending.state_of(meta) == "applied":
                lease.renew(ask["run"])
                meta["until"] = now() + meta["revert_s"]
                disk.save(PATHS.meta, meta)
                if trouble := failure(["systemctl", "-q", "restart", f"burrow-revert-{meta['token']}.timer"]):
                    raise Refused(f"the timer could not be renewed: {trouble}")
    return pending.outcome(ask["token"])


def confirm(ask: dict[str, Any]) -> dict[str, Any]:
    """Keep the transaction; asking again answers the same."""
    with disk.locked():
        if meta := pending.opened(ask["token"]):
            if why := pending.unfinished(meta):
                raise Refused(f"the transaction is being reverted, so it cannot be confirmed: {why}")
            if pending.state_of(meta) != "applied":
                raise Refused("the transaction is not applied, so there is nothing to confirm")
            close(meta, "confirmed", "")
            lease.renew(meta["run"])
    return pending.outcome(ask["token"])


def roll_back(ask: dict[str, Any]) -> dict[str, Any]:
    """Revert, as the controller asks. One that has not begun here yet, because its request is still on its way, never will."""
    kept = revert(ask["token"], ask.get("reason") or "rolled back")
    if kept["state"] == "unknown" and "why" in ask:
        with disk.locked():
            remember(ask, "reverted", "it had not begun")
        kept = pending.outcome(ask["token"])
    return kept


def perform(ask: dict[str, Any]) -> dict[str, Any]:
    """Run a command that is not taken back by a timer, apart from the session: it ends also where nobody waits any more."""
    with disk.locked():
        lease.take(ask)
        lease.renew(ask["run"], longer_s=ask["deadline_s"])
        if meta := pending.opened():
            raise Refused(f"a transaction is open: {meta['why']}")
    name = f"burrow-command-{os.urandom(6).hex()}"
    said = {where: PATHS.home / f"{name}.{where}" for where in ("Output", "Error")}
    kept = [f"--property=Standard{where}=file:{path}" for where, path in said.items()]
    limit = f"--property=RuntimeMaxSec={ask['deadline_s']:.0f}"
    unit = [*DETACHED, "--wait", f"--unit={name}", "--setenv=LC_ALL=C", limit, *kept, *ask["argv"]]
    code, _, trouble = run(unit, ask["deadline_s"] + 5)
    out, err = (path.read_text(errors="replace") if path.exists() else "" for path in said.values())
    for path in said.values():
        path.unlink(missing_ok=True)
    with disk.locked():
        lease.renew(ask["run"])
    return {"rc": code, "out": out, "err": err or trouble}


def reboot(ask: dict[str, Any]) -> dict[str, Any]:
    """Boot in a second: the answer goes out before."""
    with disk.locked():
        lease.take(ask)
    timer = [*DETACHED, "--on-active=1s", "--timer-property=AccuracySec=100ms", "systemctl", "reboot"]
    if trouble := failure(timer, shown="systemctl reboot"):
        raise Refused(f"systemd takes no reboot: {trouble}")
    return {}


def release(ask: dict[str, Any]) -> dict[str, Any]:
    """Give the lease back."""
    with disk.locked():
        lease.give_back(ask["run"])
    return {}


OPERATIONS = {"revert": roll_back, **{one.__name__: one for one in (prepare, begin, renew, confirm, perform, reboot, release)}}
