"""Reads files that hold one secret word, such as a key. Only the owner may be able to read the file."""

import stat
from pathlib import Path

OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnusableSecret(Exception):
    """The reason why a file cannot be used: what was found, and what to do. No message contains the secret."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(f"found {found}; {remedy}")
        self.found, self.remedy = found, remedy


def read_secret(path: Path) -> str:
    """The one word of printable ASCII in the file. Raises UnusableSecret."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise UnusableSecret("no regular file", "name a regular file")
        content = path.read_bytes()
    except OSError as error:
        raise UnusableSecret(error.strerror or str(error), "write the word into it, and let only your user read it") from error
    words = content.split()
    if len(words) != 1:
        raise UnusableSecret(f"{len(words)} words", "correct the file")
    odd = next((byte for byte in words[0] if not 0x21 <= byte <= 0x7E), None)
    if odd is not None:
        raise UnusableSecret(f"the byte 0x{odd:02x}", "use only ASCII letters, digits and punctuation")
    if mode & OTHERS:
        raise UnusableSecret(f"mode {stat.S_IMODE(mode):04o}, which lets other users read it", f"run chmod 600 {path}")
    return words[0].decode("ascii")
