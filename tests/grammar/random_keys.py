"""Random texts of authorized_keys from a seed, with the keys that sshd reads in them."""

import random
from dataclasses import dataclass

KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com")
KEYS = tuple(f"AAAA{word}+/{number}=" for number, word in enumerate(("Alvin", "Simon", "Theodore", "Dave")))
NAMES = ("", "root@alvin", "backup of the nas", "# no comment", 'a "quoted" name', "ssh-rsa AAAADave")
SWITCHES = ("port-forwarding", "agent-forwarding", "x11-forwarding", "pty", "user-rc")
VALUES = (
    *('command="echo \\"ssh-rsa AAAASimon\\""', 'command="rrsync -ro /srv,a"', 'command=""', 'command="back\\slash"'),
    *('from="10.0.0.0/8,!10.1.2.3"', 'principals="a,b"', 'permitopen="[::1]:22"', 'permitlisten="*:80"', 'tunnel="any"'),
    *('environment="A=b c"', 'expiry-time="20400101000000Z"', "cert-authority", "verify-required", "no-touch-required"),
)
# sshd ignores each of these lines.
IGNORED = (
    *("", "  ", "# a comment", "\t# ssh-rsa AAAAAlvin+/0=", "#ssh-rsa AAAAAlvin+/0=", "ssh-rsa", "AAAAAlvin+/0=", "restrict"),
    *("\fssh-rsa AAAAAlvin+/0=", "ssh-rsa\u00a0AAAAAlvin+/0=", "ssh-rsa\fAAAAAlvin+/0=", "ssh-new! AAAAAlvin+/0="),
    *('frm="10.0.0.1" ssh-rsa AAAAAlvin+/0=', "from=10.0.0.1 ssh-rsa AAAAAlvin+/0=", 'command="a ssh-rsa AAAAAlvin+/0='),
    *("no-restrict ssh-rsa AAAAAlvin+/0=", 'command="a",command="b" ssh-rsa AAAAAlvin+/0=', "pty agent ssh-rsa AAAAAlvin+/0="),
    *('environment="b" ssh-rsa AAAAAlvin+/0=', 'tunnel="x" ssh-rsa AAAAAlvin+/0=', 'from="a"b ssh-rsa AAAAAlvin+/0='),
    *('expiry-time="20409901" ssh-rsa AAAAAlvin+/0=', 'permitopen="a:70000" ssh-rsa AAAAAlvin+/0='),
    *('permitopen="host" ssh-rsa AAAAAlvin+/0=', 'pty="yes" ssh-rsa AAAAAlvin+/0=', 'command="a\\" ssh-rsa AAAAAlvin+/0='),
)
BLANKS = (" ", " ", "\t", "  \t")


@dataclass(frozen=True)
class Line:
    """A key of a text: its type, its text, and its options in effect."""

    kind: str
    text: str
    options: frozenset[str]


def authorized(seed: int) -> tuple[str, list[Line]]:
    """A text of up to eight lines with its keys, in order. The same seed gives the same text."""
    chance = random.Random(seed)
    lines: list[str] = []
    found: list[Line] = []
    for _ in range(chance.randrange(9)):
        if chance.random() < 0.4:
            lines.append(chance.choice(IGNORED))
            continue
        kind, key, (spelled, options) = chance.choice(KINDS), chance.choice(KEYS), _options(chance)
        found.append(Line(kind, key, options))
        shown = chance.choice(("ssh-rsa", "rsa-sha2-256", "rsa-sha2-512")) if kind == "ssh-rsa" else kind
        words = [*[spelled] * bool(spelled), shown, key, *[chance.choice(NAMES)] * (chance.random() < 0.7)]
        lines.append(chance.choice(("", "", " ", "\t")) + chance.choice(BLANKS).join(words) + chance.choice(("", "", " ", "\r")))
    return "\n".join(lines) + chance.choice(("", "\n", "\n", "\n\n")), found


def _options(chance: random.Random) -> tuple[str, frozenset[str]]:
    """Options in any spelling, and those in effect. A later switch counts, and `restrict` before it switches all off."""
    if chance.random() < 0.4:
        return "", frozenset()
    valued: dict[str, str] = {}
    for one in chance.sample(VALUES, chance.randrange(4)):
        valued.setdefault(one.partition("=")[0], one)
    restricted = chance.random() < 0.4
    off = chance.sample(SWITCHES, chance.randrange(3))
    on = [one for one in chance.sample(SWITCHES, chance.randrange(3)) if one not in off]
    before = chance.sample([*SWITCHES, *(f"no-{one}" for one in SWITCHES)], 2) if restricted else []
    words = [*before, *["restrict"] * restricted, *(chance.choice((one, f"no-{one}")) for one in off)]
    words += [*(f"no-{one}" for one in off), *on]
    for one in valued.values():
        words.insert(chance.randrange(len(words) + 1), one)
    effect = {"restrict", *on} if restricted else {f"no-{one}" for one in off}
    return _spelled(chance, words), frozenset(effect | set(valued.values()))


def _spelled(chance: random.Random, words: list[str]) -> str:
    """The options with names in any case, and commas that separate nothing."""
    spelled = []
    for word in words:
        name, equals, value = word.partition("=")
        spelled.append(f"{chance.choice((name, name, name.upper(), name.title()))}{equals}{value}")
    commas = [chance.choice((",", ",", ",", ",,")) for _ in spelled]
    text = "".join(map("".join, zip(spelled, commas, strict=True)))
    return text if chance.random() < 0.2 else text.rstrip(",")
