"""A parser and validator of exports(5): exportfs has no dry run, and applies what it can of a bad file."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from inventory.nfs_models import Export, Nfs
from tasks.platforms.text_lines import bare_lines

EXPORTS = "/etc/exports.d/burrow.exports"
# A comment begins at the beginning of a word only. Quotes may begin within a word.
ITEM = re.compile(
    r"""(?P<word>(?:"[^"]*(?:"|\Z) | \\(?!\n) | [^\s"\\#] | (?<=[^\s\\])\#)+)
    | (?P<comment>\#[^\n]*) | (?P<end>(?<!\\)\n) | \s | \\""",
    re.VERBOSE | re.ASCII,
)
OPPOSITES = (
    *(("ro", "rw"), ("sync", "async"), ("root_squash", "no_root_squash"), ("all_squash", "no_all_squash"), ("hide", "nohide")),
    *(("crossmnt", "nocrossmnt"), ("wdelay", "no_wdelay"), ("secure", "insecure"), ("acl", "no_acl"), ("mp", "mountpoint")),
    *(("subtree_check", "no_subtree_check"), ("pnfs", "no_pnfs"), ("secure_locks", "insecure_locks", "auth_nlm", "no_auth_nlm")),
)
# What may differ between security flavours (nfs-utils, secinfo_flag_displaymap), and the flavours themselves.
OF_A_FLAVOUR = ("ro", "secure", "root_squash", "all_squash", "sec")
# exports(5): access, when the server answers a write, squash. Each line of the suite sets one of each.
CHOICES = (("rw", "ro"), ("sync", "async"), ("root_squash", "no_root_squash", "all_squash"))
KNOWN = frozenset({*(word for choice in CHOICES for word in choice), "no_subtree_check", "insecure", "no_wdelay", "crossmnt", "no_acl"})
WITH_VALUE = ("fsid", "mountpoint")


@dataclass(frozen=True)
class Row:
    """A path with one of its clients. An empty client means everybody, as `*` does."""

    number: int
    path: str
    client: str
    options: frozenset[str]
    contradicted: frozenset[str] = frozenset()
    """The client's options that have no effect, because a later one of its list says the opposite."""

    @property
    def v4_root(self) -> bool:
        """Whether its fsid makes it the root of all v4 clients: `root`, or a zero in any of C's notations."""
        return re.fullmatch(r"root|0x0+|0+", self.option("fsid") or "") is not None

    @property
    def everybody(self) -> bool:
        """Whether it is open to every address."""
        return self.client in ("", "*", "0.0.0.0/0", "::/0")

    def option(self, name: str) -> str | None:
        """The value of an option that has one."""
        return next((word.partition("=")[2] for word in self.options if word.startswith(f"{name}=")), None)


def rows(text: str) -> tuple[Row, ...]:
    """Every path and client of a file, as nfs-utils reads them (support/nfs/exports.c and xio.c).

    A path without a client is exported to everybody, and so it is when options after `-` are its last word. Those are for the clients that
    follow. Of two options that contradict each other, the last one counts; a client's own come after those of `-`.
    """
    found: list[Row] = []
    for number, (path, *words) in _entries(text):
        for client, defaults, own in _clients(words):
            effect = _effect((*defaults, *own))
            found.append(Row(number, _normal(path), client, effect, frozenset(own) - effect))
    return tuple(found)


def _clients(words: list[str]) -> Iterator[tuple[str, list[str], list[str]]]:
    """(client, the options after `-` before it, its own options)."""
    defaults: list[str] = []
    remaining = iter(words or [""])
    for word in remaining:
        if word.startswith("-"):
            defaults += _split(word[1:])
        client, _, own = (next(remaining, "") if word.startswith("-") else word).partition("(")
        yield client, list(defaults), _split(own.rstrip(")"))


def _split(words: str) -> list[str]:
    return [word for word in words.split(",") if word]


def _effect(options: Iterable[str]) -> frozenset[str]:
    """The options without those that a later one contradicts. Some are for the flavours of the `sec=` before them alone."""
    last: dict[tuple[str, str], str] = {}
    flavours = ""
    for option in options:
        name = _name(option)
        flavours = option if name == "sec" else flavours
        last[name, flavours if name in OF_A_FLAVOUR else ""] = option
    return frozenset(last.values())


def served_rows(output: str) -> tuple[Row, ...]:
    """The rows of `exportfs -s`, one a line: it writes blanks of a path as octal digits, but quotes as they are (tried with 2.8)."""
    found: list[Row] = []
    for number, line in enumerate(bare_lines(output), 1):
        if line.strip():
            path, shown = line.split()
            client, _, words = shown.rstrip(")").partition("(")
            found.append(Row(number, _normal(_octal(path)), client, frozenset(words.split(","))))
    return tuple(found)


def _name(option: str) -> str:
    """What an option is about: `ro` and `rw` are about one thing."""
    name = option.partition("=")[0]
    return next((choice[0] for choice in OPPOSITES if name in choice), name)


def _normal(path: str) -> str:
    return posixpath.normpath(path) if path.startswith("/") else path


def _entries(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, words) of each entry: a newline ends it, unless a backslash stands before it or quotes around it."""
    words: list[str] = []
    first = 1
    for found in ITEM.finditer(f"{text}\n"):
        if found["word"]:
            first = first if words else text.count("\n", 0, found.start()) + 1
            words.append(_plain(found["word"]))
        elif found["end"] and words:
            yield first, words
            words = []


def _plain(word: str) -> str:
    """A word without its quotes, with its characters of three octal digits."""
    return _octal(re.sub(r"\\\n[ \t]*", " ", word).replace('"', ""))


def _octal(word: str) -> str:
    return re.sub(r"\\([0-3][0-7]{2})", lambda found: chr(int(found[1], 8)), word)


def options(nfs: Nfs, path: str, export: Export) -> tuple[str, ...]:
    """An export's options as in exports(5). With `mountpoint`, the server does not serve the folder while the array is not mounted."""
    words = [export.access.value, "sync" if export.sync else "async", "no_subtree_check", export.squash.value, *export.options]
    if export.fsid is not None:
        words.append(f"fsid={export.fsid}")
    return (*words, f"mountpoint={nfs.array_of(path)}")


def faults(text: str) -> tuple[str, ...]:
    """The errors of a file of the suite, a sentence each. exportfs does not warn of any of them in time."""
    found: list[str] = []
    numbers: dict[str, str] = {}
    for row in rows(text):
        where = f"line {row.number}: {row.path}"
        found += [f"{where}: {fault}" for fault in (*_faults_of_client(row), *_faults_of_options(row))]
        fsid = row.option("fsid")
        if fsid is not None and numbers.setdefault(fsid, row.path) != row.path:
            found.append(f"{where}: {numbers[fsid]} already has fsid {fsid}")
    return tuple(found)


def _faults_of_client(row: Row) -> Iterator[str]:
    if not row.path.startswith("/"):
        yield "it is not an absolute path"
    if row.everybody:
        yield "it is open to everybody: is there a space before '('?"
        return
    try:
        IPv4Network(row.client)
    except (AddressValueError, NetmaskValueError, ValueError):
        yield f"'{row.client}' is not an IPv4 network or address"


def _faults_of_options(row: Row) -> Iterator[str]:
    for choice in CHOICES:
        if len((row.options | row.contradicted) & set(choice)) != 1:
            yield f"it needs exactly one of {', '.join(choice)}"
    for word in sorted(row.options - KNOWN):
        if word.partition("=")[0] not in WITH_VALUE:
            yield f"the suite does not know the option '{word}'"
    fsid = row.option("fsid")
    if fsid is not None and not (fsid.isdigit() and int(fsid) > 0):
        yield f"fsid '{fsid}' is not a number above 0"
