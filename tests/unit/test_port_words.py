"""Ports in every form that ifupdown2 accepts."""

import pytest

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile
from tasks.platforms.ifupdown2.merge import merge
from tasks.platforms.ifupdown2.port_words import expanded, is_pattern, names


def test_a_range_stands_for_its_names() -> None:
    assert expanded("swp[1-3].100") == ("swp1.100", "swp2.100", "swp3.100")
    assert expanded("eno1") == ("eno1",)
    assert expanded("swp[1-99999]") == ("swp[1-99999]",)


@pytest.mark.parametrize(
    "words", ["eno2", "eno1 eno2", "glob eno2-4", "glob eno*", "regex eno.*", "eno[1-3]", "all", "regex eno(", "eno1 glob eno[1-2]"]
)
def test_a_list_uses_a_port(words: str) -> None:
    assert names(words, "eno2")


@pytest.mark.parametrize("words", ["none", "eno20", "glob eno3-4", "regex eno", "eno[3-4]", "glob", "regex xeno.* eno1"])
def test_a_list_does_not_use_a_port(words: str) -> None:
    assert not names(words, "eno2")


def test_a_word_that_needs_expansion_is_a_pattern() -> None:
    assert [is_pattern(words) for words in ("eno1 eno2", "swp[1-8]", "glob eno2-4", "regex e.*", "none")] == [
        False,
        True,
        True,
        True,
        False,
    ]


def test_an_alias_belongs_to_its_interface() -> None:
    file = InterfacesFile("auto lo:0\niface lo inet loopback\niface lo:0 inet static\n\taddress 10.103.0.1/32\n")
    assert file.get("lo", "address") == ("10.103.0.1/32",)
    assert file.ifaces() == ("lo",)
    assert "lo" not in file.autos()  # ifupdown2 compares the word with the name `lo`


def test_an_alias_keeps_its_own_stanza() -> None:
    text = "iface eno2:1 inet static\n\taddress 10.1.1.1/24\n\niface eno2 inet manual\n"
    assert merge(text, "iface eno2 inet manual\n\tmtu 9000\n") == f"{text}\tmtu 9000\n"


def test_a_bond_with_its_ports_in_the_other_spelling_keeps_it() -> None:
    assert merge("iface bond0\n\tbond-ports eno1\n", "iface bond0\n\tbond-slaves eno1 eno2\n") == "iface bond0\n\tbond-ports eno1 eno2\n"


def test_a_range_of_auto_is_every_port_in_it() -> None:
    assert merge("auto eno[1-2]\n\niface eno1\n", "auto eno1\niface eno1\n") == "auto eno[1-2]\n\niface eno1\n"
