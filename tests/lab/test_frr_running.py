"""FRR's running configuration that is in no file survives every run, verified with `vtysh`, `ip` and the plan."""

from collections.abc import Iterator

import pytest
from napalm.base.exceptions import MergeConfigException
from rehearsal import FOLDER, Lab
from routers import converged

from napalm_ifupdown2 import Ifupdown2Driver

pytestmark = pytest.mark.lab

FRR_CONF = "/etc/frr/frr.conf"
BY_HAND = (
    "ip route 10.99.0.0/16 172.16.0.1",
    "router bgp 65001",
    "neighbor 172.16.0.1 remote-as 65002",
    "neighbor 172.16.0.1 password hush-hush",
)
OWN_FILES = "/etc/frr/*d.conf /etc/frr/zebra.conf"
COST = "sed -i '/^interface en05$/,/^exit$/ s/cost 5/cost 6/' /etc/frr/frr.conf && systemctl reload frr"
LOOK = f"cat {FRR_CONF}; vtysh -c 'show running-config'; ip route show 10.99.0.0/16; stat -c '%y' {FRR_CONF}"


@pytest.fixture(scope="module", autouse=True)
def network(lab: Lab, fresh: None) -> Iterator[None]:  # noqa: ARG001
    """The whole network. alvin also runs bgpd, whose configuration may be in its file or not."""
    assert lab.runbook("bootstrap").code == 0
    lab.wait("every adjacency is full", lambda: converged(lab), 40)
    lab.sh("alvin", f"cp -a {FRR_CONF} /root/frr.conf; cp -a /etc/frr/daemons /root/daemons; cp -a /etc/frr/vtysh.conf /root/vtysh.conf")
    lab.sh("alvin", "sed -i 's/^bgpd=no/bgpd=yes/' /etc/frr/daemons && systemctl reload frr")
    yield
    lab.sh("alvin", f"for f in frr.conf daemons vtysh.conf; do cp -a /root/$f /etc/frr/$f; done; rm -f {OWN_FILES}; systemctl restart frr")
    lab.wait("every adjacency is full", lambda: converged(lab), 60)


def _type(lab: Lab) -> None:
    """Configure FRR like an operator who forgets to save."""
    lab.sh("alvin", "vtysh -c 'configure terminal' " + " ".join(f"-c '{line}'" for line in BY_HAND))
    lab.wait("the route is there", lambda: "10.99.0.0/16" in lab.sh("alvin", "ip route show 10.99.0.0/16"), 10)


def test_what_no_file_holds_refuses_the_run_by_its_name(lab: Lab) -> None:
    """A change of a cost would silently delete a static route and BGP. Neither a run nor the NAPALM driver changes anything."""
    lab.sh("alvin", COST)
    _type(lab)
    before = lab.sh("alvin", LOOK)
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    printed = " ".join((done.out + done.err).split())
    assert done.code == 3, done.out
    for statement in BY_HAND[:3]:
        assert statement in printed, done.out
    assert "vtysh -c 'write memory'" in printed
    assert "hush" not in printed
    assert "10.105" not in printed.partition("write memory")[0].rpartition("would delete")[2], "a statement of the file is named too"
    device = Ifupdown2Driver("alvin", "", "", optional_args={"ssh_config_file": str(FOLDER / "ssh_config")})
    device.open()
    with pytest.raises(MergeConfigException, match=r"ip route 10.99.0.0/16 172.16.0.1"):
        device.load_merge_candidate(config=f"#### file {FRR_CONF}\ninterface en05\n ip ospf cost 5\nexit\n")
    device.close()
    assert lab.sh("alvin", LOOK) == before


def test_what_was_saved_stays_while_the_cost_changes(lab: Lab) -> None:
    lab.sh("alvin", "vtysh -c 'write memory'")
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 0, done.out
    running = lab.sh("alvin", "vtysh -c 'show running-config'")
    for statement in BY_HAND:
        assert statement in running
    assert "10.99.0.0/16" in lab.sh("alvin", "ip route show 10.99.0.0/16")
    assert " ip ospf cost 6\n" not in running
    lab.wait("every adjacency is full", lambda: converged(lab), 40)


