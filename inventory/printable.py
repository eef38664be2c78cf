"""Escapes characters that a terminal, page or log would interpret.

Names and messages of hosts, and bytes of files that are not UTF-8, may hold sequences that control a terminal (ECMA-48), reorder the text
(UAX #9), or cannot be encoded at all (surrogates). Burrow keeps data as it was read, and escapes the text that it prints.
"""

LINES = "\n\t"


def printable(text: str, keep: str = "") -> str:
    r"""The text with an escape (`\x1b`, `\u202e`) for each character that is not printable and not in `keep`."""
    return text if text.isprintable() else "".join(one if one.isprintable() or one in keep else _escape(ord(one)) for one in text)


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8 (PEP 383)
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
