"""A node's storage in the lab: disks with stable names, and /etc/pve."""

from pathlib import Path

import pytest

from inventory.load import load
from inventory.site import Site
from lab import pve, shims
from lab.blueprint import Blueprint, draw
from lab.settings import MEMORY, STORAGE_MEMORY

SHIPPED = Path(__file__).parents[2] / "inventory"


@pytest.fixture(scope="module")
def site() -> Site:
    return load(SHIPPED)


def test_a_disk_of_the_inventory_has_its_name_in_the_machine(site: Site) -> None:
    text = shims.files(site.hosts["simon"])[shims.DISK_RULES]
    assert text.startswith("# A shim of the rehearsal lab")
    (name,) = (line for line in text.splitlines() if 'KERNEL=="ubdb"' in line)
    assert name.endswith('ENV{ID_SERIAL}="2TB_SSD_SIMON01", SYMLINK+="disk/by-id/nvme-2TB_SSD_SIMON01", OPTIONS+="watch"')
    assert shims.files(site.hosts["vault"]) == {}


def test_a_machine_with_disks_has_the_memory_for_them(site: Site) -> None:
    machines = draw(site).machines
    assert machines["alvin"].disks == ("nvme-2TB_SSD_ALVIN01",)
    assert machines["alvin"].memory == STORAGE_MEMORY
    assert (machines["vault"].disks, machines["vault"].memory) == ((), MEMORY)
    assert Blueprint.from_json(draw(site).to_json()).machines["alvin"].disks == machines["alvin"].disks


def test_a_machine_keeps_memory_for_the_frames_of_its_largest_port(site: Site) -> None:
    machines = draw(site).machines
    assert machines["alvin"].reserve_kib == 65536
    assert machines["sw-core"].reserve_kib < 10000


def test_a_node_that_is_reset_leaves_the_clusters_folder_to_the_others(tmp_path: Path) -> None:
    for node in ("alvin", "simon"):
        pve.lay_out(tmp_path, node)
        (pve.own_folder(tmp_path, node) / "written").touch()
    cluster = tmp_path / "pve" / "clusters" / "0123456789abcdef"
    cluster.mkdir(parents=True)
    pve.forget(tmp_path, ["alvin", "sw-rack"])
    assert sorted(path.name for path in pve.own_folder(tmp_path, "alvin").iterdir()) == ["priv", "storage.cfg"]
    assert (pve.own_folder(tmp_path, "simon") / "written").exists()
    assert cluster.exists()
    pve.forget(tmp_path, ["alvin", "simon", "vault"])
    assert not cluster.exists()
