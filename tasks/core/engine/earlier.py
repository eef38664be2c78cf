"""What earlier runs left: transactions that were not confirmed, by the hosts' records, and procedures of killed runs, by their journals."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from tasks.core.agent.record import REASONS
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import STATUS
from tasks.core.model.maintenance import ENDED

if TYPE_CHECKING:
    from tasks.core.engine.runbook import RunResult


def earlier(result: "RunResult") -> list[str]:
    """A sentence for each host whose last transaction was not confirmed, each killed procedure, and each command that nobody finished."""
    statuses = dict(_statuses(result))
    commands = {one["handle"]: (host, one) for host, status in statuses.items() for one in status.get("commands") or ()}
    known = {one.handle for one in result.run.unfinished}
    ended = {one.handle: f", which {_ended(commands[one.handle][1])}" for one in result.run.unfinished if one.handle in commands}
    return [
        *(sentence for host, status in statuses.items() for sentence in _not_confirmed(host, status)),
        *(f"{one}{ended.get(one.handle, '')}" for one in result.run.unfinished),
        *(
            f"{host}: `{one['command']}` ({one['id']}) of {one['holder']}, started at {one['at']}, {_ended(one)}"
            for handle, (host, one) in commands.items()
            if handle not in known and one["run"] != result.run.id
        ),
    ]


def _statuses(result: "RunResult") -> Iterator[tuple[str, dict[str, Any]]]:
    """(host, the status of its agent) as first read, also of a cluster's endpoints. What needs one that cannot be read reports that."""
    hosts = {host: one for facts in result.run.first_facts.values() for host, one in (facts.each or {facts.host: facts}).items()}
    for host, facts in hosts.items():
        try:
            yield host, facts[STATUS]
        except BurrowError:
            continue


def _ended(command: dict[str, Any]) -> str:
    states = {"running": "is still running", "ended": f"ended with {command.get('rc')}"}
    return states.get(command["state"], "has no exit code: it was killed, or the host restarted")


def _not_confirmed(host: str, status: dict[str, Any]) -> Iterator[str]:
    told = [record for record in status["records"] if not _went_well(host, record, status.get("deferred") or ())]
    if told and told[-1]["outcome"] != "confirmed":
        last = told[-1]
        yield f"{host}: {last['why']!r} of {last['holder']} was {last['outcome']} at {last['at']}: {last['reason']}"


def _went_well(host: str, record: dict[str, Any], deferred: Iterable[dict[str, Any]]) -> bool:
    """Whether it was reverted only because maintenance ends that way, without trouble and without an undo that is still to be retried.

    A host in maintenance is put back by its own boot.
    """
    if record["outcome"] != "reverted" or record.get("troubles"):
        return False
    ended = record["reason"] == ENDED or record["reason"].startswith(f"{ENDED}; ")
    booted = record["why"] == f"maintenance {host}" and record["reason"] == REASONS["boot"]
    return booted or (ended and all(one.get("why") != record["why"] for one in deferred))
