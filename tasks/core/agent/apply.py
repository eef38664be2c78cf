"""Begin a transaction: validate, back up, arm, apply. What fails is reverted at once."""

import os
from pathlib import Path
from typing import Any

from tasks.core.agent import deferred, disk, draft, lease, pending
from tasks.core.agent.process import DETACHED, failure, run
from tasks.core.agent.refusal import Refused, mount_of, sentence
from tasks.core.agent.requests import emit
from tasks.core.agent.restore import revert
from tasks.core.agent.state import PATHS, File, Saved, Transaction, Unit


def begin(ask: dict[str, Any]) -> dict[str, Any]:
    """Validate, back up, arm, apply; answers the outcome."""
    with disk.locked():
        lease.take(ask)
        lease.renew(ask["run"], longer_s=ask["deadline_s"])
        if meta := pending.opened():
            raise Refused(f"a transaction is already open: {meta['why']}")
        if (kept := pending.outcome(ask["token"]))["state"] != "unknown":
            raise Refused(f"this transaction has ended here before it could begin: {kept['reason']}")
        for item in ask["files"]:
            item["path"] = os.path.realpath(item["path"])  # a link stays a link: what it points at is written
        draft.tidy()
        for path in ask["absent"]:
            if Path(path).exists():
                raise Refused(f"{path} exists: somebody else's change is open there; apply or remove it first")
        for item in ask["files"]:
            draft.as_read(item)
        for item in ask["files"]:
            draft.validate(item, ask["deadline_s"])
        try:
            draft.back_up(ask)
        except BaseException:
            draft.drop_draft()
            raise
        trouble = deferred.take_over(ask["actions"])
    if trouble := trouble or arm_and_apply(ask):
        return revert(ask["token"], trouble)
    with disk.locked():
        lease.renew(ask["run"])
    return pending.outcome(ask["token"])


def arm_and_apply(ask: dict[str, Any]) -> str:
    """Detached from the session, which may be what the change cuts. Answers why it could not be started, or nothing."""
    me, token, deadline_s = str(PATHS.command.resolve()), ask["token"], ask["deadline_s"]
    clock = [f"--on-active={ask['revert_s']}s", "--timer-property=AccuracySec=100ms"]
    again = ["--property=Restart=on-failure", "--property=RestartSec=2"]
    code, _, err = run([*DETACHED, f"--unit=burrow-revert-{token}", *clock, *again, me, "revert", token, "timer"], deadline_s)
    if code:
        return f"the timer could not be armed: {err.strip()}"
    emit(event="armed")
    code, _, err = run([*DETACHED, f"--unit=burrow-apply-{token}", "--wait", me, "apply", token], deadline_s)
    return f"it could not be started: {err.strip()}" if code and pending.outcome(token)["state"] == "armed" else ""


def apply(token: str) -> None:
    """Apply the armed transaction; what fails is restored at once."""
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
    """The clause that says what failed, or nothing."""
    for index, item in enumerate(meta["files"]):
        bring(index, item, meta["saved"][index])
    for name, value in meta["sysctls"].items():
        PATHS.sysctl(name).write_text(value)
    for action in meta["actions"]:
        if trouble := failure(action["argv"], action["deadline_s"]):
            return trouble
    for unit in meta["units"]:
        for verb in unit_verbs(unit):
            if trouble := failure(["systemctl", "-q", "--no-reload", verb, unit["name"]], shown=f"systemctl {verb} {unit['name']}"):
                return trouble
    return ""


def unit_verbs(unit: Unit) -> list[str]:
    """What takes a unit from what it was to what is wanted."""
    verbs = []
    if unit["enabled"] != unit["was_enabled"]:
        verbs.append("enable" if unit["enabled"] else "disable")
    if unit["active"] != unit["was_active"]:
        verbs.append("start" if unit["active"] else "stop")
    elif unit["active"] and unit["restart"]:
        verbs.append("restart")
    return verbs


def bring(index: int, item: File, saved: Saved) -> None:
    """The new text of one file is in place, by a rename where it lies ready."""
    path, new, untouched = Path(item["path"]), saved.get("new"), PATHS.pending / f"{index}.untouched"

    def last_look() -> None:
        draft.refuse_if_not_mounted(item)
        if mount_of(path) != saved.get("mount", mount_of(path)):
            raise Refused(f"{path} is not written: it was on {saved['mount']}, and is on {mount_of(path)} now; run again")
        if disk.content(path) != disk.content(PATHS.pending / str(index)):
            raise Refused(f"{path} was changed while this was made ready; run again to see the new difference")

    last_look()
    if not new:  # from here on the file may be ours: a revert puts it back
        untouched.unlink(missing_ok=True)
        disk.sync_folder(PATHS.pending)
    if item["text"] is None:
        last_look()
        path.unlink(missing_ok=True)
        if path.parent.exists():
            disk.sync_folder(path.parent)
    elif new:
        disk.make_folders(path.parent)
        last_look()
        disk.rename(PATHS.pending / new, path)
    else:
        disk.write(path, item["text"].encode(errors="surrogateescape"), draft.access_of(saved, item), last_look)
