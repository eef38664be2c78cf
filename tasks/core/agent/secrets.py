"""Secrets in texts, which nobody is shown: the one place where they are known from the line that they stand in."""

import re

# Secrets, by the grammar of whoever reads the line: FRR (vtysh), ifupdown2 with its wireless attributes and the commands that it runs,
# WireGuard. Words stand any white space apart, a statement may be quoted in a message, and all that follows the word which announces a
# secret is part of it. Each pattern keeps what stands before.
NAMES = r"pass(?:word|wd|phrase)|psk|secret|token|key"
STATEMENT = r"(?:^[-+ ]?\s*|[\"'`\[]\s*|/\s+|command(?:\[\d+\])?:\s*)(?:no\s+)?"
HEADS = r"ipv?6?|isis|openfabric|area|neighbor|enable|username|mpls|bfd|bgp|rip|ospf6?|pce|(?:pre-|post-)?(?:up|down)|wpa_cli|iwconfig"
ALONE = r"(?<!\w)(?<!\w-)"
ENCODED = r"(?:(?:\d|clear|md5|encrypted)\s+)?"
SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A word of several parts says by itself what follows: authentication-key, area-password, wpa-psk, wireless-key1, private-key.
        rf"({ALONE}[\w.-]*[-_](?:{NAMES})\d*\s+(?:\d+\s+(?=md5\s))?{ENCODED})(?![=:])\S.*",
        rf"({ALONE}(?:key-string|tcp-md5-auth|r[ow]community6?|snmp-server\s+community|com2sec)\s+)\S.*",
        # A bare word does in a statement: `key 1` and `key chain NAME` name keys, and hold none.
        rf"({STATEMENT}(?:{HEADS})\s(?:.*?\s)?(?:{NAMES})\s+(?!chain\b|\d+\s*(?:$|/)){ENCODED})\S.*",
        rf"({STATEMENT}(?:password|passphrase|secret)\s+{ENCODED})\S.*",
        rf"({STATEMENT}(?:(?:{HEADS})\s(?:.*?\s)?)?(?:authentication\s+string|nhrp\s+authentication)\s+)\S.*",
        # NAME=VALUE and NAME: VALUE, as options, files, headers and JSON have it; in prose a colon follows a bare word too.
        rf"({ALONE}[\w.-]*(?:{NAMES})\s*=\s*)\S.*",
        rf"((?:{ALONE}[\w.-]*[-_](?:{NAMES})|(?:{NAMES})[\"']|{STATEMENT}(?:{NAMES}))\s*:\s*)\S.*",
        r"(\bauthorization:\s*)\S.*",
        r"([a-z][a-z0-9+.-]*://(?:[^\s/:@\"']*:)?)[^\s/@\"']+(?=@)",
        r"(\s(?:-u|-U|--user|--proxy-user)[\s=]*[^\s:%]+[:%])\S.*",
        r"(\bsshpass\s+-p\s*)\S.*",
        r"(\b)0x[0-9a-f]{16,}\b.*",
        # 32 bytes in base64: WireGuard's keys.
        r"((?<![a-z0-9+/=]))[a-z0-9+/]{43}=(?![a-z0-9+/=])",
    )
)
PRIVATE_KEY = re.compile(r"-----(BEGIN|END) [A-Z ]*PRIVATE KEY-----")
REMOVED = "<removed>"


def redact(text: str) -> str:
    """The text with every secret replaced by `<removed>`; a change of a key is still a line that goes and one that comes."""
    lines, goes_on, inside = [], False, False
    for line in text.splitlines(keepends=True):
        said, end = line.rstrip("\r\n"), line[len(line.rstrip("\r\n")) :]
        mark = PRIVATE_KEY.search(said)
        inside = mark[1] == "BEGIN" if mark else inside
        kept = without_secrets(said)
        if (inside or goes_on) and not mark:
            kept = said[: len(said) - len(said.lstrip("+- \t"))] + REMOVED
        # What follows a backslash at the end of a line belongs to it (interfaces(5), sh(1)).
        goes_on = kept != said and said.endswith("\\")
        lines.append(kept + end)
    return "".join(lines)


def without_secrets(line: str) -> str:
    """One line, with the words that announce a secret and none after them; one that was redacted before stays as it is."""

    def shown(found: re.Match[str]) -> str:
        rest = found[0].removeprefix(found[1])
        return found[1] + REMOVED + (found.re.sub(shown, rest.removeprefix(REMOVED)) if rest.startswith(REMOVED) else "")

    for pattern in SECRETS:
        line = pattern.sub(shown, line)
    return line
