"""The part of an SSH configuration that concerns one host. asyncssh parses the whole file anew for each connection (2.24, config.py).

The blocks of other hosts are left out where they are named without a pattern. Their lines become empty lines, so that the numbers in
messages stay right. A file with conditions that are judged later (`Match`, canonical names) or that includes others is used as it is.
"""

import atexit
import re
import shutil
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path

# ssh_config(5): keywords are case-insensitive; a value may follow `=`.
KEYWORD = re.compile(r"\s*([A-Za-z]+)(?:\s*=\s*|\s+|$)(.*)")
WHOLE = frozenset({"match", "include", "canonicalizehostname"})
DEFAULT = "~/.ssh/config"


def of_host(config: Sequence[str], host: str) -> dict[str, str]:
    """{path to read: the file that it is a part of}; without any file, that of the user's own configuration if there is one."""
    paths = [Path(path) for path in config] or [path for path in (Path(DEFAULT).expanduser(),) if path.is_file()]
    return {str(_part(path, host)): str(path) for path in paths}


def forget(parts: Mapping[str, str]) -> None:
    """Delete the copies that `of_host` made."""
    for part, whole in parts.items():
        if part != whole:
            Path(part).unlink(missing_ok=True)


def _part(path: Path, host: str) -> Path:
    """The file with only what concerns the host; the file itself where that cannot be told, or where it cannot be read."""
    with suppress(OSError, UnicodeDecodeError):
        found = path.stat()
        blocks = _blocks(path, found.st_mtime_ns, found.st_size)
        if blocks is None or len(blocks) < 2:
            return path
        lines = [line if names is None or host in names else "\n" for names, block in blocks for line in block]
        copy = _folder() / uuid.uuid4().hex
        copy.write_text("".join(lines), encoding="utf-8")
        return copy
    return path


@lru_cache(maxsize=8)
def _blocks(path: Path, _mtime_ns: int, _size: int) -> list[tuple[frozenset[str] | None, list[str]]] | None:
    """(hosts, lines) of each block; no hosts where it may concern any host. None where the file has to be used as it is."""
    blocks: list[tuple[frozenset[str] | None, list[str]]] = [(None, [])]
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        found = KEYWORD.match(line)
        keyword = found[1].lower() if found else ""
        if keyword in WHOLE:
            return None
        if found and keyword == "host":
            literal = not re.search(r"[*?!\"'\\#,]", found[2])
            blocks.append((frozenset(found[2].split()) if literal else None, []))
        blocks[-1][1].append(line)
    return blocks


@cache
def _folder() -> Path:
    """The folder of the copies, which only their owner may enter; it is deleted when the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="burrow-ssh-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
