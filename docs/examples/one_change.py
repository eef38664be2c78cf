"""One change on one host of the lab, without a runbook: python docs/examples/one_change.py vault."""

import sys

from message_of_the_day import MessageOfTheDay, message_names_the_host

from tasks.core.carry import Outcome, carry
from tasks.core.change import ChangeSet, Member
from tasks.core.facts import STATUS, union
from tasks.core.run import Run
from tasks.core.runbook import Options, open_run


def apply(run: Run, host: str) -> Outcome:
    """Read, plan, arm, apply, check, confirm, or undo; then give the lease back."""
    member = Member(host, (MessageOfTheDay(host),), safe_alone=True)
    change_set = ChangeSet(f"message {host}", (member,), checks=(message_names_the_host,))
    run.needs = {host: union([*change_set.needs(), (STATUS,)])}
    try:
        return carry(run, change_set)
    finally:
        run.release()


if __name__ == "__main__":
    outcome = apply(open_run(Options(site="lab"), watchers=(print,)), sys.argv[1])
    print(outcome.state, *outcome.reasons)
    print("".join(plan.diff() for plan in outcome.plan.changes))
