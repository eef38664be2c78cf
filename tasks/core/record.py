"""The record that each run leaves on disk: who, when, why, diffs, outcome. Also what --json writes."""

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inventory.printable import LINES, printable
from tasks.core.redact import redact

if TYPE_CHECKING:
    from tasks.core.carry import Outcome
    from tasks.core.check import Verdict
    from tasks.core.plan import HostPlan, SetPlan
    from tasks.core.runbook import RunResult, StageResult

SCHEMA = 1


def folder(site: str) -> Path:
    """Where a site's records lie (XDG base directories: state)."""
    state = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
    return Path(state) / "burrow" / Path(site).name


def write_record(result: "RunResult", purpose: str) -> Path:
    """The path of the record of this run, written."""
    path = folder(result.options.site) / f"{time.strftime('%Y%m%dT%H%M%S')}-{result.run.id}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_shown(as_data(result, purpose)), indent=1) + "\n")
    return path


def _shown(value: Any) -> Any:
    """The same with every text as it is shown: whoever reads a record prints it."""
    if isinstance(value, dict):
        return {_shown(key): _shown(below) for key, below in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(below) for below in value]
    return printable(value, keep=LINES) if isinstance(value, str) else value


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
        "ended_at": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "exit_code": result.exit_code,
        "unreachable": run.unreachable,
        "earlier": earlier(result),
        "stages": [_stage(stage) for stage in result.stages],
        "events": [vars(event) for event in run.events],
    }


def earlier(result: "RunResult") -> list[str]:
    """What became of transactions that other runs left open: a sentence for each host whose last one was reverted."""
    from tasks.core.facts import STATUS  # noqa: PLC0415 (start-up)

    said = []
    for host, facts in result.run.first_facts.items():
        records = facts[STATUS]["records"]
        if records and records[-1]["outcome"] == "reverted":
            last = records[-1]
            said.append(f"{host}: {last['why']!r} of {last['holder']} was reverted at {last['at']}: {last['reason']}")
    return said


def _stage(stage: "StageResult") -> dict[str, Any]:
    return {
        "stage": stage.stage.name,
        "sets": [_set(plan, stage.outcomes) for plan in stage.plans],
        "findings": [finding(verdict) for verdict in stage.verdicts],
    }


def _set(plan: "SetPlan", outcomes: "tuple[Outcome, ...]") -> dict[str, Any]:
    outcome = next((one for one in outcomes if one.plan.change_set.name == plan.change_set.name), None)
    state = outcome.state if outcome else "refused" if plan.refused else "planned" if plan.changes else "unchanged"
    return {
        "set": plan.change_set.name,
        "state": state,
        "reasons": outcome.reasons if outcome else [plan.refused] if plan.refused else [],
        "confirmed": outcome.confirmed if outcome else [],
        "by_hand": list(plan.change_set.by_hand),
        "hosts": [_host(host) for host in (outcome.plan if outcome else plan).changes],
    }


def _host(plan: "HostPlan") -> dict[str, Any]:
    fields = [{"field": one.field, "have": redact(str(one.have)), "want": redact(str(one.want))} for one in plan.differences]
    return {"host": plan.host, "diff": plan.diff(), "impact": list(plan.impact), "differences": fields}


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
