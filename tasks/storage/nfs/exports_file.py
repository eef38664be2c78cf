"""Lines of exports(5), read and judged by us: exportfs has no dry run, and takes what it can of a bad file."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Network, NetmaskValueError

from inventory.nfs_models import Export, Nfs

EXPORTS = "/etc/exports.d/burrow.exports"
# A word, or a quoted path; then the clients' words.
WORD = re.compile(r'"[^"]*"|\S+')
# exports(5): who is squashed, what an answer waits for, what clients may do. Each line of ours says one of each.
CHOICES = (("rw", "ro"), ("sync", "async"), ("root_squash", "no_root_squash", "all_squash"))
KNOWN = frozenset({*(word for choice in CHOICES for word in choice), "no_subtree_check", "insecure", "no_wdelay", "crossmnt", "no_acl"})
WITH_VALUE = ("fsid", "mountpoint")


@dataclass(frozen=True)
class Row:
    """A path with one of its clients; an empty client is everybody, as `*` is."""

    number: int
    path: str
    client: str
    options: frozenset[str]

    @property
    def v4_root(self) -> bool:
        """Whether it is named as the root of all v4 clients: by the word, or by a 0 as C writes numbers."""
        return re.fullmatch(r"root|0x0+|0+", self.option("fsid") or "") is not None

    @property
    def everybody(self) -> bool:
        """Whether no address is kept out."""
        return self.client in ("", "*", "0.0.0.0/0", "::/0")

    def option(self, name: str) -> str | None:
        """The value of an option that has one."""
        return next((word.partition("=")[2] for word in self.options if word.startswith(f"{name}=")), None)


def rows(text: str) -> tuple[Row, ...]:
    """Every path and client of a file, or of what `exportfs -s` prints. A line that ends with a backslash goes on in the next.

    A path alone is exported to everybody.
    """
    found: list[Row] = []
    for number, line in _lines(text):
        path, *clients = WORD.findall(line)
        defaults = frozenset(word for one in clients if one.startswith("-") for word in one[1:].split(","))
        for one in [one for one in clients if not one.startswith("-")] or [""]:
            client, _, options = one.partition("(")
            said = frozenset(options.rstrip(")").split(",")) - {""}
            found.append(Row(number, _path(path), client, said | defaults))
    return tuple(found)


def _path(word: str) -> str:
    """The path that a word names: in quotes, or a space as three octal digits, as exportfs writes it; a / more or less is none."""
    plain = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), word.strip('"'))
    return posixpath.normpath(plain) if plain.startswith("/") else plain


def _lines(text: str) -> Iterator[tuple[int, str]]:
    begun = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = begun + raw.partition("#")[0].rstrip()
        begun = f"{line[:-1]} " if line.endswith("\\") else ""
        if line.strip() and not begun:
            yield number, line


def options(nfs: Nfs, path: str, export: Export) -> tuple[str, ...]:
    """An export's options in the words of exports(5). Where its array is not mounted, the server does not serve the folder below it."""
    words = [export.access.value, "sync" if export.sync else "async", "no_subtree_check", export.squash.value, *export.options]
    if export.fsid is not None:
        words.append(f"fsid={export.fsid}")
    return (*words, f"mountpoint={nfs.array_of(path)}")


def faults(text: str) -> tuple[str, ...]:
    """What is wrong with a file of ours, a sentence each; of nothing here would exportfs warn in time."""
    said: list[str] = []
    numbers: dict[str, str] = {}
    for row in rows(text):
        where = f"line {row.number}: {row.path}"
        said += [f"{where}: {fault}" for fault in (*_faults_of_client(row), *_faults_of_options(row))]
        fsid = row.option("fsid")
        if fsid is not None and numbers.setdefault(fsid, row.path) != row.path:
            said.append(f"{where}: fsid {fsid} is {numbers[fsid]}'s")
    return tuple(said)


def _faults_of_client(row: Row) -> Iterator[str]:
    if not row.path.startswith("/"):
        yield "it is no absolute path"
    if row.everybody:
        yield "it is open to everybody: is there a space before '('?"
        return
    try:
        IPv4Network(row.client)
    except (AddressValueError, NetmaskValueError, ValueError):
        yield f"'{row.client}' is no IPv4 network or address"


def _faults_of_options(row: Row) -> Iterator[str]:
    for choice in CHOICES:
        if len(row.options & set(choice)) != 1:
            yield f"it has to say one of {', '.join(choice)}"
    for word in sorted(row.options - KNOWN):
        if word.partition("=")[0] not in WITH_VALUE:
            yield f"exports(5) of the suite has no option '{word}'"
    fsid = row.option("fsid")
    if fsid is not None and not (fsid.isdigit() and int(fsid) > 0):
        yield f"fsid '{fsid}' is no number above 0"
