"""Removes secrets from text. This is the only place that recognizes a secret by the line that it is in."""

import re

# Secrets in the grammars of FRR (vtysh), WireGuard, and ifupdown2 with its wireless attributes and the commands that it runs. Any white
# space may separate words, and a message may quote a statement. Everything after the word that announces a secret is part of the secret.
# Each pattern keeps the text before the secret, and begins in few places of a line: a host may send a line of any length.
NAMES = r"pass(?:word|wd|phrase)|psk|secret|token|key"
STATEMENT = r"(?:^[-+ ]?\s*|[\"'`\[]\s*|/\s+|command(?:\[\d+\])?:\s*)(?:no\s+)?"
HEADS = r"ipv?6?|isis|openfabric|area|neighbor|enable|username|mpls|bfd|bgp|rip|ospf6?|pce|(?:pre-|post-)?(?:up|down)|wpa_cli|iwconfig"
ALONE = r"(?<!\w)(?<!\w-)"
ENCODED = r"(?:(?:\d|clear|md5|encrypted)\s+)?"
SECRETS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # A compound word alone announces a secret: authentication-key, area-password, wpa-psk, wireless-key1, private-key.
        rf"([-_](?:{NAMES})\d*\s+(?:\d+\s+(?=md5\s))?{ENCODED})(?![=:])\S.*",
        rf"({ALONE}(?:key-string|tcp-md5-auth|r[ow]community6?|snmp-server\s+community|com2sec)\s+)\S.*",
        # A bare word announces a secret only in a statement. `key 1` and `key chain NAME` name keys but hold none.
        rf"({STATEMENT}(?:{HEADS})\s(?:.*?\s)?(?:{NAMES})\s+(?!chain\b|\d+\s*(?:$|/)){ENCODED})\S.*",
        rf"({STATEMENT}(?:password|passphrase|secret)\s+{ENCODED})\S.*",
        rf"({STATEMENT}(?:(?:{HEADS})\s(?:.*?\s)?)?(?:authentication\s+string|nhrp\s+authentication)\s+)\S.*",
        # NAME=VALUE and NAME: VALUE, as in options, files, headers and JSON. In prose, a colon follows bare words too.
        rf"((?:{NAMES})\s*=\s*)\S.*",
        rf"((?:[-_](?:{NAMES})|(?:{NAMES})[\"']|{STATEMENT}(?:{NAMES}))\s*:\s*)\S.*",
        r"(\bauthorization:\s*)\S.*",
        r"([a-z][a-z0-9+.-]{0,30}://(?:[^\s/:@\"']*:)?)[^\s/@\"']+(?=@)",
        r"(\s(?:-u|-U|--user|--proxy-user)[\s=]*[^\s:%]+[:%])\S.*",
        r"(\bsshpass\s+-p\s*)\S.*",
        r"(\b)0x[0-9a-f]{16,}\b.*",
        # 32 bytes in base64: a key of WireGuard.
        r"((?<![a-z0-9+/=]))[a-z0-9+/]{43}=(?![a-z0-9+/=])",
    )
)
PRIVATE_KEY = re.compile(r"-----(BEGIN|END) [A-Z ]*PRIVATE KEY-----")
REMOVED = "<removed>"


def redact(text: str) -> str:
    """The text with every secret replaced by `<removed>`. A changed key still shows as one removed line and one added line."""
    lines, continues, inside = [], False, False
    for line in text.splitlines(keepends=True):
        content = line.rstrip("\r\n")
        mark = PRIVATE_KEY.search(content)
        inside = mark[1] == "BEGIN" if mark else inside
        redacted = without_secrets(content)
        if (inside or continues) and not mark:
            redacted = content[: len(content) - len(content.lstrip("+- \t"))] + REMOVED
        # A backslash at the end of a line continues it (interfaces(5), sh(1)).
        continues = redacted != content and content.endswith("\\")
        lines.append(redacted + line[len(content) :])
    return "".join(lines)


def without_secrets(line: str) -> str:
    """One line with the words that announce a secret, but not the secret. A line that is already redacted stays as it is."""

    def shown(found: re.Match[str]) -> str:
        rest = found[0].removeprefix(found[1])
        return found[1] + REMOVED + (found.re.sub(shown, rest.removeprefix(REMOVED)) if rest.startswith(REMOVED) else "")

    for pattern in SECRETS:
        line = pattern.sub(shown, line)
    return line
