"""/etc/network/interfaces as text: lines that no candidate names keep every byte, named ones are merged once."""

import pytest
from cases import CASES, case_of, cases_of
from random_interfaces import interfaces

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, in_words, same_value
from tasks.platforms.ifupdown2.merge import merge

NODES = [one for one in cases_of(CASES / "uplink_bond") if one.name.startswith("a")]
FILES = {str(one): one.facts["alvin"].readings["interfaces"].out for one in NODES}
FILES["switch"] = case_of("port_channel", "fresh-switch").facts["sw-rack"].readings["interfaces"].out
SHAPES = {
    "empty": "",
    "blank": "\n\n",
    "comments-alone": "# one\n\n  # two\n",
    "no-newline-at-the-end": "auto lo\niface lo inet loopback",
    "no-newline-after-an-attribute": "auto br0\niface br0\n\tbridge-ports a",
    "continued": "auto a \\\n\tb\niface a\n\tup echo \\\n\t\tyes\n",
    "continued-at-the-end": "iface a\n\tup echo \\\n",
    "comment-that-ends-in-a-backslash": "iface c\n\t# continued \\\n\tmtu 1500\n",
    "backslash-at-the-beginning-of-a-line": "auto a\niface a\n\tup echo\n\n\\ yes\n",
    "several-stanzas": "iface a inet static\n\taddress 10.0.0.1/24\n\niface a inet6 static\n\taddress fd00::1/64\n",
    "sources": "source /etc/network/interfaces.d/*\nsource-directory more\niface a\n",
    "other-words": "mapping eth0\n\tscript x\nallow-hotplug a\nvlan b\niface b\n\tvlan-id 7\n\tvlan-raw-device a\n",
    "windows-newlines": "auto a\r\niface a\r\n\tmtu 1500\r\n",
    "tabs-and-blanks": "   auto\ta\niface  a   inet\tmanual  \n    mtu\t 1500   \n",
}
TEXTS = {**SHAPES, **FILES}
BOND = "auto bond9\niface bond9\n\tbond-slaves p1 p2\n\tbond-mode 802.3ad\n\niface br9\n\tbridge-ports bond9\n"
CANDIDATES = [
    BOND,
    "iface a\n\tmtu 9000\n\tup echo new\n",
    "iface a inet static\n\taddress 10.9.9.9/24\niface a inet6 static\n\taddress fd00::9/64\n",
    "no iface a\niface lo\n\tno mtu\n",
    "auto nowhere\n",
    "",
]

every_text = pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)


@every_text
def test_every_byte_comes_back(text: str) -> None:
    assert str(InterfacesFile(text)) == text


@every_text
def test_merging_twice_is_merging_once(text: str) -> None:
    for candidate in CANDIDATES:
        once = merge(text, candidate)
        assert merge(once, candidate) == once


@every_text
def test_comments_and_sources_stay(text: str) -> None:
    def others(lines: str) -> list[str]:
        return [line.strip() for line in lines.splitlines() if line.strip().startswith(("#", "source"))]

    for candidate in CANDIDATES:
        assert others(merge(text, candidate)) == others(text)


@every_text
def test_merging_a_files_own_stanzas_changes_nothing(text: str) -> None:
    file = InterfacesFile(text)
    candidate = "".join(f"{stanza.head.text.strip()}\n" for stanza in file.stanzas if stanza.iface)
    assert merge(text, candidate) == text


@every_text
def test_merged_file_contains_the_candidate(text: str) -> None:
    merged, wanted = InterfacesFile(merge(text, BOND)), InterfacesFile(BOND)
    assert wanted.autos() <= merged.autos()
    for stanza in wanted.stanzas:
        for line in stanza.body:
            assert not line.key or merged.get(stanza.iface or "", line.key) == (line.value,)


