"""Files that hold one secret word, such as a key: read only where nobody else may."""

import stat
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnusableSecret(Exception):
    """Why a file cannot be used: what was found, and what to do about it. The word itself is in no message."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"found {found}; {remedy}")
        self.found, self.remedy = found, remedy


def read_secret(path: Path) -> str:
    """The one word of printable ASCII that the file holds. Raises UnusableSecret."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnusableSecret("no regular file", "name a file")
        said = path.read_bytes()
    except OSError as error:
        raise UnusableSecret(error.strerror or str(error), "write the word into it, readable for you alone") from error
    words = said.split()
    if len(words) != 1:
        raise UnusableSecret(f"{len(words)} words", "correct the file")
    odd = next((byte for byte in words[0] if not 0x21 <= byte <= 0x7E), None)
    if odd is not None:
        raise UnusableSecret(f"the byte 0x{odd:02x}", "use letters, digits and signs of ASCII alone")
    if mode & OTHERS:
        raise UnusableSecret(f"mode {stat.S_IMODE(mode):04o}, which lets others read it", f"run chmod 600 {path}")
    return words[0].decode("ascii")
