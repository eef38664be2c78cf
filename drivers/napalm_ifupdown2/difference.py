"""The difference of two configurations as a unified diff, without secrets. Pure."""

from collections.abc import Mapping

from tasks.core.model.text_diff import unified

NO_NEWLINE = "\\ No newline at end of file"


def difference(running: Mapping[str, str], candidate: Mapping[str, str]) -> str:
    """A unified diff for each file of the candidate, as `diff -u` writes it; empty if nothing differs."""
    chunks: list[str] = []
    for path, text in candidate.items():
        chunks += unified(running.get(path, ""), text, path, f"{path} (candidate)")
    return "".join(line if line.endswith("\n") else f"{line}\n{NO_NEWLINE}\n" for line in chunks)
