"""Every word of the inventory is applied, checked or refused: with another value, a plan or a finding changes, or the inventory is refused.

The cases are named MODEL.FIELD, with a choice or a place after it. Their facts lie over those of the whole site.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import pytest
from cases import CASES, Case, cases_of, site_of
from pydantic import BaseModel
from whole_site import as_shipped, made_of, read_once, refusal

from inventory.models import CablesFile, DefaultsFile, HostFields, HostRow

EVERY = cases_of(CASES / "words")
ROOTS = (HostRow, HostFields, DefaultsFile, CablesFile)
# Fields that change neither a plan nor a finding, and are not refused, each with the reason.
UNSEEN = {
    "Disk.purpose": "It has one value.",
    "Vm.cpus": "The suite makes no virtual machines yet.",
    "Vm.memory_gb": "The suite makes no virtual machines yet.",
    "Vm.disk_gb": "The suite makes no virtual machines yet.",
}


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inventory.draft.read", read_once)


def parts(annotation: Any) -> Iterator[Any]:
    """A type and those inside it."""
    yield annotation
    for inner in get_args(annotation) if get_origin(annotation) is not Literal else ():
        yield from parts(inner)


def models() -> list[type[BaseModel]]:
    """The models of all rows and blocks of the four files."""
    found: list[type[BaseModel]] = list(ROOTS)
    for model in found:
        inner = [one for field in model.model_fields.values() for one in parts(field.annotation)]
        found += [one for one in dict.fromkeys(inner) if isinstance(one, type) and issubclass(one, BaseModel) and one not in found]
    return found


def fields() -> dict[str, Any]:
    """{MODEL.FIELD: its type} of every key that a user can write. A key belongs to the model that declares it."""
    own = [(model, name) for model in models() for name in model.model_fields if name in model.__annotations__]
    return {f"{model.__name__}.{name}": model.model_fields[name] for model, name in own}


def choices(field: Any) -> list[str]:
    """The values of a field that has a list of them."""
    inner = [*parts(field.annotation), *field.metadata]
    named = [str(value) for one in inner if get_origin(one) is Literal for value in get_args(one)]
    named += [str(one.value) for kind in inner if isinstance(kind, type) and issubclass(kind, Enum) for one in kind]
    return named + (["True", "False"] if bool in inner else [])


def word(case: Case) -> str:
    return case.name.split(" ")[0]


def choice(case: Case) -> str:
    return (*case.name.split(" ")[1:2], "")[0]


def seen(case: Case, only: Any = None) -> dict[str, Any]:
    """{change set or check: what an operator sees of it} where the case differs from the shipped site."""
    others = case.own.get("facts", {})
    shipped = made_of(site_of(None), only, others) if others else as_shipped()
    now = made_of(case.site, only, others)
    return {name: now.get(name) for name in sorted(only or {*shipped, *now}) if shipped.get(name) != now.get(name)}


@pytest.mark.parametrize("case", EVERY, ids=str)
def test_another_value_is_applied_checked_or_refused(case: Case, expect, request: pytest.FixtureRequest) -> None:
    """The case lists what an operator sees. Only that is made again, because all of it takes too long."""
    saving = request.config.getoption("--save")
    error = refusal(case)
    names = [] if error else list(seen(case, None if saving else case.own.get("result", ())))
    assert error or names
    expect(case, {"error": error} if error else {"result": names})


def test_every_field_has_a_case() -> None:
    """A new field needs one, or a reason why it changes nothing."""
    assert fields().keys() - {word(case) for case in EVERY} == UNSEEN.keys()
    assert {word(case) for case in EVERY} <= fields().keys()


@pytest.mark.parametrize("name", sorted(name for name, field in fields().items() if choices(field) and name not in UNSEEN))
def test_each_choice_has_its_own_effect(name: str) -> None:
    """All choices but the shipped one have a case, and what is seen of each differs from what is seen of the others."""
    cases = {choice(case): case for case in reversed(EVERY) if word(case) == name and choice(case)}
    wanted = choices(fields()[name])
    assert len(wanted) - len(cases) <= 1
    assert cases.keys() <= set(wanted)
    effects = {one: refusal(case) or repr(seen(case, case.own["result"])) for one, case in cases.items()}
    assert len(set(effects.values())) == len(effects)