MERGES = {
    "attribute-is-replaced-where-it-stands": (
        "iface a\n    mtu 1500\n    # why\n    up x\n",
        "iface a\n\tmtu 9000\n",
        "iface a\n    mtu 9000\n    # why\n    up x\n",
    ),
    "attribute-is-added-after-the-others": (
        "iface a\n  mtu 1500\n\n# next\niface b\n",
        "iface a\n\thwaddress 02:00:00:00:00:01\n",
        "iface a\n  mtu 1500\n  hwaddress 02:00:00:00:00:01\n\n# next\niface b\n",
    ),
    "attribute-is-added-to-a-bare-stanza": ("iface a", "iface a\n\tmtu 9000\n", "iface a\n\tmtu 9000\n"),
    "attribute-is-added-below-a-last-line-without-newline": ("iface a\n\tmtu 1500", "iface a\n\tup x\n", "iface a\n\tmtu 1500\n\tup x\n"),
    "old-spelling-stays": ("iface br0\n\tbridge_ports a\n", "iface br0\n\tbridge-ports b\n", "iface br0\n\tbridge_ports b\n"),
    "same-set-in-another-order-stays": (
        "iface br0\n\tbridge-ports b   a\n",
        "iface br0\n\tbridge-ports a b\n",
        "iface br0\n\tbridge-ports b   a\n",
    ),
    "same-value-as-a-number-stays": ("iface x\n\tbond-mode 4\n", "iface x\n\tbond-mode 802.3ad\n", "iface x\n\tbond-mode 4\n"),
    "twice-said-attribute-is-said-once": ("iface a\n\tmtu 1400\n\tmtu 1500\n", "iface a\n\tmtu 1500\n", "iface a\n\tmtu 1500\n"),
    "mtu-of-two-families-is-said-in-both": (
        "iface a inet static\n\tmtu 1500\niface a inet6 static\n\tmtu 1500\n",
        "iface a inet static\n\tmtu 9000\n",
        "iface a inet static\n\tmtu 9000\niface a inet6 static\n\tmtu 9000\n",
    ),
    "mtu-of-one-family-stays-there": (
        "iface a inet static\niface a inet6 static\n\tmtu 1500\n",
        "iface a inet static\n\tmtu 9000\n",
        "iface a inet static\niface a inet6 static\n\tmtu 9000\n",
    ),
    "second-address-stays": (
        "iface a\n\taddress 10.0.0.1/24\n\taddress 10.0.1.1/24\n",
        "iface a\n\taddress 10.0.1.1/24\n",
        "iface a\n\taddress 10.0.0.1/24\n\taddress 10.0.1.1/24\n",
    ),
    "first-address-is-replaced": (
        "iface a\n\taddress 10.0.0.1/24\n\taddress 10.0.1.1/24\n",
        "iface a\n\taddress 10.0.2.1/24\n",
        "iface a\n\taddress 10.0.2.1/24\n\taddress 10.0.1.1/24\n",
    ),
    "address-of-the-other-family-stays": (
        "iface a\n\taddress fd00::1/64\n",
        "iface a\n\taddress 10.0.0.1/24\n",
        "iface a\n\taddress fd00::1/64\n\taddress 10.0.0.1/24\n",
    ),
    "address-goes-to-its-own-familys-stanza": (
        SHAPES["several-stanzas"],
        "iface a inet6 static\n\taddress fd00::2/64\n",
        SHAPES["several-stanzas"].replace("fd00::1", "fd00::2"),
    ),
    "others-commands-stay": ("iface a\n\tup theirs\n", "iface a\n\tup ours\n", "iface a\n\tup theirs\n\tup ours\n"),
    "method-is-replaced": (
        "iface a inet dhcp\n",
        "iface a inet static\n\taddress 10.0.0.1/24\n",
        "iface a inet static\n\taddress 10.0.0.1/24\n",
    ),
    "method-stays-where-none-is-said": ("iface a inet dhcp\n", "iface a\n\tmtu 9000\n", "iface a inet dhcp\n\tmtu 9000\n"),
    "no-attribute-takes-it-from-every-stanza": (
        "iface a inet static\n\tmtu 9000\n\tup x\niface a inet6 auto\n\tmtu 9000\n",
        "iface a\n\tno mtu\n",
        "iface a inet static\n\tup x\niface a inet6 auto\n",
    ),
    "no-attribute-in-either-spelling": ("iface a\n\tlink-down yes\n", "iface a\n\tno link_down\n", "iface a\n"),
    "no-attribute-that-is-not-there": ("iface a\n", "iface a\n\tno mtu\n", "iface a\n"),
    "no-iface-takes-stanza-and-auto": ("auto a\niface a\n\tmtu 1\n\nauto b\niface b\n", "no iface a\n", "auto b\niface b\n"),
    "no-iface-leaves-the-others-of-an-auto-line": ("auto a b\niface a\n\niface b\n", "no iface a\n", "auto b\niface b\n"),
    "no-iface-leaves-the-next-ones-comment": ("auto a\niface a\n\tmtu 1\n\n# about b\niface b\n", "no iface a\n", "\n# about b\niface b\n"),
    "new-stanza-before-the-one-that-follows-it": (
        "iface br0\n\tbridge-ports a\n",
        "iface x\n\tmtu 1\niface br0\n\tbridge-ports x\n",
        "iface x\n\tmtu 1\n\niface br0\n\tbridge-ports x\n",
    ),
    "new-stanza-before-the-auto-line-of-the-one-that-follows-it": (
        "auto br0\niface br0\n",
        "iface x\niface br0\n",
        "iface x\n\nauto br0\niface br0\n",
    ),
    "new-stanza-at-the-end-but-before-sources": ("iface a\nsource d/*\n", "iface x\n", "iface a\n\niface x\n\nsource d/*\n"),
    "new-auto-before-its-stanza": ("iface a\n\tmtu 1\n", "auto a\niface a\n", "auto a\niface a\n\tmtu 1\n"),
    "auto-of-several-counts": ("auto a b\niface a\niface b\n", "auto b\niface b\n", "auto a b\niface a\niface b\n"),
    "vlan-id-is-an-attribute": ("iface v\n\tvlan-id 7\n\tmtu 1500\n", "iface v\n\tmtu 9000\n", "iface v\n\tvlan-id 7\n\tmtu 9000\n"),
    "auto-all-is-for-a-new-stanza-too": ("auto all\n", "auto a\niface a\n", "auto all\n\niface a\n\n"),
    "allow-auto-is-auto": ("allow-auto a\niface a\n", "auto a\niface a\n", "allow-auto a\niface a\n"),
    "auto-below-its-stanza-does-not-count": ("iface a\nauto a\n", "auto a\niface a\n", "auto a\niface a\nauto a\n"),
    "no-iface-takes-allow-auto": ("allow-auto a\niface a\n", "no iface a\n", ""),
    "comment-behind-the-method-stays": (
        "iface a inet dhcp # main\n",
        "iface a inet static\n\taddress 10.0.0.1/24\n",
        "iface a inet static # main\n\taddress 10.0.0.1/24\n",
    ),
    "attribute-in-the-other-family-is-replaced-there": (
        "iface br0 inet6 static\n\tbridge-ports a\n",
        "iface br0 inet static\n\taddress 10.0.0.1/24\n\tbridge-ports b\n",
        "iface br0 inet6 static\n\tbridge-ports b\n\niface br0 inet static\n\taddress 10.0.0.1/24\n\n",
    ),
    "mtu-in-the-other-family-is-replaced-there": (
        "iface br0 inet6 static\n\tmtu 1500\n",
        "iface br0 inet static\n\taddress 10.0.0.1/24\n\tmtu 9000\n",
        "iface br0 inet6 static\n\tmtu 9000\n\niface br0 inet static\n\taddress 10.0.0.1/24\n\n",
    ),
    "attribute-that-a-comment-swallows-is-none": (
        SHAPES["comment-that-ends-in-a-backslash"],
        "iface c\n\tmtu 1500\n",
        "iface c\n\tmtu 1500\n\t# continued \\\n\tmtu 1500\n",
    ),
    "new-line-does-not-continue-the-last-one": (
        "iface a\n\tup echo \\\n\n",
        "iface a\n\tmtu 9000\n",
        "iface a\n\tup echo\n\tmtu 9000\n",
    ),
    "continued-line-is-one-value": (
        "iface br0\n\tbridge-ports a \\\n\t  b\n\tbridge-fd 0\n",
        "iface br0\n\tbridge-ports b a\n",
        "iface br0\n\tbridge-ports a \\\n\t  b\n\tbridge-fd 0\n",
    ),
}


