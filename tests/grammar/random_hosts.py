"""Random texts of known_hosts from a seed, with the keys that ssh knows of an address by them."""

import base64
import hashlib
import hmac
import random

ADDRESS = "172.16.101.2"
KINDS = ("ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256")
KEYS = ("AAAAAlvin", "AAAASimon", "AAAATheodore")
MATCHING = ("172.16.101.2", "172.16.101.*", "*", "172.16.10?.2", "172.?6.101.2", "alvin,172.16.101.2", "172.16.101.2,alvin", "!alvin,*")
OTHER = (
    *("172.16.101.20", "[172.16.101.2]:22", "[172.16.101.2]:2222", "alvin", "!172.16.101.2,*", "*,!172.16.*", "[1]72.16.101.2"),
    *("172.16.101.2]", "172.16.101", "|1|bad|bad", "|1|c2hvcnQ=|c2hvcnQ=", ",", "172.16.101.[2]", "172.16.101.2*3"),
)
MARKERS = ("", "", "", "@revoked", "@cert-authority")
BLANKS = (" ", " ", "\t", " \t ")
# ssh knows nothing by these lines.
IGNORED = (
    *("", "  ", "# a comment", "\t# 172.16.101.2 ssh-rsa AAAAAlvin", "#172.16.101.2 ssh-rsa AAAAAlvin", "172.16.101.2", "* ssh-rsa"),
    *("@other * ssh-rsa AAAAAlvin", "@revoked\t* ssh-rsa AAAAAlvin", "@revoked @revoked * ssh-rsa AAAAAlvin", "@revoked"),
    *(
        "* 2048 65537 123",
        "* # ssh-rsa AAAAAlvin",
        "*\u00a0ssh-rsa AAAAAlvin",
        '* from="a" ssh-rsa AAAAAlvin',
        "@REVOKED * ssh-rsa AAAAAlvin",
    ),
)


def known(seed: int) -> tuple[str, list[tuple[str, str, str]]]:
    """A text of up to eight lines, with (marker, type, key) of those about ADDRESS. The same seed gives the same text."""
    chance = random.Random(seed)
    lines: list[str] = []
    found: list[tuple[str, str, str]] = []
    for _ in range(chance.randrange(9)):
        if chance.random() < 0.3:
            lines.append(chance.choice(IGNORED))
            continue
        marker, kind, key, matches = chance.choice(MARKERS), chance.choice(KINDS), chance.choice(KEYS), chance.random() < 0.5
        blank = chance.choice(BLANKS)
        words = [_names(chance, matches), kind, key, *[chance.choice(("root@simon", "# 172.16.101.2"))] * (chance.random() < 0.3)]
        # After a marker, ssh takes a tab only in a line without blanks.
        line = blank.join(words) if blank == "\t" else f"{blank.strip(' ')}{blank.join(words)}"
        marked = marker + ("\t" if marker and blank == "\t" and " " not in line else " " * bool(marker))
        lines.append(
            chance.choice(("", "", " ", "\t")) + marked + line + chance.choice(("", "", " ", "\r")) * (" " in marked or not marker)
        )
        found += [(marker, kind, key)] * matches
    return "\n".join(lines) + chance.choice(("", "\n", "\n", "\n\n")), found


def _names(chance: random.Random, matches: bool) -> str:
    if chance.random() < 0.3:
        return hashed(ADDRESS if matches else "172.16.101.3", chance.randbytes(20))
    return chance.choice(MATCHING if matches else OTHER)


def hashed(name: str, salt: bytes) -> str:
    """A name as `ssh-keygen -H` writes it."""
    digest = hmac.digest(salt, name.encode(), hashlib.sha1)
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
