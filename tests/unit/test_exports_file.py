"""Lines of exports(5): how the suite parses them, and the errors that it finds in its own file before exportfs reads it."""

import pytest
from random_exports import NAMES, exports

from tasks.storage.nfs.exports_file import faults, rows, served_rows

SOUND = "/mnt/Vault/Data 172.16.0.0/16(rw,sync,no_subtree_check,root_squash,fsid=1,mountpoint=/mnt/Vault) 172.16.9.9(ro,sync,root_squash)\n"


def parsed(text: str) -> list[tuple[int, str, str, str]]:
    return [(row.number, row.path, row.client, ",".join(sorted(row.options))) for row in rows(text)]


def test_every_client_of_a_line_is_a_row() -> None:
    assert parsed("# nothing\n\n/srv/a 10.0.0.0/8(rw,sync) @nodes(ro)  # two\n") == [
        (3, "/srv/a", "10.0.0.0/8", "rw,sync"),
        (3, "/srv/a", "@nodes", "ro"),
    ]


def test_quotes_defaults_and_continued_lines_are_read_as_the_server_does() -> None:
    assert parsed('"/srv/my data" -ro,sync 10.0.0.1 10.0.0.2(no_acl) \\\n  10.0.0.3\n') == [
        (1, "/srv/my data", "10.0.0.1", "ro,sync"),
        (1, "/srv/my data", "10.0.0.2", "no_acl,ro,sync"),
        (1, "/srv/my data", "10.0.0.3", "ro,sync"),
    ]


def test_output_of_exportfs_is_parsed_too() -> None:
    shown = served_rows('/srv/my\\040"two"/  10.0.0.0/8(sync,wdelay,hide,fsid=1,sec=sys,rw)\n/srv/b\t\t*(ro)\n')
    assert [(row.path, row.client) for row in shown] == [('/srv/my "two"', "10.0.0.0/8"), ("/srv/b", "*")]
    assert "fsid=1" in shown[0].options


def test_a_sound_file_has_no_faults() -> None:
    assert faults(SOUND) == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("/16(", "/16 (", "it is open to everybody: is there a space before '('?"),
        ("172.16.0.0/16(", "*(", "it is open to everybody: is there a space before '('?"),
        ("172.16.0.0/16(", "172.16.0.0/33(", "'172.16.0.0/33' is not an IPv4 network or address"),
        ("172.16.0.0/16(", "nodes.example.org(", "'nodes.example.org' is not an IPv4 network or address"),
        ("/mnt/Vault/Data ", "Data ", "it is not an absolute path"),
        ("no_subtree_check", "no_subtree_chekc", "the suite does not know the option 'no_subtree_chekc'"),
        (",root_squash,fsid", ",fsid", "it needs exactly one of root_squash, no_root_squash, all_squash"),
        ("(rw,sync,no", "(rw,ro,sync,no", "it needs exactly one of rw, ro"),
        ("(rw,sync,no", "(rw,no", "it needs exactly one of sync, async"),
        ("fsid=1", "fsid=0", "fsid '0' is not a number above 0"),
        ("fsid=1", "fsid=root", "fsid 'root' is not a number above 0"),
    ],
)
def test_a_fault_is_found_before_the_file_is_written(old: str, new: str, fault: str) -> None:
    assert old in SOUND
    assert any(one.endswith(fault) for one in faults(SOUND.replace(old, new, 1))), faults(SOUND.replace(old, new, 1))


def test_two_folders_must_not_share_an_fsid_and_two_clients_may() -> None:
    other = SOUND.replace("/mnt/Vault/Data", "/mnt/Vault/Other")
    assert faults(SOUND + other) == ("line 2: /mnt/Vault/Other: /mnt/Vault/Data already has fsid 1",)
    assert faults(SOUND + SOUND.replace("172.16", "172.17")) == ()


def test_path_is_parsed_as_the_server_does() -> None:
    found = rows(
        '"/srv/with space/" a(ro)\n/srv/with\\040space b(ro)\n/srv//slash/ c(ro)\n/srv/nohost\n/srv/options -ro,fsid=0x0\n/ d(ro,fsid=10)\n'
    )
    assert [(row.path, row.client) for row in found] == [
        ("/srv/with space", "a"),
        ("/srv/with space", "b"),
        ("/srv/slash", "c"),
        ("/srv/nohost", ""),
        ("/srv/options", ""),
        ("/", "d"),
    ]
    assert [row.path for row in found if row.v4_root] == ["/srv/options"]
    assert [row.path for row in found if row.everybody] == ["/srv/nohost", "/srv/options"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/srv/a#b 10.0.0.1(ro) #c\n", [(1, "/srv/a#b", "10.0.0.1", "ro")]),
        ('/srv/"my data"/x h(ro) # why\n', [(1, "/srv/my data/x", "h", "ro")]),
        ('"/srv/a # b" h(ro)\n', [(1, "/srv/a # b", "h", "ro")]),
        ("# no \\\n/srv/a h(ro)\n", [(2, "/srv/a", "h", "ro")]),
        ("/srv/a -rw,sync,anonuid=1 h(ro,anonuid=2)\n", [(1, "/srv/a", "h", "anonuid=2,ro,sync")]),
        ("/srv/a h(rw,ro,async,sync,no_root_squash,root_squash)\n", [(1, "/srv/a", "h", "ro,root_squash,sync")]),
        ("/srv/a -ro,rw h(fsid=1,mp,fsid=2,mountpoint=/a)\n", [(1, "/srv/a", "h", "fsid=2,mountpoint=/a,rw")]),
        ("/srv/a h(sec=sys,rw,sec=krb5,ro)\n", [(1, "/srv/a", "h", "ro,rw,sec=krb5,sec=sys")]),
        ("/srv/a g(ro) -rw h\n", [(1, "/srv/a", "g", "ro"), (1, "/srv/a", "h", "rw")]),
        ("/srv/a g(ro) -rw\n", [(1, "/srv/a", "g", "ro"), (1, "/srv/a", "", "rw")]),
        ("/srv/a \\\n  h(ro)\n/srv/b h(rw)\n", [(1, "/srv/a", "h", "ro"), (3, "/srv/b", "h", "rw")]),
        ("/srv/a\f\u0085b h(ro)\n", [(1, "/srv/a", "\u0085b", ""), (1, "/srv/a", "h", "ro")]),
    ],
    ids=[
        "number-sign-in-a-word",
        "quotes-in-a-word",
        "number-sign-in-quotes",
        "comment-goes-on-nowhere",
        "own-over-all",
        "last-of-two",
        "last-of-two-words-for-one-thing",
        "for-each-flavour",
        "for-the-clients-that-follow",
        "for-everybody-at-the-end",
        "joined",
        "form-feed",
    ],
)
def test_words_are_those_of_nfs_utils(text: str, expected: list[tuple[int, str, str, str]]) -> None:
    assert parsed(text) == expected


@pytest.mark.parametrize("seed", range(200))
def test_random_entry_is_read_as_it_was_made(seed: int) -> None:
    (path,) = {row.path for row in rows(exports(seed, "/srv"))}
    assert any(path == f"/srv/{seed}-{name}" for name in NAMES)
