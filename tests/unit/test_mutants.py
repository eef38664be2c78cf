"""The mutation gate makes exactly the intended mistakes."""

import ast
import importlib
import sys
from types import ModuleType

import pytest
from cases import ROOT

FOLDER = ROOT / "tests" / "mutation"


@pytest.fixture(scope="module")
def gate() -> ModuleType:
    """The gate, whose modules import each other by name."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("gate")
    sys.path.remove(str(FOLDER))


@pytest.fixture(scope="module")
def made(gate: ModuleType):  # noqa: ARG001 (it sets the module path)
    """{old: new} of the mutants of a text."""
    mutants = sys.modules["mutants"]

    def of(text: str, **kinds: bool) -> list[tuple[str, str]]:
        source = mutants.Source("a.py", text)
        found = list(mutants.mutants_of(source, "", source.tree, mutants.Kinds(**kinds)))
        for one in found:
            ast.parse(one.applied(text))
        return [(one.old, one.new) for one in found]

    return of


@pytest.fixture(scope="module")
def mutants(gate: ModuleType):
    """The mutants of the suite."""
    return gate.all_mutants(ROOT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = 1", [("1", "2")]),
        ("a = 2.5", [("2.5", "3.5")]),
        ("a = 0o644", [("0o644", "0o645")]),
        ("a = True, False, None", [("True", "False"), ("False", "True"), ("None", "True")]),
        ("a = 'word'", [("word", "wosd")]),
        ("a = ''", [("''", '"x"')]),
        ("a = '; '", [(";", "")]),
        ("a = '\\n'", [("'\\n'", '"x"')]),
        ("a = r'\\d+'", [("d", "e"), ("+", "")]),
        ("a = 'osd set noout'", [("osd", "otd"), ("set ", ""), ("noout", "onout"), (" ", "")]),
        ("a = ('one'\n     'two')", [("one", "ooe"), ("two", "")]),
        ("a = f'set {name} to {value}'", [("set", "sft"), ("to", "tp"), (" ", "")]),
        ("a = f'{a}{b}'", []),
        ("a = f'{\"on\" if a else b}'", [("on", "oo")]),
    ],
)
def test_strings_and_numbers(made, text: str, expected: list[tuple[str, str]]) -> None:
    assert made(text, sentences=True) == expected


def test_words_are_swapped_in_their_line(made) -> None:
    assert ("three four", "four three") in made("a = 'one two three four'", sentences=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a == b", [("==", "!=")]),
        ("a < b <= c", [("<", ">="), ("<=", ">")]),
        ("a not  in b", [("not  in", "in")]),
        ("a is not b", [("is not", "is")]),
        ("a and b or c", [("or", "and"), ("and", "or")]),
        ("not a", [("not a", "a")]),
        ("if a:\n    b", [("a", "(not (a))")]),
        ("if not a:\n    b", [("not a", "a")]),
        ("if a > b:\n    c", [(">", "<=")]),
        ("while a and b:\n    c", [("a and b", "(not (a and b))"), ("and", "or")]),
        ("a if b else c", [("b", "(not (b))")]),
        ("[a for a in b if c]", [("c", "(not (c))")]),
        ("a = 'é é' if (b) == c else d", [("==", "!=")]),
    ],
)
def test_decisions(made, text: str, expected: list[tuple[str, str]]) -> None:
    assert made(text, decisions=True) == expected


@pytest.mark.parametrize(
    "text",
    [
        '"""A module."""',
        'def a() -> "Words of a type":\n    """A docstring."""',
        'class A(B["x"]):\n    """A docstring."""\n    a: "Words"',
        "@dataclass(frozen=True)\nclass A:\n    pass",
        "__all__ = ['a']",
        "if TYPE_CHECKING:\n    a = 1",
        "assert a is not None",
        "zip(a, b, strict=True)",
    ],
)
def test_code_that_does_not_run_is_left_alone(made, text: str) -> None:
    assert made(text, sentences=True, decisions=True) == []


def test_messages_are_not_decisions(made) -> None:
    assert made("say('it is done', f'{a} is done', 'done')", decisions=True) == [("done", "dooe")]


def test_a_mutant_is_known_by_its_lines(gate: ModuleType) -> None:
    source = sys.modules["mutants"].Source("a.py", "def a():\n    if b == 1:\n        c()\n")
    first, *_ = sys.modules["mutants"].mutants_of(source, "", source.tree, sys.modules["mutants"].Kinds(decisions=True))
    assert (first.line, *gate.key(first)) == (2, "a.py", "a", "if b == 1:", "if b != 1:")


def test_steps_are_found_by_what_they_are_made_of(mutants) -> None:
    assert {one.function for one in mutants["steps"] if one.file == "tasks/network/ospf/drain.py"} >= {
        "DRAIN",
        "DRAIN_SCRIPT",
        "UNDRAIN_SCRIPT",
    }
    assert not {one.function for one in mutants["steps"]} & {"CephOsds.observe", "CephOsds.intend"}
    assert {one.file for one in mutants["engine"]} >= {"tasks/core/engine/apply.py", "tasks/core/engine/rollback.py"}


def test_each_listed_equivalent_is_a_mutant(gate: ModuleType, mutants) -> None:
    known = {gate.key(one) for found in mutants.values() for one in found}
    assert gate.listed().keys() - known == set()
    assert all(why.endswith(".") for why in gate.listed().values())


def test_the_mistakes_that_prove_the_gate_are_mutants(gate: ModuleType, mutants) -> None:
    for kind, where in gate.KNOWN_BAD.items():
        assert any((one.file, one.function) == where for one in mutants[kind]), where


def test_each_seed_draws_another_sample_spread_over_the_files(gate: ModuleType, mutants) -> None:
    engine = mutants["engine"]
    files = {one.file for one in engine}
    one, other = gate.drawn(engine, 1), gate.drawn(engine, 2)
    assert one != other
    assert one == gate.drawn(engine, 1)
    assert {each.file for each in one[: len(files)]} == files
    assert sorted(map(str, one)) == sorted(map(str, engine))


@pytest.mark.parametrize(("living", "code"), [(0, 0), (5, 0), (6, 1)])
def test_gate_fails_where_more_than_five_percent_survive(gate: ModuleType, living: int, code: int, mutants, capsys) -> None:
    tried = [gate.Trial(one, "" if number < living else "a test") for number, one in enumerate(mutants["engine"][:100])]
    assert gate.report(tried, 100, 0, 0.0) == code
    assert f"{living} survived" in capsys.readouterr().out


def test_first_tests_exist(gate: ModuleType) -> None:  # noqa: ARG001 (it sets the module path)
    names = {name for kind in sys.modules["trials"].FIRST.values() for name in kind.split()}
    assert {name for name in names if not (ROOT / "tests" / "unit" / f"test_{name}.py").exists()} == set()
