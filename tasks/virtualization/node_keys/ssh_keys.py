"""A parser of authorized_keys and known_hosts, as in sshd(8). The type and text identify a key, not its options or name."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from tasks.platforms.text_lines import raw_lines

KEY = re.compile(r"(?P<kind>(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[\w@.-]+)\s+(?P<text>[\w+/=]+)(?:\s+(?P<name>.*\S))?\s*")
# Commas separate options. Double quotes may contain commas, spaces, and quotes after a backslash (sshd, auth-options).
OPTIONS = re.compile(r'(?:[^\s"]|"(?:\\"|[^"])*")+')
OPTION = re.compile(r'(?:[^,"]|"(?:\\"|[^"])*")+')
CA = "cert-authority"


@dataclass(frozen=True)
class Key:
    """A line's key with its options. Comparison ignores its name."""

    kind: str
    text: str
    options: frozenset[str] = frozenset()
    name: str = field(default="", compare=False)

    @property
    def plain(self) -> "Key":
        """The key without options, except `cert-authority`: such a key signs other keys, and does not allow a login by itself."""
        return Key(self.kind, self.text, self.options & {CA}, self.name)

    def __str__(self) -> str:
        return self.name or "a key without a name"


def authorized(text: str) -> tuple[Key, ...]:
    """The keys of an authorized_keys file, in order, without the lines that sshd ignores."""
    return tuple(key for line in raw_lines(text) if (key := authorized_key(line)) is not None)


def authorized_key(line: str) -> Key | None:
    """The key of a line; None where it has none."""
    words = line.strip()
    if words.startswith("#"):
        return None
    if found := KEY.fullmatch(words):
        return Key(found["kind"], found["text"], name=found["name"] or "")
    options = OPTIONS.match(words)
    found = KEY.fullmatch(words[options.end() :].strip()) if options else None
    if not options or not found:
        return None
    return Key(found["kind"], found["text"], frozenset(map(_option, OPTION.findall(options[0]))), found["name"] or "")


def _option(word: str) -> str:
    """An option with its name in lower case: names ignore case, values do not."""
    name, equals, value = word.partition("=")
    return f"{name.lower()}{equals}{value}"


def known(text: str, address: str) -> tuple[tuple[str, Key | None], ...]:
    """(marker, key) of each line of a known_hosts file for an address; the marker is `@revoked`, `@cert-authority` or empty."""
    found = []
    for words in map(str.split, raw_lines(text)):
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) > 2 and not words[0].startswith("#") and _matches(words[0], address):
            found.append((marker, authorized_key(" ".join(words[1:3]))))
    return tuple(found)


def _matches(names: str, address: str) -> bool:
    """Whether a list of patterns matches an address. A pattern with `!` excludes it; a hashed name is alone on its line (sshd(8))."""
    if names.startswith("|1|"):
        salt, _, hashed = names.removeprefix("|1|").partition("|")
        try:
            return hmac.digest(base64.b64decode(salt), address.encode(), hashlib.sha1) == base64.b64decode(hashed)
        except ValueError:
            return False
    patterns = names.split(",")
    if any(fnmatchcase(address, one[1:]) for one in patterns if one.startswith("!")):
        return False
    return any(fnmatchcase(address, one) for one in patterns)
