"""Lines of exports(5): how they are read, and what is wrong with a file of ours before exportfs sees it."""

import pytest

from tasks.storage.nfs.exports_file import faults, rows

SOUND = "/mnt/Vault/Data 172.16.0.0/16(rw,sync,no_subtree_check,root_squash,fsid=1,mountpoint=/mnt/Vault) 172.16.9.9(ro,sync,root_squash)\n"


def said(text: str) -> list[tuple[int, str, str, str]]:
    return [(row.number, row.path, row.client, ",".join(sorted(row.options))) for row in rows(text)]


def test_every_client_of_a_line_is_a_row() -> None:
    assert said("# nothing\n\n/srv/a 10.0.0.0/8(rw,sync) @nodes(ro)  # two\n") == [
        (3, "/srv/a", "10.0.0.0/8", "rw,sync"),
        (3, "/srv/a", "@nodes", "ro"),
    ]


def test_quotes_defaults_and_continued_lines_are_read_as_the_server_does() -> None:
    assert said('"/srv/my data" -ro,sync 10.0.0.1 10.0.0.2(no_acl) \\\n  10.0.0.3\n') == [
        (2, "/srv/my data", "10.0.0.1", "ro,sync"),
        (2, "/srv/my data", "10.0.0.2", "no_acl,ro,sync"),
        (2, "/srv/my data", "10.0.0.3", "ro,sync"),
    ]


def test_what_exportfs_prints_is_read_too() -> None:
    assert said("/srv/a  10.0.0.0/8(sync,wdelay,hide,fsid=1,sec=sys,rw)\n")[0][1:3] == ("/srv/a", "10.0.0.0/8")


def test_a_sound_file_has_no_faults() -> None:
    assert faults(SOUND) == ()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("/16(", "/16 (", "it is open to everybody: is there a space before '('?"),
        ("172.16.0.0/16(", "*(", "it is open to everybody: is there a space before '('?"),
        ("172.16.0.0/16(", "172.16.0.0/33(", "'172.16.0.0/33' is no IPv4 network or address"),
        ("172.16.0.0/16(", "nodes.example.org(", "'nodes.example.org' is no IPv4 network or address"),
        ("/mnt/Vault/Data ", "Data ", "it is no absolute path"),
        ("no_subtree_check", "no_subtree_chekc", "exports(5) of the suite has no option 'no_subtree_chekc'"),
        (",root_squash,fsid", ",fsid", "it has to say one of root_squash, no_root_squash, all_squash"),
        ("(rw,sync,no", "(rw,ro,sync,no", "it has to say one of rw, ro"),
        ("(rw,sync,no", "(rw,no", "it has to say one of sync, async"),
        ("fsid=1", "fsid=0", "fsid '0' is no number above 0"),
        ("fsid=1", "fsid=root", "fsid 'root' is no number above 0"),
    ],
)
def test_a_fault_is_found_before_the_file_is_written(old: str, new: str, fault: str) -> None:
    assert old in SOUND
    assert any(one.endswith(fault) for one in faults(SOUND.replace(old, new, 1))), faults(SOUND.replace(old, new, 1))


def test_an_fsid_of_two_folders_is_a_fault_and_that_of_two_clients_is_not() -> None:
    other = SOUND.replace("/mnt/Vault/Data", "/mnt/Vault/Other")
    assert faults(SOUND + other) == ("line 2: /mnt/Vault/Other: fsid 1 is /mnt/Vault/Data's",)
    assert faults(SOUND + SOUND.replace("172.16", "172.17")) == ()


def test_path_is_what_the_server_makes_of_it() -> None:
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
