"""A host's network configuration as one text: /etc/network/interfaces first, then the other files, each after a marker line.

The marker is a comment to every tool that reads the files, so the text of a host without FRR is simply its interfaces file.
"""

from collections.abc import Mapping

from tasks.platforms.configuration import configuration
from tasks.platforms.ifupdown2.files import INTERFACES

MARKER = "#### file "


def split(text: str) -> dict[str, str]:
    """{path: text} of a candidate. Raises ValueError with the line of a marker that names another file."""
    files: dict[str, list[str]] = {INTERFACES: []}
    path = INTERFACES
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.startswith(MARKER):
            path = line.removeprefix(MARKER).strip()
            if path not in configuration():
                raise ValueError(f"line {number}: a candidate consists of {', '.join(configuration())}; found {path}")
            files[path] = []
        else:
            files[path].append(line)
    return {name: "".join(lines) for name, lines in files.items()}


def join(files: Mapping[str, str]) -> str:
    """One candidate text of {path: text}; `split` gives the same files back."""
    parts = [files.get(INTERFACES, "")]
    parts += [f"{MARKER}{path}\n{files[path]}" for path in configuration() if path in files and path != INTERFACES]
    return "".join(part if part.endswith("\n") or not part else part + "\n" for part in parts)


def merge(files: Mapping[str, str], candidate: str) -> dict[str, str]:
    """`files` with the candidate merged into each file that it names; everything else is unchanged. Raises ValueError as `split` does."""
    wanted = {path: text for path, text in split(candidate).items() if text.strip()}
    return {**files, **{path: configuration()[path].merge(files.get(path, ""), text) for path, text in wanted.items()}}