@pytest.mark.parametrize(("text", "candidate", "merged"), MERGES.values(), ids=MERGES)
def test_merge(text: str, candidate: str, merged: str) -> None:
    assert merge(text, candidate) == merged
    assert merge(merged, candidate) == merged


def test_attributes_of_all_stanzas_of_an_interface_are_read_together() -> None:
    file = InterfacesFile(SHAPES["several-stanzas"])
    assert file.get("a", "address") == ("10.0.0.1/24", "fd00::1/64")
    assert file.ifaces() == ("a",)


@pytest.mark.parametrize(
    ("body", "addresses"),
    [
        ("address 10.0.0.1\nnetmask 255.255.0.0", ("10.0.0.1/16",)),
        ("address 10.0.0.1\naddress 10.0.1.1\nnetmask 16", ("10.0.0.1/32", "10.0.1.1/16")),
        ("address 10.0.0.1\nnetmask 24\naddress 10.0.1.1\nnetmask 16", ("10.0.0.1/24", "10.0.1.1/16")),
        ("netmask 255.255.0.0\naddress 10.0.0.1", ("10.0.0.1/32",)),
    ],
    ids=["below", "below-the-second", "each", "above"],
)
def test_netmask_is_that_of_the_address_above_it(body: str, addresses: tuple[str, ...]) -> None:
    assert InterfacesFile(f"iface a inet static\n{body}\n").get("a", "address") == addresses


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [("bond-mode", "4", "802.3ad"), ("bond-lacp-rate", "1", "fast"), ("bond-mode", "9", "9"), ("mtu", "4", "4")],
)
def test_numbers_have_names(attribute: str, value: str, words: str) -> None:
    assert in_words(attribute, value) == words


