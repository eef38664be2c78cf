"""storage.cfg: which storages Proxmox reads in it, and which lines it would skip."""

import pytest
from random_storages import storages as random_storages

from tasks.core.model.errors import BurrowError
from tasks.virtualization.proxmox_cluster.storage_file import storages


@pytest.mark.parametrize("seed", range(200))
def test_random_text_is_read_as_proxmox_reads_it(seed: int) -> None:
    made = random_storages(seed)
    if made.fault:
        with pytest.raises(BurrowError, match=rf"^/etc/pve/storage.cfg, line {made.fault}: wanted "):
            storages(made.text)
    else:
        assert storages(made.text) == made.storages


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rbd: a1\n\tpool x\nrbd: b1\n\tpool y\n", "line 3: wanted an empty line or an indented property, found `rbd: b1`"),
        ("rbd: a1\r\n\tpool x\r\n\r\nrbd: b1\r\n", "line 4: wanted an empty line or an indented property, found `rbd: b1\\r`"),
        ("rbd: a1\n\n\tpool x\n", "line 3: wanted `TYPE: NAME`, found `pool x`"),
        ("rbd: a1\n\tpool x\n\tpool y\n", "line 3: wanted one `pool`, which is `x` already, found `pool y`"),
        ("rbd: a1\n\tpool\n", "line 2: wanted `pool VALUE`, found `pool`"),
        ("rbd: 1a\n\tpool x\n", "line 1: wanted `TYPE: NAME`, found `rbd: 1a`"),
    ],
)
def test_line_that_proxmox_would_skip_is_named(text: str, fault: str) -> None:
    with pytest.raises(BurrowError) as raised:
        storages(text)
    assert str(raised.value) == f"/etc/pve/storage.cfg, {fault}: correct it, then run again"


def test_last_of_two_storages_with_one_name_counts_whole() -> None:
    assert storages("nfs: a1\n\tserver x\n\nrbd: a1\n") == {"a1": {"type": "rbd"}}


@pytest.mark.parametrize("text", ["nfs: local\n\tserver x\n", "dir: local\n\tpath /mnt/other\n"])
def test_local_is_the_node_s_own_folder_in_spite_of_the_file(text: str) -> None:
    assert storages(text) == {"local": {"type": "dir", "path": "/var/lib/vz"}}
