"""Random texts of storage.cfg from a seed, with what Proxmox reads in them, or with the line that it skips with a warning."""

import random
from dataclasses import dataclass

NAMES = ("vault-data", "vm-storage", "a1", "Flash.Configs", "b_2", "local")
TYPES = ("nfs", "rbd", "dir", "zfspool", "NFS")
TEXTS = {
    "server": ("192.168.103.114", "vault"),
    "export": ("/mnt/Vault/Data", "/a b", "/x # y"),
    "pool": ("vm-storage", "rbd"),
    "content": ("images,rootdir",),
}
SWITCHES = ("krbd", "disable", "shared")
# Lines that mean nothing: comments, and blanks, which do not end a storage as an empty line does.
NOTHING = ("# a comment", "\t# indented", "  ", "\t", "#nfs: x", "#")
BLANKS = ("\t", "  ", " \t")
# Proxmox skips each of these: in a storage, and outside of one.
SKIPPED_INSIDE = ("nfs: other", "pool x", "nfs:", "\tserver", "\ttype other", "0", "\x85pool x")
SKIPPED_OUTSIDE = ("nfs vault", "\tpool x", "nfs: 1x", "nfs: a", "rbd: a:b", " rbd: indented", "nfs: two words", "0", "dir: ü1")


@dataclass(frozen=True)
class Text:
    """A text, with either its storages or the number of its first line that Proxmox skips, else 0."""

    text: str
    storages: dict[str, dict[str, str]]
    fault: int


def storages(seed: int) -> Text:
    """Up to five storages; a third of the texts have a line that Proxmox skips. The same seed gives the same text."""
    chance = random.Random(seed)
    lines: list[str] = []
    found: dict[str, dict[str, str]] = {}
    fault, faulty = 0, chance.randrange(15)
    for place in range(chance.randrange(6)):
        lines += _nothing(chance) + [""] * chance.randrange(2)
        if place == faulty:
            lines.append(chance.choice(SKIPPED_OUTSIDE))
            fault = len(lines)
            break
        name, storage = _storage(chance, lines)
        found[name] = storage
        if place + 5 == faulty:
            lines.append(chance.choice(SKIPPED_INSIDE))
            fault = len(lines)
            break
        lines += ["", *_nothing(chance)]
    if found.get("local", {}).get("type", "dir") != "dir":
        found["local"] = {"type": "dir", "path": "/var/lib/vz"}
    end = "" if fault else chance.choice(("", "\n", "\n\n"))
    return Text("\n".join(lines) + end, found, fault)


def _storage(chance: random.Random, lines: list[str]) -> tuple[str, dict[str, str]]:
    name, kind = chance.choice(NAMES), chance.choice(TYPES)
    lines.append(f"{kind}:{chance.choice(('', *BLANKS))}{name}{_end(chance)}")
    storage = {"type": kind.lower()}
    for key in chance.sample((*TEXTS, *SWITCHES), chance.randrange(5)):
        lines += _nothing(chance)
        storage[key] = chance.choice(TEXTS[key]) if key in TEXTS else "1"
        bare = key in SWITCHES and chance.random() < 0.5
        words = [key] if bare else [key, storage[key]]
        lines += [chance.choice(BLANKS) + chance.choice(BLANKS).join(words) + _end(chance)] * (1 if chance.random() < 0.9 else 2)
    return name, storage


def _end(chance: random.Random) -> str:
    return chance.choice(("", "", "", " ", "\t", "\r"))


def _nothing(chance: random.Random) -> list[str]:
    return [chance.choice(NOTHING)] if chance.random() < 0.2 else []
