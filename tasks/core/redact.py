"""Keys of FRR's configuration, which no diff, log or record may show."""

import re

# FRR's files can hold these; each pattern keeps what stands before the key.
KEYS = {
    r"((?:enable )?password (?:8 )?)\S+": r"\1<removed>",
    r"((?:message-digest-key \d+ md5|authentication-key|key-string|neighbor \S+ password) )\S+": r"\1<removed>",
}


def redact(text: str) -> str:
    """The text with every key replaced by `<removed>`; a change of a key is still a line that goes and one that comes."""
    for pattern, kept in KEYS.items():
        text = re.sub(pattern, kept, text)
    return text
