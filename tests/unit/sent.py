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
from tasks.core.model.operation import Action, Call, Command, FileWrite, Transaction
from tasks.core.model.plan import HostPlan

SCRIPTS = CASES / "scripts"


def steps(plan: HostPlan, site: Site) -> list[dict[str, Any]]:
    """Each step in the order in which it is sent, without keys whose value is empty, zero or false."""
    if plan.transaction is None:
        return []
    rows = [{"package": name} for name in plan.packages]
    if site.hosts[plan.host].link is LinkKind.NAPALM:
        return [*rows, {"candidate": plan.candidate}]
    return [
        {key: value for key, value in row.items() if value or key in {"enabled", "active"}} for row in [*rows, *_sent(plan.transaction)]
    ]


def _sent(transaction: Transaction) -> Iterator[dict[str, Any]]:
    if transaction.absent:
        yield {"unless": list(transaction.absent)}
    yield from (_file(file) for file in transaction.files)
    if transaction.saved:
        yield {"saved": list(transaction.saved)}
    yield from ({"sysctl": name, "value": value} for name, value in transaction.sysctls.items())
    yield from (_action(action) for action in transaction.actions)
    yield from ({"unit": unit.name, **{key: value for key, value in asdict(unit).items() if key != "name"}} for unit in transaction.units)
    yield from (_call(call) for call in transaction.calls)
    yield from (_command(command) for command in transaction.commands)


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


def _command(command: Command) -> dict[str, Any]:
    return {
        "command": argv(command.argv),
        "undo": argv(command.undo),
        "deadline_s": command.deadline_s,
        "mount": command.mount,
        "shown": command.shown,
        "impact": list(command.impact),
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "call": call.method,
        "parameters": call.parameters,
        "shown": call.shown,
        "job": call.job,
        "impact": list(call.impact),
        "undo": {key: value for key, value in _call(call.undo).items() if value} if call.undo else None,
    }


def argv(words: tuple[str, ...]) -> str:
    """A command line, with each script replaced by its name."""
    return shlex.join(_named(word) if "\n" in word else word for word in words)


def scripts(plan: HostPlan) -> Iterator[tuple[str, str]]:
    """(name, text) of each script that a plan sends. The word after a script is its name."""
    transaction = plan.transaction or Transaction("nothing")
    for action in (*transaction.actions, *transaction.commands):
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
