"""The words for an answer of another shape: where it is, what was wanted, what was found."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

import pytest

from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, HostFacts, Reading
from tasks.core.model.shape import misfit, reason


@dataclass(frozen=True)
class Port:
    name: str
    mtu: int | None
    addresses: tuple[str, ...] = ()


class Row(TypedDict):
    name: str
    size: NotRequired[float]


@pytest.mark.parametrize(
    ("value", "kind", "wrong"),
    [
        (Port("eno1", 1500), Port, ""),
        (Port("eno1", None, ("a",)), Port, ""),
        (Port("eno1", True), Port, "mtu: wanted a whole number, found True"),
        (Port(None, 1500), Port, "name: wanted text, found nothing"),  # type: ignore[arg-type]
        (Port("eno1", 1500, ("a", 7)), Port, "addresses.1: wanted text, found 7"),  # type: ignore[arg-type]
        (Port("eno1", 1500, "ab"), Port, "addresses: wanted a list, found 'ab'"),  # type: ignore[arg-type]
        ({"eno1": Port("eno1", "9000")}, dict[str, Port], "eno1.mtu: wanted a whole number, found '9000'"),  # type: ignore[arg-type]
        ([{"name": "a", "size": 7, "more": None}], list[Row], ""),
        ([{"name": "a"}, {"size": 7.5}], list[Row], "1: wanted the key 'name', found nothing"),
        ([{"name": "a", "size": "7"}], list[Row], "0.size: wanted a number, found '7'"),
        ([7], list[Row], "0: wanted an object, found 7"),
        ({"a": {"b": 1}}, Mapping[str, Mapping[str, int]], ""),
        ({"a": [1]}, Mapping[str, Mapping[str, int]], "a: wanted an object, found [1]"),
        ((1, "a"), tuple[int, str], ""),
        ((1,), tuple[int, str], "wanted a list, found (1,)"),
        (frozenset({"a"}), frozenset[str], ""),
        ("x" * 100, int, f"wanted a whole number, found '{'x' * 59}..."),
        ([object], Any, ""),
    ],
)
def test_misfit_names_the_place(value: object, kind: Any, wrong: str) -> None:
    assert misfit(value, kind) == wrong


def raised(act: Any) -> Exception:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (each case raises another one)
        act()
    return caught.value


@pytest.mark.parametrize(
    ("act", "output", "words"),
    [
        (lambda: json.loads("<html>"), "<html>", "wanted JSON, found '<html>' on line 1"),
        (lambda: json.loads('{"a":\n'), '{"a":\n', "wanted JSON, found its end on line 2"),
        (lambda: {}["mtu"], "", "wanted the key 'mtu', found none"),
        (lambda: int("many"), "", "wanted a number, found 'many'"),
        (lambda: [(a, b) for a, b in ["x"]], "", "wanted another number of words or items, found too few in one place"),
        (lambda: [(a, b) for a, b in ["xyz"]], "", "wanted another number of words or items, found too many in one place"),
        (lambda: json.loads("null")["a"], "", "wanted an object, found nothing in one place"),
        (lambda: list(json.loads("7")), "", "wanted a list, found a number in one place"),
        (lambda: json.loads('"text"')["a"], "", "wanted an object, found text in one place"),
        (lambda: json.loads("[]").get("a"), "", "wanted an object, found a list in one place"),
        (lambda: next(iter(())), "", "wanted another number of parts"),
    ],
)
def test_reason_is_in_the_words_of_a_reader(act: Any, output: str, words: str) -> None:
    assert reason(raised(act), output) == words


def _ports(output: str) -> dict[str, Port]:
    return {row["name"]: Port(row["name"], row["mtu"]) for row in json.loads(output)}


@pytest.mark.parametrize(
    ("output", "why"),
    [
        ('[{"name": "eno1", "mtu": "many"}]', "eno1.mtu: wanted a whole number, found 'many'"),
        ('[{"name": "eno1"}]', "wanted the key 'mtu', found none"),
        ("bash: ip: command not found", "wanted JSON, found 'bash: ip: command not found' on line 1"),
    ],
)
def test_answer_of_another_shape_is_one_message(output: str, why: str) -> None:
    with pytest.raises(BurrowError) as caught:
        HostFacts("alvin", {"ports": Reading(0, output)})[Fact("ports", "ip -j link", _ports)]
    head, tail = "alvin: `ip -j link` answered what cannot be read as ports", "run it there by hand, and compare with a host that is well"
    assert str(caught.value) == f"{head}: {why}; {tail}"
