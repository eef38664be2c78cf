"""The server's export table, compared with an exports file: `exportfs -s` prints more options than the file, in another order."""

from collections.abc import Iterable

from tasks.core.model.operation import Action
from tasks.storage.nfs.exports_file import KNOWN, WITH_VALUE, Row, rows

Served = tuple[str, str, str]
# exportfs exits with 1 for a bad line in any file, and with 0 for exports that no client can mount. So the script looks for each export of
# the suite in the table.
SERVE_SCRIPT = """
output=$(exportfs -ra 2>&1)
code=$?
[ $code -le 1 ] || { echo "$output" >&2; exit $code; }
table=$(exportfs -s)
for each; do case $table in *"$each("*) ;; *) echo "$each is not served: $output" >&2; exit 1 ;; esac; done
"""


def served(exports: str, table: Iterable[Row]) -> tuple[Served, ...]:
    """(path, client, owned options) from the table, for each path and client of an exports file."""
    ours = {(row.path, row.client) for row in rows(exports)}
    return tuple(sorted((row.path, row.client, owned(row)) for row in table if (row.path, row.client) in ours))


def owned(row: Row) -> str:
    """Only the options that the suite sets. `all_squash` includes `root_squash`, which the table lists and a file may omit."""
    words = {word for word in row.options if word in KNOWN or word.partition("=")[0] in WITH_VALUE}
    return ",".join(sorted(words - ({"root_squash"} if "all_squash" in words else set())))


def serve(text: str, *, shown: str = "") -> Action:
    """Applies all exports files without a restart, and fails where the server then does not serve an export of this one."""
    pairs = tuple(f"{row.path}  {row.client}" for row in rows(text))
    return Action(("/bin/sh", "-c", SERVE_SCRIPT, "exportfs -ra", *pairs), ("exportfs", "-ra"), shown=shown)
