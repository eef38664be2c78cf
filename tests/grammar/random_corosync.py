"""Random texts of corosync.conf from a seed, with the cluster that they describe, in the forms that Proxmox accepts."""

import random
from dataclasses import dataclass

NODES = ("alvin", "simon", "theodore", "dave", "jeanette")
NAMES = ("homelab", "h", "cluster:1", "ü\u00a0b", "0")
# Comments begin anywhere, also within a word, and end with the line.
COMMENTS = ("# name: other", "#", "#}", "# {", "#node {")
BLANKS = (" ", " ", "\t", "\n", "\n", "\r\n", "\n\n  ", "\f", " # x\n")
# Settings and sections that say nothing about the nodes.
OTHERS = (
    *("version: 2", "secauth: on", "link_mode: passive", "odd: }", "empty::: x", "quorum_votes: 1", "token: 1000"),
    *("inner { name: other }", "inner { node { name: other } node { } inner { } }"),
)
ASIDE = ("logging { debug: off to_syslog: yes }", "quorum { provider: corosync_votequorum }", "node { name: top }", "name: other", "} { }")


@dataclass(frozen=True)
class Text:
    """A text with the cluster's name, each node's addresses, the nodes' names by id, and each link's priority."""

    text: str
    name: str
    nodes: dict[str, tuple[str, ...]]
    ids: dict[str, str]
    priorities: dict[int, int]


def corosync(seed: int) -> Text:
    """A cluster of one to five nodes with one to three links. The same seed gives the same text."""
    chance = random.Random(seed)
    name, links = chance.choice(NAMES), chance.randrange(1, 4)
    names = chance.sample(NODES, chance.randrange(1, len(NODES) + 1))
    nodes = {node: tuple(f"10.{link}.0.{number}" for link in range(links)) for number, node in enumerate(names, 1)}
    ids = {str(number): node for number, node in enumerate(names, 1)}
    priorities = {link: chance.choice((1, chance.randrange(256))) for link in range(links) if chance.random() < 0.8}
    inside = [f"interface {{ {_of_a_link(chance, *one)} }}" for one in priorities.items()]
    totem = [*inside, f"cluster_name: {name}", *_others(chance)]
    if chance.random() < 0.2:
        totem.insert(totem.index(f"cluster_name: {name}"), "cluster_name: replaced")
    else:
        chance.shuffle(totem)
    nodelist = [f"node {{ {_of_a_node(chance, *one, nodes[one[1]])} }}" for one in ids.items()] + _others(chance)
    chance.shuffle(nodelist)
    sections = [f"totem {{ {' '.join(totem)} }}", f"nodelist {{ {' '.join(nodelist)} }}", *_aside(chance)]
    chance.shuffle(sections)
    return Text(_spelled(chance, " ".join(sections).split(" ")), name, nodes, ids, priorities)


def _of_a_link(chance: random.Random, link: int, priority: int) -> str:
    number = chance.choice((f"linknumber: {link}", f"ringnumber: {link}", f"linknumber: {link} ringnumber: 7"))
    settings = [number, *[f"knet_link_priority: {priority}"] * (priority != 1)]
    return " ".join(chance.sample(settings, len(settings)))


def _of_a_node(chance: random.Random, number: str, node: str, addresses: tuple[str, ...]) -> str:
    settings = [f"name: {node}", f"nodeid: {number}", *(f"ring{link}_addr: {address}" for link, address in enumerate(addresses))]
    settings += _others(chance)
    return " ".join(chance.sample(settings, len(settings)))


def _others(chance: random.Random) -> list[str]:
    return chance.sample(OTHERS[:-2], chance.randrange(3)) + [chance.choice(OTHERS[-2:])] * (chance.random() < 0.2)


def _aside(chance: random.Random) -> list[str]:
    return chance.sample(ASIDE, chance.randrange(4))


def _spelled(chance: random.Random, words: list[str]) -> str:
    """The words with white space of any kind between them, and comments before the ends of lines."""
    text = chance.choice(("", "\n", "# corosync\n"))
    for word in words:
        text += word + (f"{chance.choice(COMMENTS)}\n" if chance.random() < 0.1 else chance.choice(BLANKS))
    return text
