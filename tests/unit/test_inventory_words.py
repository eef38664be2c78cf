"""Every word of the inventory is applied, checked or refused: with another value, a plan or a finding changes, or the inventory is refused.

The cases are named MODEL.FIELD, with a choice or a place after it.
"""

import os
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from functools import cache
from typing import Any, Literal, get_args, get_origin

import pytest
from case_files import in_order
from cases import CASES, Case, cases_of
from pydantic import BaseModel
from whole_site import as_shipped, made_of, refusal

from inventory.models import CablesFile, DefaultsFile, HostFields, HostRow

EVERY = cases_of(CASES / "words")
ROOTS = (HostRow, HostFields, DefaultsFile, CablesFile)


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


def test_every_field_has_a_case() -> None:
    assert fields().keys() == {word(case) for case in EVERY}
