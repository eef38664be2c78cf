"""A parser of known_hosts, as ssh's (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; openssh, hostfile.c and match.c)."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable

from tasks.platforms.text_lines import bare_lines
from tasks.virtualization.node_keys.ssh_keys import Key, public_key

MARKERS = ("@cert-authority", "@revoked")
# ssh looks for a blank after the marker anywhere in the line, and for a tab only in a line without blanks.
MARKED = re.compile(r"(@[^ ]*) [ \t]*(.*)|(@[^\t ]*)\t[ \t]*([^ ]*)")
NAMED = re.compile(r"(?P<names>[^ \t]+)[ \t]+(?P<key>[^# \t].*)")


def known(text: str, address: str) -> tuple[tuple[str, Key], ...]:
    """(marker, key) of each line of a known_hosts file for an address; the marker is `@revoked`, `@cert-authority` or empty."""
    found = []
    for line in bare_lines(text):
        marker, rest = _marked(line.lstrip(" \t"))
        words = NAMED.fullmatch(rest)
        if words and not rest.startswith(("#", "@")) and _matches(words["names"], address) and (key := public_key(words["key"])):
            found.append((marker, key))
    return tuple(found)


def missing_hosts(text: str, lines: Iterable[str]) -> tuple[str, ...]:
    """The lines, `ADDRESS TYPE KEY`, whose key a file does not have for that address, in a list of patterns or hashed."""
    wanted = [(line, *line.split(" ", 1)) for line in lines]
    return tuple(line for line, address, key in wanted if ("", public_key(key)) not in known(text, address))


def _marked(line: str) -> tuple[str, str]:
    """The marker of a line, and what follows it. A line with an unknown marker has nothing."""
    if not line.startswith("@"):
        return "", line
    found = MARKED.fullmatch(line)
    marker, rest = (found[1] or found[3], found[2] or found[4] or "") if found else ("", "")
    return (marker, rest) if marker in MARKERS else ("", "")


def _matches(names: str, address: str) -> bool:
    """Whether a list of patterns matches an address. A pattern with `!` excludes it; a hashed name is alone on its line."""
    if names.startswith("|"):
        return names == _hashed(names, address)
    matching = [one for one in names.lower().split(",") if _pattern(one.removeprefix("!")).fullmatch(address.lower())]
    return bool(matching) and not any(one.startswith("!") for one in matching)


def _hashed(names: str, address: str) -> str | None:
    """An address, hashed with the salt of a hashed name, which has as many bytes as the hash; None without such a salt."""
    magic, _, rest = names.removeprefix("|").partition("|")
    try:
        salt = base64.b64decode(rest.partition("|")[0], validate=True)
    except binascii.Error:
        return None
    hashed = hmac.digest(salt, address.encode(), hashlib.sha1)
    return f"|{magic}|{_base64(salt)}|{_base64(hashed)}" if magic == "1" and len(salt) == len(hashed) else None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _pattern(words: str) -> re.Pattern[str]:
    """A pattern in which `*` and `?` alone are special: `[` begins the address of a line with a port."""
    return re.compile(re.escape(words).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
