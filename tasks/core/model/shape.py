"""The shape of what a host answered: whether a parsed value has the types that its parser declares, and what is wrong where not. Pure."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from itertools import repeat
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

# How much of an answer that cannot be understood is shown.
SHOWN_CHARACTERS, MESSAGE_CHARACTERS = 60, 400
KINDS = {"NoneType": "nothing", "int": "a number", "float": "a number", "bool": "true or false"}
KINDS |= {"str": "text", "list": "a list", "dict": "an object"}
WORDS: Mapping[type, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false", NoneType: "nothing"}
REMEDY = "run it there by hand, and compare with a host that is well"

Judge = Callable[[Any], str]
"""A function of a value: the path to what is wrong, then what was wanted and found; empty where the value fits, as most values do."""


def shown(value: object) -> str:
    """A value as messages quote it, cut off where it is long."""
    text = repr(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}..."


def misfit(value: object, kind: Any) -> str:
    """Where in a value is what is not of a type: `PATH: wanted WHAT, found WHAT`; empty where all of it is. More keys are no misfit."""
    return _judge(kind)(value).removeprefix(".").removeprefix(": ")


def reason(error: Exception, output: str = "") -> str:
    """What is wrong with an output that cannot be parsed, in the words of somebody who reads it."""
    text = str(error)
    match error:
        case json.JSONDecodeError():
            rest = output[error.pos : error.pos + SHOWN_CHARACTERS].splitlines()
            found = f"{shown(rest[0]) if rest else 'its end'} on line {error.lineno}"
            text = f"wanted JSON, found {found}"
        case KeyError():
            text = f"wanted the key {error.args[0]!r}, found none"
        case ValueError() if "values to unpack" in text:
            text = f"wanted another number of words or items, found too {'few' if 'not enough' in text else 'many'} in one place"
        case ValueError() if "invalid literal" in text or "could not convert" in text:
            text = f"wanted a number, found {text.rpartition(': ')[2]}"
        case TypeError() | AttributeError():
            text = _of_another_type(text)
    return shortened(text or "wanted another number of parts")


def shortened(text: str) -> str:
    """A message that quotes an answer, cut off where it is long."""
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]}..."


def _of_another_type(text: str) -> str:
    """Python's words for a value of another type, as a reader of JSON says it. Python does not tell where it is."""
    kinds, is_list = re.findall(r"'(NoneType|int|float|bool|str|list|dict)'", text), "iter" in text or "unpack" in text
    found = KINDS[kinds[0]] if kinds else "text" if text.startswith("string") else "a list" if text.startswith("list") else ""
    wanted = "a list" if is_list else "an object" if "indices" in text or "subscript" in text or re.search("'(get|items)'", text) else ""
    return f"wanted {wanted or 'another type of value'}, found {found or 'one that does not fit'} in one place"


def _found(wanted: str, value: object) -> str:
    return f": wanted {wanted}, found {'nothing' if value is None else shown(value)}"


def _anything(_value: Any) -> str:
    return ""


@cache
def _judge(kind: Any) -> Judge:
    """The judge of a type. `Any`, and a class that is none of these, take what they get."""
    origin, inner = get_origin(kind), get_args(kind)
    judge: Judge = _anything
    if kind in WORDS:
        judge = _plain(kind)
    elif origin in (Union, UnionType):
        judge = _one_of(inner)
    elif is_typeddict(kind):
        judge = _keys(kind)
    elif is_dataclass(kind):
        judge = _fields(kind)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        judge = _mapping(*inner)
    elif isinstance(origin, type) and issubclass(origin, Collection):
        judge = _several(origin, inner)
    return judge


def _plain(kind: type) -> Judge:
    wanted = WORDS[kind]
    types = (int, float) if kind is float else kind

    def judge(value: Any) -> str:
        if type(value) is kind or (isinstance(value, types) and not isinstance(value, bool)):
            return ""
        return _found(wanted, value)

    return judge


def _one_of(kinds: tuple[Any, ...]) -> Judge:
    judges, optional = [_judge(kind) for kind in kinds if kind is not NoneType], NoneType in kinds

    def judge(value: Any) -> str:
        if value is None and optional:
            return ""
        found = [one(value) for one in judges]
        return "" if "" in found else found[0]

    return judge


def _keys(kind: Any) -> Judge:
    known = {name: (_judge(below), name in kind.__required_keys__) for name, below in get_type_hints(kind).items()}

    def judge(value: Any) -> str:
        if not isinstance(value, Mapping):
            return _found("an object", value)
        for name, (below, required) in known.items():
            if name in value:
                if wrong := below(value[name]):
                    return f".{name}{wrong}"
            elif required:
                return _found(f"the key {name!r}", None)
        return ""

    return judge


def _fields(kind: Any) -> Judge:
    hints = get_type_hints(kind)
    known = [(one.name, _judge(hints[one.name])) for one in fields(kind)]

    def judge(value: Any) -> str:
        if not isinstance(value, kind):
            return _found("another type", value)
        for name, below in known:
            if wrong := below(getattr(value, name)):
                return f".{name}{wrong}"
        return ""

    return judge


def _mapping(key: Any, below: Any) -> Judge:
    of_key, of_value = _judge(key), _judge(below)

    def judge(value: Any) -> str:
        if not isinstance(value, Mapping):
            return _found("an object", value)
        for name, one in value.items():
            if wrong := of_key(name):
                return wrong
            if wrong := of_value(one):
                return f".{name}{wrong}"
        return ""

    return judge


def _several(kind: type[Collection[Any]], inner: tuple[Any, ...]) -> Judge:
    each = [_judge(one) for one in inner if one is not ...]
    fixed = kind is tuple and ... not in inner

    def judge(value: Any) -> str:
        if not isinstance(value, kind) or isinstance(value, str) or (fixed and len(value) != len(each)):
            return _found("a list", value)
        judges = each if fixed else repeat(each[0])
        for number, (below, one) in enumerate(zip(value, judges, strict=False)):
            if wrong := one(below):
                return f".{number}{wrong}"
        return ""

    return judge
