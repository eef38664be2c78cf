"""The checks of a host before its network configuration changes: whether a reload can succeed, and what it would delete."""

import pytest
from engine import World, uplink

from tasks.core.model.fact import HostFacts, Reading
from tasks.core.model.operation import FileWrite, TimedTransaction
from tasks.core.model.plan import of_host
from tasks.platforms.frr.files import CONF_FACT, FRR_CONF, FRR_DAEMONS
from tasks.platforms.frr.running import READ_LAYOUT, READ_RUNNING
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.precheck import PRESENT, SYNTAX, asked, reasons

BEFORE = (
    "auto lo\niface lo inet loopback\n\nauto eno1\niface eno1 inet manual\n\nauto vmbr0\niface vmbr0 inet manual\n\tbridge-ports eno1\n"
)
AFTER = BEFORE.replace("eno1 inet manual\n", "eno1 inet manual\n\tmtu 9000\n", 1)
HERE = "eno1\nlo\nvmbr0\n"


def found(before: str = BEFORE, after: str = AFTER, output: str = "", present: str = HERE) -> list[str]:
    plan = of_host("alvin", TimedTransaction("test", files=(FileWrite(INTERFACES, before, after),)))
    return list(reasons(plan, HostFacts("alvin", {SYNTAX.name: Reading(0, output), PRESENT.name: Reading(0, present)})))


# Messages of ifupdown2 3.0 (Debian 13), each with the exit code of `ifreload -a`.
ENDS_WITH_1 = {
    "method": "error: /etc/network/interfaces: line34: iface vmbr7: unsupported address method 'auto'",
    "no-value": "error: /etc/network/interfaces: line35: iface vmbr7: invalid syntax 'mtu'",
    "no-name": "error: main exception: list index out of range",
}
OF_A_LINE = {
    "bogus": ("bogus line\n", "error: /etc/network/interfaces: line33: error processing line 'bogus line'"),
    "source": (
        "source /etc/network/nowhere\n",
        "warning: /etc/network/interfaces: line33: cannot find source file /etc/network/nowhere",
    ),
    "source-directory": (
        "source-directory /etc/network/nowhere.d\n",
        "error: /etc/network/interfaces: line33: error processing line 'source-directory /etc/network/nowhere.d'",
    ),
}
ENDS_WITH_0 = (
    'warning: dummy7: mtu: value of out range "99999999": valid attribute range: 552-9216',
    "warning: br7: bridge-ports: invalid value \"none\": valid attribute values: ['<interface-list>']",
    "warning: eno77: interface not recognized - please check interface configuration",
    "warning: /sbin/brctl: missing - bridge operation may not work as expected. Please check if 'bridge-utils' package is installed",
    "error: Another instance of this program is already running.",
    "sh: 1: ifreload: not found",
)


@pytest.mark.parametrize("output", ENDS_WITH_1.values(), ids=ENDS_WITH_1)
def test_error_that_fails_every_reload_is_the_reason(output: str) -> None:
    (reason,) = found(output=f"warning: something\n{output}\n")
    assert reason.startswith(f"alvin: `ifreload -a` would end with 1 whatever is changed: {output}; correct")


@pytest.mark.parametrize(("line", "output"), OF_A_LINE.values(), ids=OF_A_LINE)
def test_line_that_stays_is_a_reason_and_a_removed_one_is_not(line: str, output: str) -> None:
    assert len(found(BEFORE + line, AFTER + line, output)) == 1
    assert found(BEFORE + line, AFTER, output) == []


def test_stanza_that_the_change_corrects_is_not_a_reason() -> None:
    output = "error: /etc/network/interfaces: line5: iface eno1: unsupported address method 'auto'"
    assert found(output=output) == []
    assert len(found(output=output.replace("eno1", "vmbr0"))) == 1


@pytest.mark.parametrize("output", ENDS_WITH_0)
def test_messages_that_ifreload_ignores_are_not_a_reason(output: str) -> None:
    assert found(output=f"{output}\n") == []


