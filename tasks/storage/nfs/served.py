"""What the server serves, against a file of exports: `exportfs -s` says more than the file, and in another order."""

from collections.abc import Iterable

from tasks.core.model.operation import Action
from tasks.storage.nfs.exports_file import KNOWN, WITH_VALUE, Row, rows

Served = tuple[str, str, str]
# exportfs ends with 1 for any line of anybody's, and with 0 for exports that nobody can mount: what counts is that ours are in its table.
SERVE_SCRIPT = """
said=$(exportfs -ra 2>&1)
code=$?
[ $code -le 1 ] || { echo "$said" >&2; exit $code; }
table=$(exportfs -s)
for each; do case $table in *"$each("*) ;; *) echo "$each is not served: $said" >&2; exit 1 ;; esac; done
"""


def served(of: str, table: Iterable[Row]) -> tuple[Served, ...]:
    """(path, client, owned options) as the table has them, of each path and client of a file."""
    ours = {(row.path, row.client) for row in rows(of)}
    return tuple(sorted((row.path, row.client, owned(row)) for row in table if (row.path, row.client) in ours))


def owned(row: Row) -> str:
    """The options of the suite alone; who squashes all squashes root too, which the table says and a file need not."""
    words = {word for word in row.options if word in KNOWN or word.partition("=")[0] in WITH_VALUE}
    return ",".join(sorted(words - ({"root_squash"} if "all_squash" in words else set())))


def serve(text: str, *, shown: str = "") -> Action:
    """Makes the files of all exports live without a restart, and fails where an export of this one is not served then."""
    pairs = tuple(f"{row.path}  {row.client}" for row in rows(text))
    return Action(("/bin/sh", "-c", SERVE_SCRIPT, "exportfs -ra", *pairs), ("exportfs", "-ra"), shown=shown)
