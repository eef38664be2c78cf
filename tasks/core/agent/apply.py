"""Begin a transaction: validate it, back up, arm the timer, apply. If a step fails, the agent reverts the transaction at once."""

import os
from pathlib import Path
from typing import Any

from tasks.core.agent import deferred, disk, draft, lease, pending
from tasks.core.agent.process import DETACHED, failure, run
from tasks.core.agent.refusal import Refused, mount_of, sentence
from tasks.core.agent.requests import emit, keep_lease
from tasks.core.agent.restore import revert
from tasks.core.agent.state import PATHS, File, Saved, Transaction, Unit


def begin(request: dict[str, Any]) -> dict[str, Any]:
    """Validate, back up, arm and apply a transaction; returns the outcome."""
    token = request["token"]
    with disk.locked():
        lease.take(request)
        lease.renew(request["run"], longer_s=request["deadline_s"])
        if meta := pending.opened():
            raise Refused(f"a transaction is already open: {meta['why']}")
        if (ended := pending.outcome(token))["state"] != "unknown":
            raise Refused(f"this transaction has already ended on this host ({ended['state']}): {ended['reason']}")
        for item in request["files"]:
            item["path"] = os.path.realpath(item["path"])  # writes the target of a symbolic link, and the link stays
        draft.clean_up()
        for path in request["absent"]:
            if Path(path).exists():
                raise Refused(f"{path} exists: a change that Burrow did not make is staged there; apply it or remove it first")
        for item in request["files"]:
            draft.unchanged(item)
        for item in request["files"]:
            draft.validate(item, request["deadline_s"])
        try:
            draft.back_up(request)
        except BaseException:
            draft.drop_draft()
            raise
        trouble = deferred.take_over(request["actions"])
    if trouble := trouble or arm_and_apply(request):
        return revert(token, trouble)
    keep_lease(request["run"])
    return pending.outcome(token)


def arm_and_apply(request: dict[str, Any]) -> str:
    """Arm the timer and apply, outside the session, which the change may cut. Returns why systemd did not start one of them, or nothing."""
    me, token, deadline_s = str(PATHS.command.resolve()), request["token"], request["deadline_s"]
    clock = [f"--on-active={request['revert_s']}s", "--timer-property=AccuracySec=100ms"]
    again = ["--property=Restart=on-failure", "--property=RestartSec=2"]
    code, _, err = run([*DETACHED, f"--unit=burrow-revert-{token}", *clock, *again, me, "revert", token, "timer"], deadline_s)
    if code:
        return f"the revert timer could not be armed: {err.strip()}"
    emit(event="armed")
    code, _, err = run([*DETACHED, f"--unit=burrow-apply-{token}", "--wait", me, "apply", token], deadline_s)
    return f"systemd did not start the application: {err.strip()}" if code and pending.outcome(token)["state"] == "armed" else ""


def apply(token: str) -> None:
    """Apply the armed transaction. If a step fails, revert it at once."""
    with disk.locked():
        meta = pending.opened(token)
        if not meta or pending.state_of(meta) != "armed":
            return
        try:
            pending.set_state(meta, "applying")
            trouble = apply_steps(meta)
        except (OSError, Refused) as error:
            trouble = sentence(error)
        if not trouble:
            pending.set_state(meta, "applied")
    if trouble:
        revert(token, trouble, stop_apply=False)


def apply_steps(meta: Transaction) -> str:
    """Apply files, live values, actions and units; returns a clause that says what failed, or nothing."""
    for index, item in enumerate(meta["files"]):
        replace(index, item, meta["saved"][index])
    for name, value in meta["sysctls"].items():
        PATHS.sysctl(name).write_text(value)
    commands = [(action["argv"], action["deadline_s"], "") for action in meta["actions"]]
    for verb, name in (words for unit in meta["units"] for words in unit_verbs(unit)):
        commands.append((["systemctl", "-q", "--no-reload", verb, name], 60, f"systemctl {verb} {name}"))
    return next((trouble for command in commands if (trouble := failure(*command))), "")


def unit_verbs(unit: Unit) -> list[tuple[str, str]]:
    """The systemctl verbs, each with the unit's name, that bring a unit from its old state to the wanted one."""
    enable = ("enable" if unit["enabled"] else "disable") if unit["enabled"] != unit["was_enabled"] else ""
    restart = "restart" if unit["active"] and unit["restart"] else ""
    start = ("start" if unit["active"] else "stop") if unit["active"] != unit["was_active"] else restart
    return [(verb, unit["name"]) for verb in (enable, start) if verb]


def replace(index: int, item: File, saved: Saved) -> None:
    """Replace one file with its new text: by a rename, if the new inode is prepared."""
    path, new = Path(item["path"]), saved.get("new")

    def final_check() -> None:
        draft.refuse_if_not_mounted(item)
        if mount_of(path) != saved.get("mount", mount_of(path)):
            raise Refused(f"{path} was not written: it was on {saved['mount']} and is now on {mount_of(path)}; run again")
        if disk.content(path) != disk.content(PATHS.pending / str(index)):
            raise Refused(f"{path} was changed while the transaction was prepared; run again to see the new difference")

    final_check()
    if not new:  # from here on, the file may have the new text, so a revert restores it
        (PATHS.pending / f"{index}.untouched").unlink(missing_ok=True)
        disk.sync_folder(PATHS.pending)
    if item["text"] is None:
        final_check()
        path.unlink(missing_ok=True)
        if path.parent.exists():
            disk.sync_folder(path.parent)
    elif new:
        disk.make_folders(path.parent)
        final_check()
        disk.rename(PATHS.pending / new, path)
    else:
        disk.write(path, item["text"].encode(errors="surrogateescape"), draft.access_of(saved, item), final_check)
