"""Plans as JSON, and their digests. A secret is a reference there: a keyed hash in the place of the secret.

What is applied is planned anew from the hosts' present facts. So a reference is resolved from that plan, and no secret is ever saved.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache, partial
from typing import Any

from pydantic import TypeAdapter, ValidationError

from inventory.site import Site
from inventory.targets import name_of
from tasks.core.agent.secrets import REMOVED, redact
from tasks.core.model.errors import Refused
from tasks.core.model.operation import TimedTransaction
from tasks.core.model.plan import TargetPlan

FORMAT = 1
REFERENCE = re.compile(r"\{secret [0-9a-f]{32}\}")


@cache
def _adapter() -> TypeAdapter[TargetPlan]:
    return TypeAdapter(TargetPlan)


def saved(plan: TargetPlan, key: bytes) -> dict[str, Any]:
    """The plan as plain data, with a reference for each secret."""
    hidden: dict[str, Any] = _each(_data(plan), partial(_hidden, key=key))
    return hidden


def _data(plan: TargetPlan) -> dict[str, Any]:
    """The plan as plain data, secrets and all."""
    differences = tuple(replace(one, have=_plain(one.have), want=_plain(one.want)) for one in plan.differences)
    return {"format": FORMAT, **_adapter().dump_python(replace(plan, differences=differences), mode="json")}


def loaded(data: Mapping[str, Any]) -> TargetPlan:
    """The plan of saved data; its secrets are still references. Raises Refused on another format, or what is no plan."""
    if data.get("format") != FORMAT:
        raise Refused(f"the plan has format {data.get('format')}, wanted {FORMAT}: make it anew with this version")
    try:
        return _adapter().validate_python({name: value for name, value in data.items() if name != "format"})
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"the plan cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}: make it anew") from error


def resolved(plan: TargetPlan, now: TargetPlan, key: bytes) -> TargetPlan:
    """A loaded plan with the secrets of the same plan as made now. Raises Refused where a secret is not there any more."""
    known = {
        _hidden(line, key): line for text in _texts(_adapter().dump_python(now, mode="json")) for line in text.splitlines(keepends=True)
    }

    def shown(text: str) -> str:
        lines = text.splitlines(keepends=True)
        if lost := [REFERENCE.sub(REMOVED, line.strip()) for line in lines if REFERENCE.search(line) and line not in known]:
            raise Refused(f"{plan.target}: a secret of the plan is not on the host any more: {lost[0]}; make the plan anew")
        return "".join(known.get(line, line) if REFERENCE.search(line) else line for line in lines)

    return _adapter().validate_python(_each(_adapter().dump_python(plan, mode="json"), shown))


def digest(plan: TargetPlan, site: Site, key: bytes) -> str:
    """A keyed hash of what the operator decides on: the fields, what is done, the impact, and the inventory's rows of the target.

    The other lines of files are not part of it, and neither are tokens.
    """
    rows = site.hosts.get(name_of(plan.target)) or site.ceph
    known = rows.model_dump(mode="json", warnings=False) if rows else None
    return _hash(json.dumps([_data(_shown(plan)), known], sort_keys=True, default=str), key)


def comparable(plan: TargetPlan, key: bytes) -> dict[str, Any]:
    """What of a plan has to be as shown, as plain data. A saved plan and the same plan made anew are equal here."""
    return saved(_shown(plan), key)


def _shown(plan: TargetPlan) -> TargetPlan:
    """The plan without what may differ: its token, and the lines of files that nobody owns."""
    work = plan.work and replace(plan.work, token="", why="")
    if isinstance(work, TimedTransaction):
        work = replace(work, files=tuple(replace(file, before=None, text=None if file.text is None else "") for file in work.files))
    return replace(plan, work=work, digest="")


def _plain(value: Any) -> Any:
    """A field's value as plain data: the members of a set have an order then."""
    if isinstance(value, str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(below) for name, below in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    return [_plain(below) for below in value] if isinstance(value, tuple | list) else value


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """The same data with every text changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(below, change) for name, below in value.items()}
    return [_each(below, change) for below in value] if isinstance(value, list) else value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for below in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(below)


def _hidden(text: str, key: bytes) -> str:
    """The text with a reference for each secret. A line without one stays as it is, and so does one that has its reference already."""
    lines, shown = text.splitlines(keepends=True), redact(text).splitlines(keepends=True)
    return "".join(_referenced(*pair, key) for pair in zip(lines, shown, strict=True))


def _referenced(line: str, redacted: str, key: bytes) -> str:
    if line == redacted or REFERENCE.search(line):
        return line
    before, _, after = redacted.partition(REMOVED)
    return f"{before}{{secret {_hash(line.strip(), key)[:32]}}}{after.replace(REMOVED, '')}"


def _hash(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(errors="surrogateescape"), hashlib.sha256).hexdigest()
