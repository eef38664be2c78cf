"""The command line: of the host's own console, the units and the timer."""

import json
import sys

from tasks.core.agent import deferred
from tasks.core.agent.apply import apply
from tasks.core.agent.install import remove
from tasks.core.agent.refusal import Refused, sentence
from tasks.core.agent.requests import refuse_newer_state, status
from tasks.core.agent.restore import give_up, retry, revert

USAGE = """\
burrow status [--json]   what is pending, deferred and recorded, and who changes this host
burrow revert            restore what is pending now
burrow give-up           end a revert that cannot be completed; the old texts are kept
burrow deferred          try the deferred undo now
burrow remove            take Burrow off this host"""


def main(words: list[str]) -> None:
    """Ends with a sentence where the system refuses something."""
    asked = {
        "apply": lambda: apply(words[1]),
        "boot": restore_at_boot,
        "revert": lambda: revert_for(words[1:]),
        "retry": retry,
        "give-up": give_up,
        "deferred": retry_all,
        "owed": retry_all,  # as units of older versions say it
        "status": lambda: print(json.dumps(status())) if words[1:] == ["--json"] else show_status(),
        "remove": remove,
    }
    if not words or words[0] not in asked:
        sys.exit(USAGE)
    try:
        refuse_newer_state()
        asked[words[0]]()
    except (Refused, OSError) as error:
        sys.exit(f"burrow: {sentence(error)}")


def restore_at_boot() -> None:
    """What is pending is restored; where that cannot be completed yet, it is tried again later in this boot."""
    if (kept := revert(None, "boot", live=False))["state"] == "reverting":
        print(f"burrow: {kept['reason']}; tried again later in this boot", file=sys.stderr)


def revert_for(words: list[str]) -> None:
    """`revert [TOKEN [REASON]]`. Exits with 1 where it is not complete, unless it is the timer's and goes on in a unit of its own."""
    kept = revert(words[0] if words else None, words[1] if words[1:] else "hand")
    print(json.dumps(kept))
    if kept["state"] == "reverting" and not (kept["retried"] and words[1:] == ["timer"]):
        sys.exit(f"burrow: {kept['reason']}; it is tried again until every file is back")


def retry_all() -> None:
    """Try all deferred undo. Exits with 1 where something is left."""
    deferred.retry()
    if left := deferred.left():
        sys.exit(f"burrow: {left[0]['trouble']}; it is tried until it succeeds")


def show_status() -> None:
    """The status for somebody at the console."""
    now = status()
    meta, lease = now["pending"], now["lease"]
    if meta and meta["state"] == "reverting":
        print(f"pending: {meta['why']} by {meta['holder']} since {meta['armed_at']}, reverting until every file is back")
        for trouble in meta["troubles"]:
            print(f"         {trouble}")
    elif meta:
        since = f"since {meta['armed_at']}, {meta['state']}"
        print(f"pending: {meta['why']} by {meta['holder']} {since}, restores itself in {meta['revert_in_s']} s")
    else:
        print("pending: nothing")
    for one in now["deferred"]:
        print(f"deferred undo: {one['why']} by {one['holder']}: {one['trouble']}")
    print(f"lease:   {lease['holder']} since {lease['since']}" if lease else "lease:   nobody")
    for remark in now["remarks"]:
        print(f"remark:  {remark}")
    for entry in now["records"]:
        print(f"{entry['at']}  {entry['outcome']:9}  {entry['why']}  {entry['reason']}")
