"""corosync.conf: which cluster Proxmox reads in it."""

import pytest
from random_corosync import corosync

from tasks.core.model.errors import BurrowError
from tasks.virtualization.proxmox_cluster.corosync_file import Corosync, parse


@pytest.mark.parametrize("seed", range(200))
def test_random_text_is_read_as_proxmox_reads_it(seed: int) -> None:
    made = corosync(seed)
    assert parse(made.text) == Corosync(made.name, made.nodes, made.ids, made.priorities)


TOTEM = "totem { cluster_name: a }\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("totem: x\ntotem { }\n", ", line 2: a second section totem"),
        ("totem { }\ntotem: x\n", ", line 2: wanted `KEY: VALUE` or `SECTION {`, found `totem:`"),
        ("nodelist {\nnode { name: a }\nnode: x }\n", ", line 3: wanted `KEY: VALUE` or `SECTION {`, found `node:`"),
        ("totem {\ninterface: x\ninterface { } }\n", ", line 3: a second section interface"),
        ("totem { }\n}\n", ", line 2: `}` without a section"),
        ("totem {\n", ": section totem has no end"),
        ("name:\n", ", line 1: wanted `KEY: VALUE` or `SECTION {`, found `name:`"),
        ("# nothing\n", " exists but has no cluster_name in totem"),
    ],
)
def test_text_that_proxmox_would_reject_is_refused(text: str, fault: str) -> None:
    with pytest.raises(BurrowError) as raised:
        parse(text)
    assert str(raised.value) == f"/etc/pve/corosync.conf{fault}: correct it as in pvecm(1), then run again"


def test_sections_of_two_nodes_are_not_one_place() -> None:
    assert parse(f"{TOTEM}nodelist {{ node {{ name: a x {{ }} }} node {{ name: b x {{ }} }} }}").nodes == {"a": (), "b": ()}


def test_missing_link_keeps_its_place() -> None:
    assert parse(f"{TOTEM}nodelist {{ node {{ name: a ring2_addr: c ring0_addr: b }} }}").nodes == {"a": ("b", "no address", "c")}
