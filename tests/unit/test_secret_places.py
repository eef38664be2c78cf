"""A secret is planted in each place that a tool's grammar has for one, and is shown nowhere. Lines without a secret stay as they are."""

import ast
import base64
import random
import string
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import pytest

from tasks.core.agent.secrets import redact

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# A blank is any white space for FRR (lib/command.c, cmd_make_strvec), ifupdown2 and a shell. FRR's files take no abbreviated words
# (cmd_execute_command_strict).
SPELLINGS = {"as it stands": " ", "two blanks": "  ", "a tab": "\t", "blank and tab": " \t "}
# The letters of secrets. A number could be taken for an id, and a word with a slash for a path.
LETTERS = {"words": string.ascii_letters + string.digits + "+/.!", "numbers": string.digits}
# How a diff, a file, and the messages of tools show a statement.
SHOWN = {
    "in a file": "{line}\n",
    "indented": "\t{line}\n",
    "comes": "+ {line}\n",
    "goes": "-\t{line}\n",
    "commented out": "#{line}\n",
    "commented out in FRR": "+! {line}\n",
    "in backquotes": "the impact of `{line}` on en05 is unknown\n",
    "below its context": "alvin:frr.conf interface en05 / {line}\n",
    "vtysh.c, vtysh_config_from_file": "line 7: % Unknown command[13]: {line}\n",
    "vtysh.c, refused by a daemon": "line 7: Failure to communicate[13] to ospfd, line: {line}\n",
    "vtysh.c, vtysh_mark_file": "line 7: Warning...: {line}\n",
    "frr-reload.py, a list": "frr-reload.py failed due to\n('interface en05\\n {line}\\nexit\\n',)\n",
    "frr-reload.py, a command": "Failed to execute interface en05 {line}\n",
    "frr-reload.py, its original": '"interface en05 -- {line}" we failed to remove this command\n',
    "ifupdown2, utils.py": "error: wlan0: cmd '{line}' failed: returned 1\n",
    "ifupdown2, networkinterfaces.py": "error: /etc/network/interfaces: line7: iface wlan0: invalid syntax '{line}'\n",
}
# The messages of FRR, which put a statement behind other words, quote only statements of FRR.
OF_FRR = {name for name in SHOWN if name.startswith(("vtysh.c", "frr-reload.py"))}
# The suite's own words before a secret: the reference in a saved plan, and what is compared.
BEFORE_A_SECRET = ("{secret ", "1 md5 ")


def lines_of(name: str) -> list[tuple[str, str]]:
    """(source, line) of each line of a table."""
    source, found = "", []
    for line in (HERE / name).read_text().splitlines():
        if line.startswith("## "):
            source = line[3:]
        elif line and not line.startswith("# "):
            found.append((source, line))
    return found


PLACES = [*dict.fromkeys(lines_of("secret_places.txt"))]
FREE = [*dict.fromkeys(line for _, line in lines_of("secret_free.txt"))]


def planted(place: str, letters: str) -> tuple[str, tuple[str, ...]]:
    """The statement with random secrets of the wanted forms, and these secrets. The same place has the same secrets in every run."""
    chance = random.Random(place)
    made = {
        "{secret}": "".join(chance.choices(letters, k=20)),
        "{hex}": chance.randbytes(16).hex(),
        "{base64}": base64.b64encode(chance.randbytes(32)).decode(),
    }
    text = place
    for mark, value in made.items():
        text = text.replace(mark, value)
    return text, tuple(value for mark, value in made.items() if mark in place)


def test_tables_are_large_and_each_place_is_planted() -> None:
    assert len(PLACES) > 150
    assert [place for _, place in PLACES if not planted(place, LETTERS["words"])[1]] == []


@pytest.mark.parametrize("blank", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize(("source", "place"), PLACES, ids=[place for _, place in PLACES])
def test_planted_secret_is_shown_nowhere(source: str, place: str, blank: str) -> None:
    shown_by = [name for name in SHOWN if source.startswith("FRR") or name not in OF_FRR]
    for letters, name in product(LETTERS.values(), shown_by):
        statement, secrets = planted(place, letters)
        line = SHOWN[name].format(line=statement.replace(" ", blank))
        shown = redact(line)
        assert [secret for secret in secrets if secret in shown] == [], name
        assert "<removed>" in shown
        assert shown[:3] == line[:3], name
        assert shown.count("\n") == line.count("\n")
        assert redact(shown) == shown, name


@pytest.mark.parametrize("line", FREE)
def test_line_without_a_secret_stays_as_it_is(line: str) -> None:
    for shown in (line, f"\t{line}", f"+ {line}", f"-{line}", f"#{line}"):
        assert redact(f"{shown}\n") == f"{shown}\n"


@cache
def messages() -> list[str]:
    """The texts in the suite's own code, with a word for each value that is filled in."""
    paths = [path for folder in ("tasks", "inventory", "drivers", "runbooks") for path in sorted((ROOT / folder).rglob("*.py"))]
    return [text for path in paths if path.name != "secrets.py" for text in _texts(ast.parse(path.read_text()))]


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "alvin" for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for below in ast.iter_child_nodes(node):
            yield from _texts(below)


def test_messages_of_the_suite_stay_as_they_are() -> None:
    assert len(messages()) > 3000
    assert [text for text in messages() if redact(text) != text and not any(words in text for words in BEFORE_A_SECRET)] == []
