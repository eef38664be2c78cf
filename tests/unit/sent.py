"""Everything that a plan sends to its host, as data for a case. A script of several lines has its own file."""

import shlex
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

from case_files import CASES

from inventory.models import LinkKind
from inventory.site import Site
from tasks.core.agent.secrets import redact
from tasks.core.model.operation import Action, Call, Command, FileWrite, Operation, TimedTransaction
from tasks.core.model.plan import TargetPlan

SCRIPTS = CASES / "scripts"


def steps(plan: TargetPlan, site: Site) -> list[dict[str, Any]]:
    """Each step in the order in which it is sent, without keys whose value is empty, zero or false."""
    if plan.procedure:
        return [{key: value for key, value in _operation(one).items() if value} for one in plan.operations]
    if plan.transaction is None:
        return []
    rows = [{"package": name} for name in plan.packages]
    if site.hosts[plan.host].link is LinkKind.NAPALM:
        return [*rows, {"candidate": plan.candidate}]
    return [
        {key: value for key, value in row.items() if value or key in {"enabled", "active"}} for row in [*rows, *_sent(plan.transaction)]
    ]


def _sent(transaction: TimedTransaction) -> Iterator[dict[str, Any]]:
    if transaction.absent:
        yield {"unless": list(transaction.absent)}
    yield from (_file(file) for file in transaction.files)
    if transaction.saved:
        yield {"saved": list(transaction.saved)}
    yield from ({"sysctl": name, "value": value} for name, value in transaction.sysctls.items())
    yield from (_action(action) for action in transaction.actions)
    yield from ({"unit": unit.name, **{key: value for key, value in asdict(unit).items() if key != "name"}} for unit in transaction.units)


def _file(file: FileWrite) -> dict[str, Any]:
    """A file without its text, which the diff shows, except for secrets that no diff shows, and a missing last newline."""
    text = file.text or ""
    hidden = [line for line in text.splitlines() if redact(line) != line]
    whole = [text] if text and not text.endswith("\n") else []
    return {
        "file": file.path,
        "mode": f"{file.mode:04o}",
        "validate": shlex.join(file.validate),
        "mount": file.mount,
        "removed": file.text is None,
        "secrets": hidden,
        "text": whole,
    }


def _action(action: Action) -> dict[str, Any]:
    named = {"run": argv(action.argv), "undo": argv(action.undo)}
    return named | {key: value for key, value in asdict(action).items() if key not in {"argv", "undo"} and value}


def _operation(operation: Operation) -> dict[str, Any]:
    do, undo = operation.do, operation.undo
    sent = {"command": argv(do.argv), "mount": do.mount} if isinstance(do, Command) else _call(do)
    back = argv(undo.argv) if isinstance(undo, Command) else undo and {key: value for key, value in _call(undo).items() if value}
    kept = {"deadline_s": operation.deadline_s, "shown": operation.shown, "impact": list(operation.impact), "at_risk": operation.at_risk}
    return {"id": operation.id, **sent, "undo": back, **kept}


def _call(call: Call) -> dict[str, Any]:
    return {"call": call.method, "parameters": call.parameters, "job": call.job}


def argv(words: tuple[str, ...]) -> str:
    """A command line, with each script replaced by its name."""
    return shlex.join(_named(word) if "\n" in word else word for word in words)


def scripts(plan: TargetPlan) -> Iterator[tuple[str, str]]:
    """(name, text) of each script that a plan sends. The word after a script is its name."""
    for action in plan.transaction.actions if plan.transaction else ():
        for words in (action.argv, action.undo):
            yield from ((words[at + 1], word) for at, word in enumerate(words) if "\n" in word)


def save_scripts(found: Iterable[tuple[str, str]]) -> None:
    """Write each script to its own file; another one of the same name gets a number."""
    names: dict[str, str] = {}
    for name, text in found:
        slug = name.lower().replace(" ", "-")
        number = sum(other.startswith(slug) for other in names.values())
        names.setdefault(text, f"{slug}-{number + 1}" if number else slug)
    shutil.rmtree(SCRIPTS, ignore_errors=True)
    SCRIPTS.mkdir()
    for text, name in names.items():
        (SCRIPTS / name).write_text(text)
    script_names.cache_clear()


@cache
def script_names() -> dict[str, str]:
    """{text: name} of the scripts in tests/cases/scripts."""
    return {path.read_text(): path.name for path in sorted(SCRIPTS.glob("*"))}


def _named(script: str) -> str:
    """{NAME} of a script in tests/cases/scripts, else its first words, which no case expects."""
    name = script_names().get(script)
    return f"{{{name}}}" if name else f"{{unknown: {' '.join(script.split())[:60]}}}"
