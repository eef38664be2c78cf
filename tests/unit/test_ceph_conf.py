"""ceph.conf: which settings Ceph reads in it, and which files it cannot read."""

import pytest
from random_ceph_conf import ceph_conf

from tasks.core.model.errors import BurrowError
from tasks.storage.ceph.conf_file import ceph_setting, checked, sections


@pytest.mark.parametrize("seed", range(200))
def test_random_text_is_read_as_ceph_reads_it(seed: int) -> None:
    made = ceph_conf(seed)
    if made.fault:
        with pytest.raises(BurrowError, match=rf"^/etc/pve/ceph.conf, line {made.fault}: wanted "):
            checked(made.text)
    else:
        assert sections(made.text) == made.sections


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[global]\nfsid = 1", "line 2: wanted a newline at the end, found `fsid = 1`"),
        ("[global]\nfsid = 1\n  ", "line 3: wanted a newline at the end, found ``"),
        ("[global]\n  [osd]\n", "line 2: wanted `[SECTION]` alone, at the beginning of its line, found `[osd]`"),
        ("[global]\na = 1 \\\n 2\nb\n", "line 4: wanted `NAME = VALUE` in a [SECTION], found `b`"),
        ('[global]\na = "1\n', 'line 2: wanted `NAME = VALUE` in a [SECTION], found `a = "1`'),
        ("  \n[global]\n", "line 1: wanted no blanks in an empty line before the first [SECTION], found ``"),
        ("fsid = 1\n", "line 1: wanted `NAME = VALUE` in a [SECTION], found `fsid = 1`"),
    ],
)
def test_text_that_ceph_cannot_read_is_refused(text: str, fault: str) -> None:
    with pytest.raises(BurrowError) as raised:
        checked(text)
    assert str(raised.value) == f"/etc/pve/ceph.conf, {fault}: correct it; until then Ceph reads none of the file"


@pytest.mark.parametrize("text", ["[global]\nfsid = 1\n# at the end", "[global]\nfsid = 1 # joins nothing \\\nmon host = a\n"])
def test_comment_ends_with_its_line(text: str) -> None:
    assert ceph_setting(text, "fsid") == "1"
    assert ceph_setting(text, "mon_host") == "a" * ("mon" in text)