STANDS_ON = {
    "bridge": ("auto br7\niface br7 inet manual\n\tbridge-ports eno99\n", "br7 needs eno99, which does not exist"),
    "bridge-in-underscores": ("auto br7\niface br7 inet manual\n\tbridge_ports eno1 eno99\n", "br7 needs eno99, which does not exist"),
    "command-for-another": (
        "iface t7 inet manual\n\tpre-up ip link add t7 type dummy ; true\n\nauto br7\niface br7 inet manual\n\tbridge-ports eno99\n",
        "br7 needs eno99, which does not exist",
    ),
    "vlan-of-a-port": ("auto br7\niface br7 inet manual\n\tbridge-ports eno99.5\n", "br7 needs eno99.5, which does not exist"),
    "vlan": ("auto eno77.5\niface eno77.5 inet manual\n", "eno77.5 needs eno77, which does not exist"),
    "port-with-bridge-attributes": (
        "iface eno99 inet manual\n\tbridge-access 10\n\nauto br7\niface br7 inet manual\n\tbridge-ports eno99\n",
        "br7 needs eno99, which does not exist",
    ),
    "raw-device": ("auto v7\niface v7 inet manual\n\tvlan-raw-device eno99\n", "v7 needs eno99, which does not exist"),
}
STANDS = {
    "not-at-boot": "iface br7 inet manual\n\tbridge-ports eno99\n",
    "none": "auto br7\niface br7 inet manual\n\tbridge-ports none\n",
    "pattern": "auto br7\niface br7 inet manual\n\tbridge-ports glob eno9* regex swp.*\n",
    "range": "auto br7\niface br7 inet manual\n\tbridge-ports swp[1-8]\n",
    "made-by-the-file": "iface bond7 inet manual\n\tbond-slaves eno1\n\nauto br7\niface br7 inet manual\n\tbridge-ports bond7 bond7.5\n",
    "vlan-of-a-bridge": "auto vmbr0.10\niface vmbr0.10 inet manual\n",
    "made-by-a-command": "iface t7 inet manual\n\tpre-up ip link add t7 type dummy\n\nauto br7\niface br7 inet manual\n\tbridge-ports t7\n",
    "made-by-a-command-of-another": "auto br7\niface br7 inet manual\n\tpre-up ip link add t7 type dummy\n\tbridge-ports t7 t7.5\n",
    "missing-slave": "auto bond7\niface bond7 inet manual\n\tbond-slaves eno99\n",
    "altname": "auto br7\niface br7 inet manual\n\tbridge-ports enx0\n",
}


@pytest.mark.parametrize(("stanza", "output"), STANDS_ON.values(), ids=STANDS_ON)
def test_port_that_is_missing_is_the_reason(stanza: str, output: str) -> None:
    (reason,) = found(f"{BEFORE}\n{stanza}", f"{AFTER}\n{stanza}")
    assert output in reason
    assert found(f"{BEFORE}\n{stanza}", AFTER) == []


@pytest.mark.parametrize("stanza", STANDS.values(), ids=STANDS)
def test_ports_that_ifupdown2_creates_or_ignores_are_not_a_reason(stanza: str) -> None:
    assert found(f"{BEFORE}\n{stanza}", f"{AFTER}\n{stanza}", present=f"{HERE}enx0\n") == []


def test_host_without_a_network_change_is_not_checked() -> None:
    assert asked(of_host("alvin", TimedTransaction("test", files=(FileWrite("/etc/hosts", "a\n", "b\n"),)))) == ()
    assert asked(of_host("alvin")) == ()


@pytest.mark.parametrize("path", [FRR_CONF, FRR_DAEMONS])
def test_new_unsaved_frr_configuration_is_the_reason(path: str) -> None:
    file = "router ospf\n ospf router-id 10.0.0.1\nexit\n"
    plan = of_host("alvin", TimedTransaction("test", files=(FileWrite(path, file, f"{file}!\n"),)))
    output = {READ_RUNNING: f"{file}ip route 10.9.0.0/16 10.0.0.1\n", READ_LAYOUT: "", CONF_FACT.command: file}
    facts = HostFacts("alvin", {fact.name: Reading(0, output[fact.command]) for fact in asked(plan)})
    (reason,) = reasons(plan, facts)
    assert "alvin: FRR runs statements that are not in /etc/frr/frr.conf" in reason
    assert "`ip route 10.9.0.0/16 10.0.0.1`" in reason


def test_set_is_refused_before_anything_is_touched(world: World) -> None:
    world["alvin"].answers[SYNTAX.command] = lambda _: f"{ENDS_WITH_1['method']}\n"
    outcome = world.apply_set(uplink("alvin"))
    assert outcome.state == "refused"
    assert "`ifreload -a` would end with 1 whatever is changed" in outcome.reasons[0]
    assert {verb for _, verb in world.journal} == {"read"}