@pytest.mark.parametrize(
    ("attribute", "one", "other", "same"),
    [
        ("bridge-ports", "a b", "b a", True),
        ("address", "a b", "b a", False),
        ("up", "echo  x", "echo x", True),
        ("bridge-ports", "a", "a b", False),
    ],
)
def test_values_mean_the_same(attribute: str, one: str, other: str, same: bool) -> None:
    assert same_value(attribute, one, other) is same


def _meaning(text: str) -> tuple[object, ...]:
    """What a text says of all interfaces that no candidate here names, in order."""
    file, ours = InterfacesFile(text), {"bond9", "br9"}
    others = [stanza for stanza in file.stanzas if stanza.iface and stanza.iface not in ours]
    return [(stanza.iface, [(line.key, line.value) for line in stanza.body if line.key]) for stanza in others], file.autos() - ours


@pytest.mark.parametrize("seed", range(200))
def test_random_text_keeps_its_bytes_and_is_merged_once(seed: int) -> None:
    text = interfaces(seed)
    assert str(InterfacesFile(text)) == text
    once = merge(text, BOND)
    assert merge(once, BOND) == once
    assert _meaning(once) == _meaning(text)
    assert {line for line in text.splitlines() if line.strip().startswith("#")} <= {*once.splitlines()}
