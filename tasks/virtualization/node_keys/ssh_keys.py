"""A parser of authorized_keys, as sshd's (sshd(8); openssh, auth2-pubkeyfile.c). The type and text identify a key, not its name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tasks.platforms.text_lines import raw_lines
from tasks.virtualization.node_keys.key_options import CA, QUOTED, effective

# Blanks and tabs separate words. Within the text of a key, OpenSSH skips other white space, such as a carriage return.
KEY = re.compile(
    r"(?P<kind>(?:ssh|ecdsa|sk-ssh|sk-ecdsa|rsa-sha2)-[A-Za-z0-9@.-]+)[ \t]+(?P<text>[A-Za-z0-9+/=\r\f\v]+)(?:[ \t]+(?P<name>.*))?"
)
# Names of signatures that OpenSSH takes for the type of the key (openssh, ssh-rsa.c).
KINDS = {"rsa-sha2-256": "ssh-rsa", "rsa-sha2-512": "ssh-rsa"}
OPTIONS = re.compile(rf'(?:\\"|"{QUOTED}"|[^ \t"\\]|\\(?!"))+(?=[ \t])')


@dataclass(frozen=True)
class Key:
    """A line's key with the options that are in effect. Comparison ignores its name."""

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
    """The key of a line; None where sshd finds none."""
    words = line.removesuffix("\n").lstrip(" \t")
    if words.startswith("#"):
        return None
    if key := public_key(words):
        return key
    options = OPTIONS.match(words)
    return public_key(words[options.end() :].lstrip(" \t"), effective(options[0])) if options else None


def public_key(words: str, options: frozenset[str] | None = frozenset()) -> Key | None:
    """The key of a text that begins with the key's type; None where it does not, or without options."""
    found = KEY.fullmatch(words)
    if not found or options is None:
        return None
    kind, text = found["kind"], re.sub(r"\s", "", found["text"])
    return Key(KINDS.get(kind, kind), text, options, (found["name"] or "").rstrip()) if text else None


def missing_keys(text: str, lines: Iterable[str]) -> tuple[str, ...]:
    """The lines whose key is not in an authorized_keys file. A key with options counts as present."""
    present = {key.plain for key in authorized(text)}
    return tuple(line for line in lines if authorized_key(line) not in present)


def with_lines(text: str, missing: tuple[str, ...]) -> str:
    """The text with the missing lines at its end, each on a line of its own."""
    return text + ("\n" if missing and text and not text.endswith("\n") else "") + "".join(f"{line}\n" for line in missing)
