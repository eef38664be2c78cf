"""Random texts of ceph.conf from a seed, with what Ceph reads in them, or with the line that it cannot read."""

import random
from dataclasses import dataclass

SECTIONS = {"global": ("[global]", "[global] ", "[glo\\\nbal]"), "osd": ("[osd]",), "mon.alvin": ("[mon.alvin]\t",), "a b]": ("[a b\\]]",)}
NAMES = {
    "fsid": ("fsid",),
    "mon_host": ("mon host", "mon_host", "mon  host", "mon\thost"),
    "a-b": ("a-b",),
    "A_b": ("A_b",),
    "auth_cluster_required": ("auth cluster_required", "auth_cluster_required"),
}
VALUES = {
    "cephx": ("cephx", '"cephx"', "'cephx'", '" cephx "', "ce\\\nphx", "\\\ncephx", "cephx\\\n"),
    "": ("", '""', "\\\n"),
    "a, b": ("a, b", '"a, b"', "a,\\\n b"),
    "a # b;": ("a \\# b\\;", '"a \\# b\\;"'),
    'x"y': ('x"y', '"x\\"y"', "'x\"y'"),
    "b = c": ("b = c", '"b = c"'),
    "c:dir": ("c:\\dir",),
    "[x]": ("[x]",),
    "ü\u00a0": ("ü\u00a0", '"ü\u00a0"'),
    "a\\": ("a\\\\", '"a\\\\"'),
    '"q"': (' \\\n "q"',),
}
BEFORE = ("", "", " ", "\t", "    ")
EQUALS = ("=", " = ", "\t=\t", "= ", "   =")
AFTER = ("", "", " ", "\t", " # a comment", ";c", " # joins nothing \\", "#[osd]")
NOTHING = ("", "", "# a comment", "  ; [osd]", "#", "# a \\", " \t# b")
# Ceph can read none of a file with one of these lines in a section.
FAULTS = (
    *("fsid", "= 1", 'fsid = "a', 'fsid = "a" b', 'fsid = "a # b"', "fsid[0] = 1", " [osd]", "\t[osd]", "[osd] x", "[osd", "[]"),
    *("fsid # = 1", "[o#sd]", "\f", "\u00a0", 'fsid = "a \\\n b"', "fsid = 'a", "some words", "\t= 1", "[osd] \\\n"),
)


@dataclass(frozen=True)
class Text:
    """A text, with either its sections or the number of its first line that Ceph cannot read, else 0."""

    text: str
    sections: dict[str, dict[str, str]]
    fault: int


def ceph_conf(seed: int) -> Text:
    """Up to four sections of up to five settings; a third of the texts have a fault. The same seed gives the same text."""
    chance = random.Random(seed)
    lines = [chance.choice(("", "# made by hand", "  # indented"))] * chance.randrange(3)
    found: dict[str, dict[str, str]] = {}
    for _ in range(chance.randrange(5)):
        name = chance.choice(("global", *SECTIONS))
        lines.append(chance.choice(SECTIONS[name]) + chance.choice(AFTER))
        section = found.setdefault(name, {})
        for _ in range(chance.randrange(6)):
            lines += [chance.choice((*NOTHING, "  ", "\t"))] * (chance.random() < 0.3)
            key, value = chance.choice(list(NAMES)), chance.choice(list(VALUES))
            section[key] = value
            lines.append(_setting(chance, key, value))
    fault = 0
    if found and chance.random() < 0.3:
        place = chance.randrange(lines.index(next(line for line in lines if line.startswith("["))), len(lines)) + 1
        fault = "\n".join([*lines[:place], ""]).count("\n") + 1
        lines.insert(place, chance.choice(FAULTS))
    end = chance.choice(("\n", "\n", "\n\n", "\n# the end")) if lines else ""
    text = "\n".join(lines) + end
    return Text(text.replace("\n", "\r\n") if chance.random() < 0.1 else text, found, fault)


def _setting(chance: random.Random, key: str, value: str) -> str:
    spelled = chance.choice(VALUES[value])
    after = chance.choice(AFTER)
    return f"{chance.choice(BEFORE)}{chance.choice(NAMES[key])}{chance.choice(EQUALS)}{spelled}{after}"
