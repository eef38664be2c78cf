"""Removes secrets from text. This is the only place that recognizes a secret by the line that it is in."""

import re

NAMES = r"pass(?:word|wd|phrase)|psk|secret|token|key|pw"
# A word begins here: not in a name with hyphens, and not in a path.
WORD = r"(?<![\w/])(?<!\w-)(?<!\w\.)"
STATEMENT = r"(?:^\s*[#!;]*\s*|[\"'`\[]\s*|/\s+)(?:no\s+)?"
# Text that speaks of a password, and the names of lists, do not announce one.
SPOKEN_OF = r"a|the|its|this|that|no|any|another|one|same|each|other|your|and|or|of|for|with|without|by|list|map|chain|description"
ANNOUNCED = "".join(rf"(?<!\b{word}\s)" for word in SPOKEN_OF.split("|"))
# How a secret is encoded is not part of it.
ENCODED = r"(?:(?:clear|md5|encrypted|sha512)\s+)?"
# Programs and statements whose bare word `key` announces a secret. `key 1`, `key chain NAME` and the key of a tunnel only name one.
KEYED = r"hash-algo|iwconfig|iw|wpa_cli|macsec|md5|radius-server|tacacs-server"
# The last part of a compound word: authentication-key, area-password, wpa-psk, wireless-key1, private-key, --password.
COMPOUND = rf"(?!message-digest-key|wpa-psk\s+(?:sae|wpa-eap)\b)[\w.-]{{0,64}}[-_.]\w{{0,32}}(?:{NAMES}|pass|pin|bearer)\d*"
# A name before a colon. In prose, a colon follows bare words too.
FIELD = rf"{WORD}[\w.-]{{0,64}}(?:[-_.](?:{NAMES})(?:-data)?|\w(?:password|passphrase|secret|token))|(?:{NAMES}|hash)[\"']"
PARTS = ("pass", "psk", "secret", "token", "key", "pw")
# What announces a secret, in the grammars of FRR, ifupdown2 and the commands that it runs, WireGuard, Ceph, Proxmox, chrony, Kubernetes,
# TrueNAS and vendors' switches: parts of which a line has one, and a pattern, which keeps the text before. A message may quote a statement,
# or put it behind other words. The rest of the line is part of the secret. Repetitions have a limit: a long line takes a moment.
GRAMMAR = (
    ((*PARTS, "pin", "bearer"), rf"({WORD}{COMPOUND}\s+(?:\d+\s+(?=md5\s))?{ENCODED})(?![=:])\S.*"),
    (("string", "auth", "bearer"), rf"({WORD}(?:key-string|tcp-md5-auth|authentication\s+string|nhrp\s+authentication|bearer)\s+)\S.*"),
    (("communit", "com2sec", "createuser"), rf"({WORD}(?:r[ow]community6?|snmp-server\s+community|com2sec6?|createuser)\s+)\S.*"),
    # A bare word, which FRR, ifupdown2 and YAML write in small letters.
    (PARTS, rf"({ANNOUNCED}(?<![\w/.,-])(?-i:password|passphrase|secret|psk)\s+(?:\d\s+)?{ENCODED})(?![=:])\S.*"),
    (("key",), rf"(\b(?:{KEYED})\s(?:.{{0,300}}?\s)?key\s+(?:\d\d?\s+)?)\S.*"),
    (("key", "token"), rf"({STATEMENT}(?:pre-|post-)?(?:up|down)\s(?:.{{0,1000}}?\s)?(?:key\s+(?!\d+\b)|token\s+))\S.*"),
    (("xfrm",), r"(\bxfrm\s.{0,300}?\s(?:auth|auth-trunc|enc|aead)\s+(?:'[^']*'|\"[^\"]*\"|\S+)\s+)\S.*"),
    (("md5", "sha", "aes"), r"((?<![\w.])\d{1,10}\s+(?:md5|sha[\d-]*|aes\d+)\s+)\S.*"),
    # NAME=VALUE and NAME: VALUE, as in options, files, headers and JSON.
    (("=",), rf"((?<!\w)(?<!\w-)[\w.-]{{0,64}}(?:{NAMES}|pass|pwd|cookie)\s*=\s*)\S.*"),
    ((*PARTS, "hash"), rf"((?:{FIELD}|{STATEMENT}(?-i:{NAMES}))\s*:\s*)\S.*"),
    (("authorization", "cookie"), r"(\b(?:authorization|cookie):\s*)\S.*"),
    (("://",), r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://[^\s/:@\"']{0,64}:(?!\d+/))[^\s\"']{1,300}(?=@)"),
    (("://",), r"((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}://)(?![^\s/@]{0,64}:)[^\s/\"']{1,300}(?=@)"),
    (("-u", "user"), r"(\s(?:-u|--user|--proxy-user)[\s=]*[^\s:%+]{1,64}[:%]|\buser(?:name)?=[^\s,%]{1,64}%)\S.*"),
    (("pass",), r"(\bsshpass\s+-p\s*|\bpass:)\S.*"),
    (("|",), r"(\b(?:echo|printf)\s+)\S.{0,300}(?=\|\s*(?:chpasswd|passwd|sudo|cryptsetup|wg)\b)"),
    # Secrets that their form shows: a hash of crypt(5), a token of JSON, a long number, a key of WireGuard.
    (("$",), r"()\$(?:[1-9]|2[abxy]|g?y)\$[^\s:\"']{8,}"),
    (("eyj",), r"(\b)eyj[\w-]{1,1000}\.[\w-]+(?:\.[\w-]*)?"),
    (("0x",), r"(\b)0x[0-9a-f]{16,}\b.*"),
    (("=",), r"((?<![a-z0-9+/=]))[a-z0-9+/]{43}=(?![a-z0-9+/=])"),
)
SECRETS = tuple((parts, re.compile(pattern, re.IGNORECASE)) for parts, pattern in GRAMMAR)
ANY = tuple(dict.fromkeys(part for parts, _ in GRAMMAR for part in parts))
ESCAPED_BLANK = re.compile(r"\\[nrt]")  # in data that a message quotes
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


def last(text: str, letters: int) -> str:
    """The last letters of a text, without secrets: a cut could separate a secret from the words that announce it."""
    near = text[-20 * letters :]
    return redact(near if len(near) == len(text) else near.partition("\n")[2])[-letters:]


def without_secrets(line: str) -> str:
    """One line with the words that announce a secret, but not the secret. A line that is already redacted stays as it is."""
    lowered = line.lower()
    present = {part for part in ANY if part in lowered}
    if not present:
        return line
    mark = line[:1] if line[:1] in {"+", "-"} else ""  # of a diff
    line = line[len(mark) :]
    for parts, pattern in SECRETS:
        if not present.isdisjoint(parts):
            line = _hidden(pattern, line)
    return mark + line


def _hidden(pattern: re.Pattern[str], line: str) -> str:
    """The line without what a pattern finds. What follows a secret that is already removed is searched."""
    spaced = ESCAPED_BLANK.sub("  ", line)
    shown, at = "", 0
    while found := pattern.search(spaced, at):
        ends = found.end(1)
        removed = line.startswith(REMOVED, ends)
        shown += line[at:ends] + REMOVED
        at = ends + len(REMOVED) if removed else found.end()
    return shown + line[at:]
