"""Mutants of a source file: small mistakes that a programmer could make, each as a replacement of one text by another.

In strings, words are changed, dropped or swapped. Numbers grow by one. `True`, `False` and `None` become another of them. In decisions,
comparisons and conditions are negated, `and` becomes `or`, `not` is dropped. Docstrings, annotations and decorators stay.
A mutant replaces only its span, so line numbers stay.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

WORD = re.compile(r"[A-Za-z0-9]+(?:[-_./][A-Za-z0-9]+)*")
PREFIXES = frozenset({"f", "r", "b", "u", "fr", "rf"})
OPPOSITE = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", ">="),
    ast.GtE: (">=", "<"),
    ast.Gt: (">", "<="),
    ast.LtE: ("<=", ">"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}
SWAPPED = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
FLIPPED = {True: "False", False: "True", None: "True"}


@dataclass(frozen=True)
class Mutant:
    """One mistake: `new` replaces `old` from `start` to `end` of a file; `was` and `now` are the whole lines."""

    file: str
    function: str
    line: int
    start: int
    end: int
    old: str
    new: str
    what: str
    was: str
    now: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} ({self.function}): {self.what}\n  - {self.was}\n  + {self.now}"

    def applied(self, text: str) -> str:
        """The file with the mistake in it."""
        assert text[self.start : self.end] == self.old
        return text[: self.start] + self.new + text[self.end :]


@dataclass(frozen=True)
class Source:
    """A file to mutate."""

    file: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        starts = [0]
        for line in self.text.splitlines(keepends=True):
            starts.append(starts[-1] + len(line))
        return starts

    def at(self, line: int, column: int) -> int:
        """The index of a position of the tree, whose columns count bytes."""
        start = self._lines[line - 1]
        return start + len(self.text[start : self._lines[line]].encode()[:column].decode())

    def span(self, node: ast.expr) -> tuple[int, int]:
        """The start and the end of an expression."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def mutant(self, function: str, start: int, end: int, new: str, what: str) -> Mutant:
        """The mutant that replaces a span by `new`."""
        first = self.text.rfind("\n", 0, start) + 1
        last = self.text.find("\n", end)
        last = len(self.text) if last < 0 else last
        was, now = self.text[first:last], self.text[first:start] + new + self.text[end:last]
        line = self.text.count("\n", 0, start) + 1
        return Mutant(self.file, function, line, start, end, self.text[start:end], new, what, was.strip(), now.strip())


@dataclass(frozen=True)
class Kinds:
    """Which mutants to make besides the basic ones: of strings with several words (messages, shell commands), and of decisions."""

    sentences: bool = False
    decisions: bool = False


def mutants_of(source: Source, function: str, node: ast.AST, kinds: Kinds) -> Iterator[Mutant]:
    """The mutants of a node: a function, an assignment, or any other part of a file."""
    name = getattr(node, "name", "") if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
    function = ".".join(part for part in (function, name) if part)
    if isinstance(node, ast.Constant):
        yield from _constant(source, function, node, kinds)
    elif isinstance(node, ast.JoinedStr):
        if kinds.sentences:
            yield from _strings(source, function, node)
    else:
        if kinds.decisions:
            yield from _decisions(source, function, node)
        for child in parts_of(node):
            yield from mutants_of(source, function, child, kinds)


def parts_of(node: ast.AST) -> Iterator[ast.AST]:
    """The parts that may hold mutants: no annotation, decorator, base class or docstring, and nothing that is only for a type checker."""
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases", "type_params"):
            continue
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, ast.AST) and not _is_docstring(one) and not _is_assertion(one):
                yield one


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_assertion(node: ast.AST) -> bool:
    """Whether it only asserts or declares: `assert`, `zip(strict=)`, `if TYPE_CHECKING` or `__all__`."""
    if isinstance(node, ast.Assert) or (isinstance(node, ast.keyword) and node.arg == "strict"):
        return True
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Assign) and any(isinstance(one, ast.Name) and one.id == "__all__" for one in node.targets)


def _constant(source: Source, function: str, node: ast.Constant, kinds: Kinds) -> Iterator[Mutant]:
    value = node.value
    if isinstance(value, bool) or value is None:
        yield source.mutant(function, *source.span(node), FLIPPED[value], f"{value} is {FLIPPED[value]}")
    elif isinstance(value, int | float):
        new = f"0o{value + 1:o}" if source.text[source.span(node)[0] :].startswith("0o") else repr(value + 1)
        yield source.mutant(function, *source.span(node), new, "a number is one more")
    elif isinstance(value, str) and (kinds.sentences or len(value.split()) == 1):
        yield from _strings(source, function, node)


