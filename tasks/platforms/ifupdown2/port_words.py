"""Lists of ports in ifupdown2's forms: single names, ranges, or patterns (parse_port_list, ifupdownaddons/modulebase.py)."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

# swp[1-8], swp[1-4].100 (utils.py, parse_iface_range); after `glob` also eno2-4 (modulebase.py, parse_glob).
_BRACKETS = re.compile(r"(.*?)\[(\d+)-(\d+)\](.*)")
_GLOB = re.compile(r"(.*?[A-Za-z])(\d+)-(\d+)(.*)")
MOST_PORTS = 4096


def expanded(name: str, pattern: re.Pattern[str] = _BRACKETS) -> tuple[str, ...]:
    """The names in a range; a name without a range stands for itself."""
    found = pattern.fullmatch(name)
    if found is None or int(found[3]) - int(found[2]) > MOST_PORTS:
        return (name,)
    return tuple(f"{found[1]}{number}{found[4]}" for number in range(int(found[2]), int(found[3]) + 1))


def is_pattern(words: str) -> bool:
    """Whether a list of ports has to be expanded before it can be edited."""
    return "[" in words or bool({"glob", "regex", "all"} & set(words.split()))


def names(words: str, port: str) -> bool:
    """Whether a list of ports includes this one: by name, range or pattern. An invalid pattern counts as a match."""
    return any(_includes(kind, word, port) for kind, word in _words(words))


def _words(words: str) -> Iterator[tuple[str, str]]:
    kind = ""
    for word in words.split():
        if word in ("glob", "regex"):
            kind = word
        elif word not in ("noglob", "noregex", "none"):
            yield kind, word
            kind = ""


def _includes(kind: str, word: str, port: str) -> bool:
    if kind == "regex":
        try:
            return re.match(f"{word}$", port) is not None
        except re.error:
            return True
    return word == "all" or port in expanded(word) or (kind == "glob" and (port in expanded(word, _GLOB) or fnmatchcase(port, word)))