# A passive interface in the router's stanza, a default value, a network with host bits, a prefix list without sequence numbers.
IN_OTHER_WORDS = (
    "/^router ospf$/ a\\ passive-interface eno1\\n timers throttle spf 0 50 5000\n"
    "$ a ip route 10.98.1.2/16 null0\\nip prefix-list HAND permit 10.0.0.0/8"
)


def test_file_in_other_words_than_frrs_own_is_no_reason_and_no_finding(lab: Lab) -> None:
    """FRR prints its configuration in a normal form. Only the form differs."""
    lab.sh("alvin", f"sed -i '{IN_OTHER_WORDS}' {FRR_CONF} && systemctl reload frr")
    lab.sh("alvin", COST)
    assert "passive-interface eno1" in lab.sh("alvin", f"cat {FRR_CONF}")
    assert "passive-interface eno1" not in lab.sh("alvin", "vtysh -c 'show running-config'")
    code, report = lab.report("audit", "--limit", "alvin", "--tags", "files")
    differing = [
        (one["target"], one["got"])
        for stage in report["stages"]
        for one in stage["findings"]
        if one["check"] == "frr_runs_what_its_file_says" and one["host"] == "alvin" and not one["ok"]
    ]
    assert differing == [], code
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 0, done.out
    assert "10.98.0.0/16" in lab.sh("alvin", "ip route show 10.98.0.0/16")


def test_split_configuration_is_refused_and_its_remedy_works(lab: Lab) -> None:
    lab.sh("alvin", COST)
    lab.sh("alvin", "echo 'no service integrated-vtysh-config' > /etc/frr/vtysh.conf; vtysh -c 'write memory'")
    assert "ospfd.conf" in lab.sh("alvin", "ls /etc/frr")
    before = lab.sh("alvin", LOOK)
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 3, done.out
    assert "no service integrated-vtysh-config" in done.out + done.err
    assert lab.sh("alvin", LOOK) == before
    lab.sh("alvin", "echo 'service integrated-vtysh-config' > /etc/frr/vtysh.conf; mv /etc/frr/frr.conf /root/gone.conf")
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 3, done.out
    assert "/etc/frr/ospfd.conf" in " ".join((done.out + done.err).split())
    lab.sh("alvin", "vtysh -w")
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 0, done.out
    running = lab.sh("alvin", "vtysh -c 'show running-config'")
    for statement in BY_HAND:
        assert statement in running


def test_frr_that_was_stopped_is_started_again(lab: Lab) -> None:
    """Its sockets and PID files still exist, but no daemon runs."""
    lab.sh("alvin", "systemctl stop frr; ls /run/frr/*.vty")
    done = lab.runbook("bootstrap", "--set", "fabric alvin")
    assert done.code == 0, done.out
    lab.wait("every adjacency is full", lambda: converged(lab), 60)


MISSING = "\nauto br7\niface br7 inet manual\n\tbridge-ports eno99\n"
UNREADABLE = "\niface eno98 inet nonsense\n"


@pytest.mark.parametrize(
    ("stanza", "printed"),
    [(MISSING, "br7 needs eno99, which does not exist"), (UNREADABLE, "unsupported address method")],
    ids=["port missing", "method unknown"],
)
def test_file_that_no_reload_can_take_is_named_before_anything_is_touched(lab: Lab, stanza: str, printed: str) -> None:
    """`ifreload -a` fails before the run: the change would be reverted after the host's maintenance."""
    path = "/etc/network/interfaces"
    lab.sh("alvin", f"cp -a {path} /root/interfaces; sed -i 's/mtu 65520/mtu 9000/' {path}; cat >>{path} <<'END'\n{stanza}END")
    try:
        assert lab.sh("alvin", "ifreload -a >/dev/null 2>&1; echo $?") == "1\n"
        before = lab.sh("alvin", f"cat {path}; ls /var/lib/burrow/backups")
        done = lab.runbook("bootstrap", "--set", "fabric alvin")
        assert done.code == 3, done.out
        assert printed in " ".join((done.out + done.err).split()), done.out
        assert lab.sh("alvin", f"cat {path}; ls /var/lib/burrow/backups") == before
    finally:
        lab.sh("alvin", f"cp -a /root/interfaces {path}; ip link del br7 2>/dev/null; ifreload -a")
        lab.wait("every adjacency is full", lambda: converged(lab), 60)
