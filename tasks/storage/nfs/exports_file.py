"""A parser and validator of exports(5): exportfs has no dry run, and applies what it can of a bad file."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from inventory.nfs_models import Export, Nfs
from tasks.platforms.text_lines import raw_lines

EXPORTS = "/etc/exports.d/burrow.exports"
# A word or a quoted path.
WORD = re.compile(r'"[^"]*"|\S+')
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
    """Every path and client of a file, or of the output of `exportfs -s`. A line that ends with a backslash continues on the next.

    A path without a client is exported to everybody.
    """
    found: list[Row] = []
    for number, line in _lines(text):
        path, *clients = WORD.findall(line)
        defaults = frozenset(word for one in clients if one.startswith("-") for word in one[1:].split(","))
        for one in [one for one in clients if not one.startswith("-")] or [""]:
            client, _, options = one.partition("(")
            found.append(Row(number, _path(path), client, frozenset(options.rstrip(")").split(",")) - {""} | defaults))
    return tuple(found)


def _path(word: str) -> str:
    """The normalized path of a word: in quotes, or with spaces as three octal digits, as exportfs writes them."""
    plain = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word.strip('"'))
    return posixpath.normpath(plain) if plain.startswith("/") else plain


def _lines(text: str) -> Iterator[tuple[int, str]]:
    continued = ""
    for number, raw in enumerate(raw_lines(text), 1):
        line = continued + raw.partition("#")[0].rstrip()
        continued = f"{line[:-1]} " if line.endswith("\\") else ""
        if line.strip() and not continued:
            yield number, line


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
        if len(row.options & set(choice)) != 1:
            yield f"it needs exactly one of {', '.join(choice)}"
    for word in sorted(row.options - KNOWN):
        if word.partition("=")[0] not in WITH_VALUE:
            yield f"the suite does not know the option '{word}'"
    fsid = row.option("fsid")
    if fsid is not None and not (fsid.isdigit() and int(fsid) > 0):
        yield f"fsid '{fsid}' is not a number above 0"
