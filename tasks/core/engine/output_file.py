"""Files that a run writes for the operator: whole or not at all, and private where they describe the site."""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from tasks.core.model.errors import Refused

PRIVATE = 0o600
# Written as a probe for free space; more than most file systems reserve.
PROBE_BYTES = 64 * 1024


def write_whole(path: Path, text: str, mode: int | None = None) -> None:
    """Replace a file atomically; write to a pipe or a device directly. Raises OSError, and leaves no partial file.

    An existing file keeps its mode. A new one gets `mode`, by default that of any new file.
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
    """Whether it is a file or does not exist, in a writable folder."""
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
    """Raises Refused where the file that a flag names cannot be written, as far as can be known beforehand."""
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
