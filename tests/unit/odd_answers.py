"""Odd answers, from a seed: a right answer of a command that is cut off, of another type, of another version, or of another program."""

import json
import random
from collections.abc import Iterator
from typing import Any

NOT_FOUND = "sh: 1: exec: lldpcli: not found\n"
HTML = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502</h1></body></html>\n"
# What may come instead of an answer.
WHOLE = ("", "\n", "null", "[]", "{}", "7", "-1", "true", '"text"', "[null]", "[[]]", "[7]", '{"error": null}', '{"a": 7}', NOT_FOUND, HTML)
# What may come instead of a part of an answer.
PARTS: tuple[Any, ...] = (None, [], {}, 7, -1, 1.5, True, "surprise", "", [None], ["surprise"], {"surprise": 7}, [[7]])
LONG = "x" * 20_000


def odd(text: str, seed: str, count: int) -> Iterator[str]:
    """At most `count` odd answers in the place of a right one, always the same for a seed."""
    chance = random.Random(seed)
    yield from WHOLE
    for _ in range(count - len(WHOLE)):
        yield (_part if _documents(text) and chance.random() < 0.7 else _lines)(text, chance)


def _lines(text: str, chance: random.Random) -> str:
    place, lines = chance.randrange(len(text) + 1), text.splitlines(keepends=True) or [""]
    number = chance.randrange(len(lines))
    words = lines[number].split(" ")
    word = chance.randrange(len(words))
    return chance.choice(
        [
            text[:place],
            text[:place],
            text[place:],
            f"{text[:place]}\ufffd{text[place + 1 :]}",
            "".join((*lines[:number], lines[number], *lines[number:])),
            "".join((*lines[:number], *lines[number + 1 :])),
            "".join((*lines[:number], NOT_FOUND, *lines[number:])),
            "".join((*lines[:number], LONG, *lines[number:])),
            "".join((*lines[:number], " ".join((*words[:word], *words[word + 1 :])), *lines[number + 1 :])),
            "".join((*lines[:number], " ".join((*words[:word], "surprise", *words[word + 1 :])), *lines[number + 1 :])),
        ]
    )


def _documents(text: str) -> list[tuple[int, int]]:
    """Where the JSON objects and lists of an answer are."""
    decoder, place, found = json.JSONDecoder(strict=False), 0, []
    while (place := next((at for at in range(place, len(text)) if text[at] in "[{"), -1)) >= 0:
        try:
            _, end = decoder.raw_decode(text, place)
        except ValueError:
            return found
        found.append((place, end))
        place = end
    return found


def _part(text: str, chance: random.Random) -> str:
    """The answer with one part of its JSON missing, of another type, under another name, or with a part more."""
    start, end = chance.choice(_documents(text))
    data = json.loads(text[start:end], strict=False)
    path = chance.choice([*_paths(data)] or [()])
    if not path:
        return text[:start] + json.dumps(chance.choice(PARTS)) + text[end:]
    node = data
    for step in path[:-1]:
        node = node[step]
    kind = chance.randrange(6)
    if kind == 0:
        del node[path[-1]]
    elif kind == 1 and isinstance(node, dict):
        node["another"] = node.pop(path[-1])
    elif kind == 2 and isinstance(node, dict):
        node["more"] = chance.choice(PARTS)
    else:
        node[path[-1]] = chance.choice(PARTS)
    return text[:start] + json.dumps(data) + text[end:]


def _paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part."""
    for step, below in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield (*path, step)
        yield from _paths(below, (*path, step))