def _strings(source: Source, function: str, node: ast.Constant | ast.JoinedStr) -> Iterator[Mutant]:
    """A mutant for each word of a string's text, and one for its other characters."""
    start, end = source.span(node)
    text = source.text[start:end]
    found = [*_words(text), *_other_letters(text)]
    if not found and isinstance(node, ast.Constant):
        found = [(0, len(text), '"x"', "a string is another")]
    for first, last, new, what in found:
        yield source.mutant(function, start + first, start + last, new, what)


def _words(text: str) -> Iterator[tuple[int, int, str, str]]:
    """(start, end, new text, what) for each word: changed, dropped and swapped in turn."""
    matches = [one for one in WORD.finditer(text) if not (one[0].lower() in PREFIXES and text[one.end() : one.end() + 1] in ("'", '"'))]
    for number, match in enumerate(matches):
        tries = [_changed(match), _dropped(text, match), _swapped(text, match, matches[number + 1 :])]
        at = number % len(tries)
        yield from [one for one in (*tries[at:], *tries[:at]) if is_other_text(text, text[: one[0]] + one[2] + text[one[1] :])][:1]


def _changed(match: re.Match[str]) -> tuple[int, int, str, str]:
    word, at = match[0], len(match[0]) // 2
    while not word[at].isalnum():
        at += 1
    letter = {"z": "a", "Z": "A", "9": "0"}.get(word[at]) or chr(ord(word[at]) + 1)
    return match.start(), match.end(), word[:at] + letter + word[at + 1 :], "a letter of a word is another"


def _dropped(text: str, match: re.Match[str]) -> tuple[int, int, str, str]:
    end = match.end() + (text[match.end() : match.end() + 1] == " ")
    return match.start(), end, "", "a word is missing"


def _swapped(text: str, match: re.Match[str], others: list[re.Match[str]]) -> tuple[int, int, str, str]:
    if others and others[0][0] != match[0] and "\n" not in text[match.end() : others[0].start()]:
        between = text[match.end() : others[0].start()]
        return match.start(), others[0].end(), others[0][0] + between + match[0], "two words are swapped"
    word = match[0]
    at = next((index for index in range(len(word) - 1) if word[index] != word[index + 1]), 0)
    return match.start(), match.end(), word[:at] + word[at : at + 2][::-1] + word[at + 2 :], "two letters are swapped"


def _other_letters(text: str) -> list[tuple[int, int, str, str]]:
    """A mutant that drops a character outside words: of a separator, an option, a path."""
    places = (index for index, letter in enumerate(text) if not letter.isalnum() and letter not in "\"'\\{}\n")
    return [(at, at + 1, "", "a letter is missing") for at in places if is_other_text(text, text[:at] + text[at + 1 :])][:1]


def is_other_text(old: str, new: str) -> bool:
    """Whether two expressions differ only in the text of their strings."""
    try:
        (one, one_without), (other, other_without) = _dumped(old), _dumped(new)
    except (SyntaxError, Warning):
        return False
    return one != other and one_without == other_without


@lru_cache(maxsize=8)
def _dumped(text: str) -> tuple[str, str]:
    """An expression's tree, and the tree without the text of its strings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = ast.parse(f"({text})", mode="eval")
    whole = ast.dump(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            node.values = [value for value in node.values if not isinstance(value, ast.Constant)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return whole, ast.dump(tree)


def _decisions(source: Source, function: str, node: ast.AST) -> Iterator[Mutant]:
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        for operator, left, right in zip(node.ops, operands, operands[1:], strict=False):
            yield _operator(source, function, left, right, OPPOSITE[type(operator)])
    elif isinstance(node, ast.BoolOp):
        for left, right in zip(node.values, node.values[1:], strict=False):
            yield _operator(source, function, left, right, SWAPPED[type(node.op)])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        start, end = source.span(node)
        yield source.mutant(function, start, end, source.text[start:end].removeprefix("not").lstrip(), "`not` is missing")
    for test in _conditions(node):
        start, end = source.span(test)
        yield source.mutant(function, start, end, f"(not ({source.text[start:end]}))", "a condition is negated")


def _operator(source: Source, function: str, left: ast.expr, right: ast.expr, words: tuple[str, str]) -> Mutant:
    start, end = source.span(left)[1], source.span(right)[0]
    old, new = words
    pattern = r"\s+".join(map(re.escape, old.split()))
    match = re.search(rf"\b{pattern}\b" if old[0].isalpha() else pattern, source.text[start:end])
    assert match is not None
    return source.mutant(function, start + match.start(), start + match.end(), new, f"`{old}` is `{new}`")


def _conditions(node: ast.AST) -> Iterator[ast.expr]:
    """The conditions of a node, without those whose negation another mutant already makes."""
    tests: list[ast.expr] = []
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        tests = [node.test]
    elif isinstance(node, ast.comprehension):
        tests = node.ifs
    for test in tests:
        same = isinstance(test, ast.Constant) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))
        if not same and not (isinstance(test, ast.Compare) and len(test.ops) == 1):
            yield test
