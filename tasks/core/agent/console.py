"""The command line: for the operator at the host's console, the units and the timer."""

import json
import sys

from tasks.core.agent import deferred
from tasks.core.agent.apply import apply
from tasks.core.agent.install import remove
from tasks.core.agent.refusal import Refused, sentence
from tasks.core.agent.requests import refuse_newer_state, status
from tasks.core.agent.restore import give_up, retry, revert

USAGE = """\
burrow status [--json]   show the pending transaction, deferred undo, commands, the lease and the last transactions
burrow revert            revert the pending transaction now
burrow give-up           end a revert that cannot be completed, and keep the old texts
burrow deferred          retry the deferred undo now
burrow remove            remove Burrow from this host"""


def main(arguments: list[str]) -> None:
    """Run a command. Exits with a sentence if it is refused."""
    commands = {
        "apply": lambda: apply(arguments[1]),
        "boot": revert_at_boot,
        "revert": lambda: revert_now(arguments[1:]),
        "retry": retry,
        "give-up": give_up,
        "deferred": retry_deferred,
        "owed": retry_deferred,  # the word in units of older versions
        "status": lambda: print(json.dumps(status())) if arguments[1:] == ["--json"] else show_status(),
        "remove": remove,
    }
    if not arguments or arguments[0] not in commands:
        sys.exit(USAGE)
    try:
        refuse_newer_state()
        commands[arguments[0]]()
    except (Refused, OSError) as error:
        sys.exit(f"burrow: {sentence(error)}")


def revert_at_boot() -> None:
    """Revert the pending transaction. If that is not complete, a unit retries later in this boot."""
    if (outcome := revert(None, "boot", live=False))["state"] == "reverting":
        print(f"burrow: {outcome['reason']}; the host retries later in this boot", file=sys.stderr)


def revert_now(arguments: list[str]) -> None:
    """`revert [TOKEN [REASON]]`. Exits with 1 if the revert is not complete, unless the timer called it and a unit retries."""
    outcome = revert(arguments[0] if arguments else None, arguments[1] if arguments[1:] else "hand")
    print(json.dumps(outcome))
    if outcome["state"] == "reverting" and not (outcome["retried"] and arguments[1:] == ["timer"]):
        sys.exit(f"burrow: {outcome['reason']}; the host retries until every file is restored")


def retry_deferred() -> None:
    """Try all deferred undo. Exits with 1 if one is still deferred."""
    deferred.retry()
    if left := deferred.left():
        sys.exit(f"burrow: {left[0]['trouble']}; {deferred.RETRIED}")


def show_status() -> None:
    """Print the status for the operator at the console."""
    now = status()
    meta, lease = now["pending"], now["lease"]
    if meta:
        reverts = f"{meta['state']}, reverts in {meta['revert_in_s']} s unless it is confirmed"
        state = "reverting until every file is restored" if meta["state"] == "reverting" else reverts
        lines = [f"pending: {meta['why']} by {meta['holder']} since {meta['armed_at']}, {state}"]
        lines += [f"         {trouble}" for trouble in meta["troubles"]]
    else:
        lines = ["pending: nothing"]
    lines += [f"deferred undo: {one['why']} by {one['holder']}: {one['trouble']}" for one in now["deferred"]]
    lines += [f"command: `{one['command']}` of {one['holder']} since {one['at']}, {one['state']}" for one in now["commands"]]
    lines += [f"lease:   {lease['holder']} since {lease['since']}" if lease else "lease:   none"]
    lines += [f"remark:  {remark}" for remark in now["remarks"]]
    lines += [f"{entry['at']}  {entry['outcome']:9}  {entry['why']}  {entry['reason']}" for entry in now["records"]]
    print("\n".join(lines))
