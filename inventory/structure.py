"""Validates rows against their models, and rewrites pydantic's errors for a reader who has the file open."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from inventory.errors import InventoryError, Problem
from inventory.files import Keys, YamlFile, path_text
from inventory.renamed import SETTINGS
from inventory.value_types import PATTERN_WORDS, matches

Model = TypeVar("Model", bound=BaseModel)

# The wanted text, by pydantic's error type. Other types keep pydantic's message.
WANTED: Mapping[str, Callable[[ErrorDetails], str]] = {
    "extra_forbidden": lambda _: "only known keys",
    "string_pattern_mismatch": lambda error: PATTERN_WORDS.get(error["ctx"]["pattern"], error["ctx"]["pattern"]),
    "string_type": lambda _: "text",
    "bool_type": lambda _: "true or false",
    "int_type": lambda _: "a whole number",
    "greater_than_equal": lambda error: f"at least {error['ctx']['ge']}",
    "less_than_equal": lambda error: f"at most {error['ctx']['le']}",
    "tuple_type": lambda _: "a list",
    "dict_type": lambda _: "a mapping (key: value)",
    "mapping_type": lambda _: "a mapping (key: value)",
    "model_type": lambda _: "a mapping (key: value)",
    "ip_v4_address": lambda _: "an IPv4 address, such as 172.16.0.1",
    "ip_v4_interface": lambda _: "an IPv4 address with its prefix length, such as 172.16.0.1/16",
    "ip_v4_network": lambda _: "an IPv4 network with no host bits set, such as 10.104.0.0/24",
    "value_error": lambda error: str(error["ctx"]["error"]),
}


def check(model: type[Model], file: YamlFile) -> tuple[Model | None, tuple[Problem, ...]]:
    """A file as a `model`, or None and its problems. There are no problems if the file could not be read, which is already reported."""
    return _check(model, file, file.data, ()) if file.data is not None else (None, ())


def check_part(model: type[Model], file: YamlFile, data: object, *path: str | int) -> Model:
    """`data`, which is at `path` of a file, as a `model`. Raises InventoryError with all of its problems."""
    part, wrong = _check(model, file, data, path)
    if part is None:
        raise InventoryError(wrong)
    return part


def check_rows(model: type[Model], file: YamlFile, name_pattern: str) -> tuple[dict[str, Model], tuple[Problem, ...]]:
    """The valid rows of a file that maps names to `model`, and the problems of the others.

    Args:
        model: The model of a row.
        file: The file as read.
        name_pattern: The pattern of row names, a key of value_types.PATTERN_WORDS.
    """
    if file.data is None:
        return {}, ()
    if not isinstance(file.data, dict):
        found = found_text(file.data)
        return {}, (Problem(file.place(), file.path.stem, "a mapping of names to rows", found, "write one row for each name"),)
    rows: dict[str, Model] = {}
    problems = list(_bad_names(file, name_pattern))
    for name, data in file.data.items():
        row, wrong = _check(model, file, data, (name,))
        problems.extend(wrong)
        if row is not None:
            rows[name] = row
    return rows, tuple(problems)


def _check(model: type[Model], file: YamlFile, data: object, path: Keys) -> tuple[Model | None, tuple[Problem, ...]]:
    try:
        return model.model_validate(data), ()
    except ValidationError as error:
        details = error.errors(include_url=False)
        lacks: dict[Keys, list[str]] = {}
        for one in details:
            if one["type"] == "missing":
                lacks.setdefault(one["loc"][:-1], []).append(str(one["loc"][-1]))
        meant = {one["loc"]: _meant(one, lacks, _keys_at(model, one["loc"][:-1])) for one in details if one["type"] == "extra_forbidden"}
        # A mistyped key is also missing: report it once. All other missing keys of a row are one problem.
        for loc, near in meant.items():
            lacks[loc[:-1]] = [key for key in lacks.get(loc[:-1], ()) if key != near]
        wrong = [_problem(file, path, one, meant.get(one["loc"])) for one in details if one["type"] != "missing"]
        return None, (*wrong, *(_missing(file, (*path, *loc), keys) for loc, keys in lacks.items() if keys))


def _meant(error: ErrorDetails, lacks: Mapping[Keys, Sequence[str]], known: Sequence[str]) -> str | None:
    """The key that an unknown one is a typing error of: rather one that its row lacks."""
    key = str(error["loc"][-1])
    return next(iter(get_close_matches(key, lacks.get(error["loc"][:-1], ()), n=1, cutoff=0.5)), None) or _near(key, known)


def _keys_at(model: Any, path: Keys) -> list[str]:
    """The keys of the row at a path below a model."""
    kinds = [model]
    for step in path:
        fields = [field for kind in kinds for name, field in _fields(kind).items() if step == (field.alias or name)]
        kinds = [inner for field in fields for inner in _models_in(field.annotation)] or kinds
    return sorted(field.alias or name for kind in kinds for name, field in _fields(kind).items())


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    return model.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in a type, such as that of a mapping's values."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _missing(file: YamlFile, path: Keys, keys: Sequence[str]) -> Problem:
    what, names = path_text(path) or file.path.stem, " and ".join(f"'{key}'" for key in keys)
    one = len(keys) == 1
    return Problem(file.place(*path), what, f"the key{'' if one else 's'} {names}", "nothing", "add it" if one else "add them")


def _bad_names(file: YamlFile, pattern: str) -> Iterator[Problem]:
    for name in file.data:
        if not matches(pattern, name):
            yield Problem(file.place(name), name, PATTERN_WORDS[pattern], f"'{name}'", "rename it")


def _problem(file: YamlFile, path: Keys, error: ErrorDetails, meant: str | None) -> Problem:
    keys = (*path, *(part for part in error["loc"] if part != "[key]"))
    is_unknown = error["type"] == "extra_forbidden"
    wanted = WANTED.get(error["type"], _pydantics_text)(error)
    found = f"'{keys[-1]}'" if is_unknown else found_text(error["input"])
    subject, remedy = (keys[:-1], _remedy(str(keys[-1]), meant)) if is_unknown else (keys, "correct the value")
    return Problem(file.place(*keys), path_text(subject) or file.path.stem, wanted, found, remedy)


def _pydantics_text(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Input should be ")


def found_text(value: object) -> str:
    """The text of a message for the value found."""
    texts: Mapping[type, str] = {type(None): "nothing", dict: "a mapping", list: "a list", bool: str(value).lower()}
    return texts.get(type(value), f"'{value}'" if isinstance(value, str) else str(value))


def _remedy(unknown: str, meant: str | None) -> str:
    if meant is not None and SETTINGS.get(unknown) == meant:
        return f"it is called '{meant}' now: rename it"
    return f"did you mean '{meant}'?" if meant else "remove it"


def _near(unknown: str, known: Sequence[str]) -> str | None:
    if (now := SETTINGS.get(unknown)) in known:
        return now
    # `mv` is as near to `vm` as 0.5.
    near = get_close_matches(unknown, known, n=1, cutoff=0.6 if len(unknown) > 2 else 0.5) or [
        key for key in known if len(unknown) > 2 and key.startswith(unknown)
    ]
    return near[0] if near else None
