"""The difference of two configurations as a unified diff. Pure."""

import difflib
from collections.abc import Mapping

NO_NEWLINE = "\\ No newline at end of file"


def difference(running: Mapping[str, str], candidate: Mapping[str, str]) -> str:
    """A unified diff for each file of the candidate, as `diff -u` writes it; empty if nothing differs."""
    chunks: list[str] = []
    for path, text in candidate.items():
        old, new = running.get(path, "").splitlines(keepends=True), text.splitlines(keepends=True)
        chunks += difflib.unified_diff(old, new, path, f"{path} (candidate)")
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n" for line in chunks)
