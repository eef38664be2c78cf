"""Random entries of exports(5), in the forms that nfs-utils accepts, from a seed. All paths are in one folder."""

import random

NAMES = ("data", "with space", "a#b", 'two"', "tab\tbed", "umlaut-ü")
CLIENTS = ("10.0.0.0/8", "172.16.0.0/16", "@nodes", "*.example.org", "*")
# Of two in one group, the last one counts. `exportfs -s` does not show `insecure`.
OPTIONS = (("ro", "rw"), ("sync", "async"), ("root_squash", "no_root_squash"), ("all_squash",), ("no_wdelay",), ("crossmnt",))
OPTIONS += (("no_subtree_check",), ("fsid=7",), ("anonuid=1000",))
COMMENTS = ("# all of them", "", "   ", "#", "# to be continued \\")
JOINS = (" ", "  ", "\t", " \\\n\t", " \\\n")


def exports(seed: int, folder: str) -> str:
    """An entry with up to three clients, and perhaps a comment around it. The same seed gives the same text."""
    chance = random.Random(seed)
    clients = chance.sample(CLIENTS, chance.randrange(1, 4))
    words = [_path(chance, f"{folder}/{seed}-{chance.choice(NAMES)}")]
    words += [f"-{_options(chance)}"] * (chance.random() < 0.3)
    words += [client if chance.random() < 0.2 else f"{client}({_options(chance)})" for client in clients]
    line = chance.choice(JOINS).join(words)
    before = [f"{chance.choice(COMMENTS)}\n"] * (chance.random() < 0.2)
    return "".join((*before, line, chance.choice((" # read it", "", "", " ", "\t")), "\n"))


def _options(chance: random.Random) -> str:
    groups = chance.sample(OPTIONS, chance.randrange(1, 5))
    return ",".join(word for group in groups for word in chance.choices(group, k=1 if chance.random() < 0.8 else 2))


def _path(chance: random.Random, path: str) -> str:
    """A path in quotes, with octal digits, or as it is where that is possible."""
    plain = not set(path) & set(" \t\"'")
    octal = "".join(f"\\{ord(one):03o}" if one in ' \t"\\' else one for one in path)
    forms = [octal] if '"' in path else [octal, f'"{path}"', path.replace(" ", '" "').replace("\t", '"\t"')]
    return chance.choice([*forms, path, f"{path}/"] if plain else forms)
