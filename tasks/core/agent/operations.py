"""The operations of a controller that change a host. Each of them except `begin` can be repeated."""

import shutil
import time
from typing import Any

from tasks.core.agent import commands, disk, lease, pending, record
from tasks.core.agent.apply import begin
from tasks.core.agent.draft import clean_up
from tasks.core.agent.install import install
from tasks.core.agent.process import DETACHED, failure, now
from tasks.core.agent.refusal import Refused
from tasks.core.agent.requests import keep_lease, status
from tasks.core.agent.restore import revert
from tasks.core.agent.state import PATHS, identity

POLL_S = 0.2
# Keeps what a command prints and its exit code, which is there only once all of it is.
KEEP = 'cd "$1" && shift && "$@" >Output 2>Error; echo $? >code.new && mv code.new code'


def prepare(request: dict[str, Any]) -> dict[str, Any]:
    """Take the lease, install the agent with its units, and install packages. These come before a transaction and are not undone."""
    meta = pending.opened()
    if meta and (pending.overdue(meta) or pending.unfinished(meta)):
        revert(meta["token"], "overdue")
    with disk.locked():
        lease.take(request)
        clean_up()
        install()
        lease.renew(request["run"], longer_s=request["deadline_s"] if request["packages"] else 0)
    if request["packages"]:
        environment = "DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=l"
        names = " ".join(request["packages"])
        script = f"{environment} apt-get -o DPkg::Lock::Timeout=60 install -y -q --no-install-recommends {names}"
        if trouble := failure(["/bin/sh", "-c", script, f"apt-get install {names}"], request["deadline_s"]):
            raise Refused(trouble)
    keep_lease(request["run"])
    return status()


def renew(request: dict[str, Any]) -> dict[str, Any]:
    """Restart the timer of an applied transaction; returns the outcome."""
    with disk.locked():
        if meta := pending.opened(request["token"]):
            if why := pending.unfinished(meta):
                raise Refused(f"the transaction is being reverted, so its timer was not renewed: {why}")
            if pending.state_of(meta) == "applied":
                lease.renew(request["run"])
                meta["until"] = now() + meta["revert_s"]
                disk.save(PATHS.meta, meta)
                if trouble := failure(["systemctl", "-q", "restart", f"burrow-revert-{meta['token']}.timer"]):
                    raise Refused(f"the timer could not be renewed: {trouble}")
    return pending.outcome(request["token"])


def confirm(request: dict[str, Any]) -> dict[str, Any]:
    """Keep the transaction; returns the outcome. A repeated request gets the same answer."""
    with disk.locked():
        if meta := pending.opened(request["token"]):
            if why := pending.unfinished(meta):
                raise Refused(f"the transaction is being reverted, so it cannot be confirmed: {why}")
            if pending.state_of(meta) != "applied":
                raise Refused("the transaction is not applied, so there is nothing to confirm")
            record.close(meta, "confirmed", "")
            lease.renew(meta["run"])
    return pending.outcome(request["token"])


def roll_back(request: dict[str, Any]) -> dict[str, Any]:
    """Revert for the controller. A transaction whose request is still on its way will then never begin."""
    outcome = revert(request["token"], request.get("reason") or "rolled back")
    if outcome["state"] == "unknown" and "why" in request:
        with disk.locked():
            record.add(request, "reverted", "it was reverted before it began")
        outcome = pending.outcome(request["token"])
    return outcome


def start(request: dict[str, Any]) -> dict[str, Any]:
    """Start a command that no timer undoes; returns its state. A command that was started under this handle is not started again."""
    folder = PATHS.commands / request["handle"]
    with disk.locked():
        lease.take(request)
        if meta := pending.opened():
            raise Refused(f"a transaction is open: {meta['why']}")
        if (now := commands.state(request["handle"]))["state"] != "absent":
            return now
        for other in commands.kept():
            if other["run"] != request["run"]:
                shutil.rmtree(PATHS.commands / other["handle"], ignore_errors=True)
        disk.make_folders(folder)
        started = {**identity(request), "id": request["id"], "command": request["command"], "at": time.strftime("%F %T")}
        disk.save(folder / "started.json", started)
        properties = [f"--property=RuntimeMaxSec={request['deadline_s']:.0f}", "--setenv=LC_ALL=C"]
        named = [f"--unit={commands.unit(request['handle'])}", f"--description=Burrow: {request['command']}"]
        argv = [*DETACHED, *named, *properties, "/bin/sh", "-c", KEEP, "keep", str(folder)]
        if trouble := failure([*argv, *request["argv"]], shown="systemd-run"):
            shutil.rmtree(folder)
            raise Refused(f"systemd did not start `{request['command']}`: {trouble}")
    return commands.state(request["handle"])


def poll(request: dict[str, Any]) -> dict[str, Any]:
    """The state of a command, once it has ended or `wait_s` have passed."""
    until = keep_lease(request["run"]) + request["wait_s"]
    while (state := commands.state(request["handle"]))["state"] == "running" and now() < until:
        time.sleep(POLL_S)
    return state


def finish(request: dict[str, Any]) -> dict[str, Any]:
    """Record how a procedure ended, and forget its commands. A repeated request is harmless."""
    with disk.locked():
        record.add(request, request["outcome"], request["reason"])
        for folder in PATHS.commands.glob(f"{request['token']}-*"):
            shutil.rmtree(folder, ignore_errors=True)
    keep_lease(request["run"])
    return {}


def reboot(request: dict[str, Any]) -> dict[str, Any]:
    """Reboot in a second, after the answer was sent."""
    with disk.locked():
        lease.take(request)
    timer = [*DETACHED, "--on-active=1s", "--timer-property=AccuracySec=100ms", "systemctl", "reboot"]
    if trouble := failure(timer, shown="systemctl reboot"):
        raise Refused(f"systemd did not schedule the reboot: {trouble}")
    return {}


def release(request: dict[str, Any]) -> dict[str, Any]:
    """Release the lease."""
    with disk.locked():
        lease.release(request["run"])
    return {}


OPERATIONS = {"revert": roll_back, **{one.__name__: one for one in (prepare, begin, renew, confirm, start, poll, finish, reboot, release)}}
