"""A machine's ports: which are plugged in, which are not, and the effect on the frames of their cables."""

from pathlib import Path

import pytest

from inventory.load import load
from inventory.site import Site
from lab import shims
from lab.blueprint import Blueprint, MachinePlan, draw
from lab.cables import Cables
from lab.netem import Impairment, end_impairment, netem_batch, parse_delay, parse_loss
from lab.ports import Fitting, cables_batch, insertion, ports_batch, removal, shaping_batch, write_ports
from lab.wiring import mac_of

SHIPPED = Path(__file__).parents[2] / "inventory"
EN05 = 4


@pytest.fixture(scope="module")
def site() -> Site:
    return load(SHIPPED)


@pytest.fixture(scope="module")
def blueprint(site: Site) -> Blueprint:
    return draw(site)


@pytest.fixture(scope="module")
def alvin(blueprint: Blueprint) -> MachinePlan:
    return blueprint.machines["alvin"]


def test_an_unplugged_nic_is_missing_at_boot_and_its_vector_device_stays_hidden(alvin: MachinePlan) -> None:
    out = Fitting(frozenset({EN05}))
    assert "link set vec4 netns cables" in ports_batch(alvin, out)
    assert "far4" in ports_batch(alvin)
    assert "far4" not in ports_batch(alvin, out) + cables_batch(alvin, out) + shaping_batch(alvin, out)
    assert "far5" in shaping_batch(alvin, out)


def test_a_nic_is_unplugged_by_its_far_end_and_returns_with_its_mac(alvin: MachinePlan) -> None:
    assert "ip -n cables link delete far4" in removal(EN05)
    script = insertion(alvin, EN05, Fitting(), 1)
    assert f"ip link add thunderbolt%d index 10104 address {mac_of('alvin', 'en05')} mtu 65520 type veth peer name far4" in script
    assert "filter add dev vec4 ingress matchall action mirred egress redirect dev far4" in script
    assert "netem" not in script
    assert "qdisc replace dev far4 root netem" in insertion(alvin, EN05, Fitting(impaired={EN05: Impairment(5)}), 2)


def test_a_nic_without_a_cable_has_no_vector_device(site: Site) -> None:
    bare = draw(site.model_copy(update={"cables": (), "operator": None})).machines["alvin"]
    assert "vec" not in insertion(bare, EN05, Fitting(), 1)


def test_the_seed_lists_the_ports_of_the_next_boot(alvin: MachinePlan, tmp_path: Path) -> None:
    write_ports(tmp_path, alvin, Fitting(frozenset({EN05}), {5: Impairment(delay_ms=1)}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cables.ip", "cables.tc", "ports.ip"]
    assert "far4" not in (tmp_path / "ports.ip").read_text()
    assert "netem" in (tmp_path / "cables.tc").read_text()


def test_an_impairment_affects_both_directions_in_order_and_drops_nothing_for_lack_of_buffers(alvin: MachinePlan) -> None:
    words = "root netem limit 11184 delay 20ms loss 5%"
    assert netem_batch(alvin, 0, Impairment(5, 20)) == f"qdisc replace dev vec0 {words}\nqdisc replace dev far0 {words}\n"
    assert "limit 256 loss 0.5%\n" in netem_batch(alvin, EN05, Impairment(0.5))
    assert end_impairment(0).count("qdisc delete") == 2


@pytest.mark.parametrize(("text", "ms"), [("20ms", 20), ("1.5ms", 1.5), ("500us", 0.5), ("1s", 1000)])
def test_a_delay_is_a_time(text: str, ms: float) -> None:
    assert parse_delay(text) == ms


@pytest.mark.parametrize("text", ["20", "-1ms", "0ms", "11s", "ms", "20 ms", "20ms loss 1%"])
def test_an_invalid_delay_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="as in 20ms"):
        parse_delay(text)


@pytest.mark.parametrize("text", ["5", "0%", "101%", "five%"])
def test_an_invalid_share_is_refused(text: str) -> None:
    assert (parse_loss("5%"), parse_loss("0.1%"), parse_loss("100%")) == (5, 0.1, 100)
    with pytest.raises(ValueError, match="as in 5%"):
        parse_loss(text)


def test_an_impairment_is_described() -> None:
    assert [one.text for one in (Impairment(), Impairment(5), Impairment(5, 20))] == ["nothing", "5% loss", "5% loss, 20 ms delay"]
    assert Impairment(**Impairment(5, 20).to_json()) == Impairment(5, 20)
    assert Impairment().is_none


def test_a_cable_is_impaired_at_one_end_and_whole_with_both_nics(blueprint: Blueprint) -> None:
    cables = Cables(blueprint)
    cables.close()
    cable = blueprint.cable_at("simon", "en05")
    assert cable
    cables.impaired[cable.name] = Impairment(5)
    fittings = {name: cables.fitting(plan) for name, plan in blueprint.machines.items()}
    assert {name: set(fitting.impaired) for name, fitting in fittings.items() if fitting.impaired} == {cable.ends[0][0]: {5}}
    assert cables.whole(cable.name)
    cables.unplugged.add(("simon", "en05"))
    assert not cables.whole(cable.name)
    assert cables.fitting(blueprint.machines["simon"]).out == {EN05}


def test_a_thunderbolt_port_has_the_properties_that_link_files_match(site: Site) -> None:
    ((path, text), _) = shims.files(site.hosts["alvin"]).items()
    assert path < "usr/lib/udev/rules.d/80-net-setup-link.rules"
    assert text.startswith("# A shim of the rehearsal lab")
    rule = next(line for line in text.splitlines() if mac_of("alvin", "en06") in line)
    assert 'ENV{ID_PATH}="pci-0000:00:0d.3", ENV{ID_NET_DRIVER}="thunderbolt-net"' in rule
    assert 'ACTION!="remove", SUBSYSTEM=="net"' in rule
    assert shims.files(site.hosts["sw-rack"]) == {}
