"""FRR's daemons file: merged line by line, as a shell reads it."""

import pytest

from tasks.platforms.frr.frr_file import daemons, merge_daemons
from tasks.platforms.frr.impact import daemons_impact

ON = "zebra=yes\nospfd=yes\nbfdd=yes\n"
DAEMONS = {
    "ospfd": (ON.replace("ospfd=yes", "ospfd=no"), ["OSPF stops: every adjacency ends"]),
    "bfdd": (
        ON.replace("bfdd=yes\n", ""),
        ["BFD stops: assume that every adjacency with a BFD session goes down and up"],
    ),
    "zebra-runs-whatever-is-said": (ON.replace("zebra=yes", "zebra=no"), []),
    "another-comes": (f"{ON}bgpd=yes\n", []),
}


MERGED_DAEMONS = {
    "no-last-newline": ("zebra=yes\nospfd=yes", "bfdd=yes", "zebra=yes\nospfd=yes\nbfdd=yes\n"),
    "no-last-newline-and-nothing-to-do": ("zebra=yes\nbfdd=yes", "bfdd=yes", "zebra=yes\nbfdd=yes"),
    "no-last-newline-and-the-last-changes": ("zebra=yes\nbfdd=no", "bfdd=yes", "zebra=yes\nbfdd=yes"),
    "comment-stays": ("ospfd=no # mine\n", "ospfd=yes", "ospfd=yes # mine\n"),
    "right-with-a-comment": ('ospfd="yes" # mine\n', "ospfd=yes", 'ospfd="yes" # mine\n'),
    "of-several-lines-the-last-counts": ("ospfd=yes\nospfd=no\n", "ospfd=yes", "ospfd=yes\nospfd=yes\n"),
    "indented": ("  ospfd=no\n", "ospfd=yes", "ospfd=yes\n"),
    "options-with-blanks": ('ospfd_options="  -A 127.0.0.1"\n', "ospfd=yes", 'ospfd_options="  -A 127.0.0.1"\nospfd=yes\n'),
    "comment-that-looks-like-one": ("#ospfd=no\n", "ospfd=yes", "#ospfd=no\nospfd=yes\n"),
    "empty": ("", "ospfd=yes", "ospfd=yes\n"),
}


@pytest.mark.parametrize(("text", "candidate", "merged"), MERGED_DAEMONS.values(), ids=MERGED_DAEMONS)
def test_daemons_file_is_merged_as_a_shell_reads_it(text: str, candidate: str, merged: str) -> None:
    assert merge_daemons(text, candidate) == merged
    assert merge_daemons(merged, candidate) == merged
    assert daemons(candidate) <= daemons(merged)


@pytest.mark.parametrize(("after", "expected"), DAEMONS.values(), ids=DAEMONS)
def test_impact_of_the_daemons_file(after: str, expected: list[str]) -> None:
    assert list(daemons_impact(ON, after)) == expected


def test_daemons_are_switched_line_by_line() -> None:
    text = '# mine\nbgpd=no\nospfd=no\nzebra_options="-A 127.0.0.1"\n'
    after = merge_daemons(text, "ospfd=yes\nbfdd=yes\n")
    assert after == '# mine\nbgpd=no\nospfd=yes\nzebra_options="-A 127.0.0.1"\nbfdd=yes\n'
    assert daemons(after) == {"ospfd", "bfdd"}
