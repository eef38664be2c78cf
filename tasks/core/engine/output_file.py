"""Files that a run leaves with the operator: whole or not at all, and for nobody else to read where they tell of the site's hosts."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from tasks.core.model.errors import Refused

PRIVATE = 0o600
# More than most file systems keep back for root or for themselves: that there is room is seen by writing.
PROBE_BYTES = 64 * 1024


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Replace a file as one step; a pipe or a device is written as it is. Raises OSError, and leaves nothing half done.

    A file that is there keeps its mode. A new one has `mode`, by default that of any new file.
    """
    path = Path(os.path.realpath(path))
    if not _replaceable(path):
        with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
            os.fchmod(file.fileno(), _mode(path, mode))
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _replaceable(path: Path) -> bool:
    """Whether it is a file, or none yet, in a folder that takes new ones."""
    return (path.is_file() or not path.exists()) and os.access(path.parent, os.W_OK)


def _mode(path: Path, mode: int | None) -> int:
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    if mode is not None:
        return mode
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def refuse_unless_writable(flag: str, path: Path) -> None:
    """Raises Refused where the file that a flag names could not be written at the end, as far as that can be known now."""
    path = Path(os.path.realpath(path))
    try:
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "no permission to write it")
        if _replaceable(path):
            with tempfile.TemporaryFile(dir=path.parent) as file:
                file.write(bytes(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
        elif not path.exists():
            raise FileNotFoundError(
                2, f"no folder {path.parent}" if not path.parent.is_dir() else f"no permission to write in {path.parent}"
            )
    except OSError as error:
        raise Refused(f"{flag}: {path} cannot be written: {error.strerror}; nothing was touched; name another file") from error
