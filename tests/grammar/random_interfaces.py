"""Random texts of /etc/network/interfaces from a seed: what ifupdown2's parser accepts, in its different forms.

They have no `source-directory`, an attribute for version 3.0, and no `allow-auto`, which is not `auto` there; later ones know both.
"""

import random

NAMES = ("lo", "eno1", "eno2", "bond0", "vmbr0", "vmbr0.10", "eno1:1", "lo:0", "swp[1-3]")
FAMILIES = ("", " inet manual", " inet static", " inet6 static", " inet dhcp", " inet static # main")
ADDRESSES = ("10.0.0.1/24", "10.0.0.1", "10.105.0.0", "fd00::1/64", "172.16.101.1")
ATTRIBUTES = (
    *("mtu 9000", "mtu 1500", "bridge-ports eno1", "bridge_ports eno1  eno2", "bridge-ports none", "bond-slaves eno1 eno2"),
    *("bond-ports eno2", "bond_mode 4", "bond-mode 802.3ad", "bridge-vids 2-4094", "bridge-trunk 10", "up echo up", "post-up true"),
    *("netmask 255.255.255.254", "netmask 16", "netmask 255.255.0.0", "gateway 10.0.0.254", "vlan-raw-device eno1", "link-down yes"),
)
TOPS = (
    *("auto {}", "auto {} {}", "allow-hotplug {}", "auto all", "source /etc/network/none.d/*", "vlan {}"),
    "auto {} # at boot",
)
COMMENTS = ("# a comment", "   # indented", "", "", "# about eno1 \\", "#iface eno1 inet manual", "# form feed \f mtu 1400")
INDENTS = ("\t", "    ", "", " \t")


def interfaces(seed: int) -> str:
    """A text of up to eight stanzas. The same seed gives the same text."""
    chance = random.Random(seed)
    lines: list[str] = []
    for _ in range(chance.randrange(9)):
        lines += _top(chance) if chance.random() < 0.4 else _stanza(chance)
    text = "\n".join(lines) + chance.choice(("", "\n", "\n", "\n\n", " \\\n"))
    return text.replace("\n", "\r\n") if chance.random() < 0.05 else text


def _top(chance: random.Random) -> list[str]:
    names = [chance.choice(NAMES) for _ in range(2)]
    return [*_comments(chance), f"{chance.choice(('', ' '))}{chance.choice(TOPS).format(*names)}"]


def _stanza(chance: random.Random) -> list[str]:
    body = [_attribute(chance) for _ in range(chance.randrange(6))]
    lines = [f"iface {chance.choice(NAMES)}{chance.choice(FAMILIES)}"]
    for line in body:
        lines += [*_comments(chance), f"{chance.choice(INDENTS)}{line}"]
    return [*_comments(chance), *lines]


def _attribute(chance: random.Random) -> str:
    line = f"address {chance.choice(ADDRESSES)}" if chance.random() < 0.35 else chance.choice(ATTRIBUTES)
    if chance.random() < 0.1 and " " in line:
        word, rest = line.split(" ", 1)
        return chance.choice((f"{word} \\\n\t{rest}", f"{word}\n\n\\ {rest}", f"{word} \\ \n\n{rest}"))
    return line.replace(" ", chance.choice((" ", " ", "\t", "   ")), 1)


def _comments(chance: random.Random) -> list[str]:
    return [chance.choice(COMMENTS)] if chance.random() < 0.2 else []
