"""The record that each run leaves on disk at its end: who, when, why, diffs, outcome. Also what --json writes."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tasks.core.agent.secrets import redact
from tasks.core.engine.earlier import earlier
from tasks.core.engine.journal import Journal, forget_old
from tasks.core.engine.output_file import PRIVATE, write_whole
from tasks.core.model.errors import Refused
from tasks.core.model.shown import shown_data

if TYPE_CHECKING:
    from tasks.core.engine.runbook import RunResult, StageResult
    from tasks.core.model.check import Verdict
    from tasks.core.model.outcome import Outcome
    from tasks.core.model.plan import SetPlan, TargetPlan

SCHEMA = 1
# A folder that only its owner may enter.
OWN = 0o700


def folder(site: str) -> Path:
    """The folder of a site's records (XDG base directories: state)."""
    state = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(state) / "burrow" / Path(site).name


def record_path(result: "RunResult") -> Path:
    """The path of this run's record."""
    return folder(result.options.site) / f"{result.run.began}-{result.run.id}.json"


def open_journal(result: "RunResult", purpose: str) -> Journal:
    """Create the journal of a run that is about to begin, after deleting the oldest ones.

    The folder and older records are made private to their owner. Raises Refused where the journal cannot be written.
    """
    path, run = record_path(result).with_suffix(".jsonl"), result.run
    head = {"run": run.id, "holder": run.holder, "purpose": purpose, "site": result.options.site, "options": vars(result.options)}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for own in (path.parent.parent, path.parent):
            _keep_private(own, OWN)
        for other in path.parent.glob("*.json*"):
            _keep_private(other, PRIVATE)
        forget_old(path.parent)
        return Journal(path, head)
    except OSError as error:
        raise Refused(
            f"the journal of this run cannot be kept in {path.parent}: {error.strerror}; nothing was touched."
            " Free space or correct its permissions, or name another folder by XDG_STATE_HOME"
        ) from error


def _keep_private(path: Path, mode: int) -> None:
    """Remove the access of others from what this user owns; leave what another user owns."""
    found = path.stat()
    if found.st_uid == os.geteuid() and found.st_mode & 0o077:
        path.chmod(mode)


def text_of(result: "RunResult", purpose: str) -> str:
    """The record's text."""
    return _text(as_data(result, purpose))


def _text(data: dict[str, Any]) -> str:
    return json.dumps(shown_data(data), indent=1, default=str) + "\n"


def write_record(result: "RunResult", purpose: str) -> Path:
    """Write the record of this run; returns its path. Raises OSError."""
    path = record_path(result)
    path.parent.mkdir(mode=OWN, parents=True, exist_ok=True)
    write_whole(path, text_of(result, purpose), PRIVATE)
    return path


def as_data(result: "RunResult", purpose: str) -> dict[str, Any]:
    """The run as plain data."""
    run = result.run
    return {
        "schema": SCHEMA,
        "run": run.id,
        "holder": run.holder,
        "purpose": purpose,
        "site": result.options.site,
        "options": vars(result.options),
        "began_at": run.began,
        "ended_at": result.ended_at or time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "exit_code": result.exit_code,
        "trouble": result.trouble,
        "switched_off": run.switched_off,
        "unreachable": run.unreachable,
        "earlier": earlier(result),
        "stages": [_stage(stage) for stage in result.stages],
        "events": [vars(event) for event in run.events],
    }


def _stage(stage: "StageResult") -> dict[str, Any]:
    return {
        "stage": stage.stage.name,
        "sets": rows_of(stage),
        "findings": [finding(verdict) for verdict in stage.verdicts],
    }


def rows_of(stage: "StageResult") -> list[dict[str, Any]]:
    """A row for each set of a stage: its state, the reasons, and what was planned on each target."""
    return [_set(plan, stage.outcomes) for plan in stage.plans]


def planned(plan: "SetPlan") -> dict[str, Any]:
    """A plan as plain data, without secrets."""
    return {"set": plan.change_set.name, "refused": plan.refused, "hosts": [_target(one) for one in plan.changes]}


def _set(plan: "SetPlan", outcomes: "tuple[Outcome, ...]") -> dict[str, Any]:
    outcome = next((one for one in outcomes if one.plan.change_set.name == plan.change_set.name), None)
    state = outcome.state if outcome else "refused" if plan.refused else "planned" if plan.changes else "unchanged"
    return {
        "set": plan.change_set.name,
        "state": state,
        "reasons": outcome.reasons if outcome else [plan.refused] if plan.refused else [],
        "confirmed": outcome.confirmed if outcome else [],
        "by_hand": list(plan.change_set.by_hand),
        "hosts": [_target(host) for host in (outcome.plan if outcome else plan).changes],
    }


def _target(plan: "TargetPlan") -> dict[str, Any]:
    fields = [{"field": one.field, "have": redact(str(one.have)), "want": redact(str(one.want))} for one in plan.differences]
    operations = [{"id": one.id, "shown": one.shown, "undo": one.undo is not None, "at_risk": one.at_risk} for one in plan.operations]
    common = {"target": plan.target, "host": plan.host, "diff": plan.diff(), "impact": list(plan.impact), "digest": plan.digest}
    return {**common, "operations": operations, "differences": fields}


def finding(verdict: "Verdict") -> dict[str, Any]:
    """A row of the audit as plain data."""
    one = verdict.finding
    return {
        "check": verdict.check.name,
        "statement": verdict.check.statement,
        "severity": str(verdict.check.severity),
        "tags": list(verdict.check.tags),
        "host": verdict.host,
        "target": one.target,
        "want": one.want,
        "got": one.got,
        "ok": one.ok,
        "remediation": "" if one.ok else verdict.check.remediation,
    }
