"""The reasons for which a candidate is refused before anything is written, each with its line."""

import pytest

from napalm_ifupdown2.candidates import attributes, problems_of
from tasks.platforms.ifupdown2.merge import merge

PORTS = ("lo", "eno1", "eno2", "eno3", "vmbr0")
RUNNING = """\
auto lo
iface lo inet loopback

iface eno1 inet manual

auto vmbr0
iface vmbr0 inet static
\taddress 10.0.0.1/24
\tbridge-ports eno1
\tbridge-stp off
"""
BAD = {
    "attribute misspelt": (
        RUNNING.replace("bridge-stp", "brigde-stp"),
        ["line 10: iface vmbr0: ifupdown2 has no attribute `brigde-stp`; did you mean `bridge-stp`?"],
    ),
    "attribute of ifenslave": (
        RUNNING.replace("eno1 inet manual\n", "eno1 inet manual\n\tbond-master bond0\n"),
        ["line 5: iface eno1: ifupdown2 has no attribute `bond-master`; did you mean `bond-mode`?"],
    ),
    "keyword misspelt": (
        RUNNING.replace("auto vmbr0\niface", "auto vmbr0\nifcae"),
        [
            "line 7: `ifcae` is in no iface stanza; did you mean `iface`?",
            "line 8: `address` is in no iface stanza; correct its spelling or remove the line",
            "line 9: `bridge-ports` is in no iface stanza; correct its spelling or remove the line",
            "line 10: `bridge-stp` is in no iface stanza; correct its spelling or remove the line",
        ],
    ),
    "line before any stanza": (
        f"mtu 1500\n{RUNNING}",
        ["line 1: `mtu` is in no iface stanza; correct its spelling or remove the line"],
    ),
    "no value": (RUNNING.replace("bridge-stp off", "bridge-stp"), ["line 10: iface vmbr0: `bridge-stp` needs a value after it"]),
    "no name": (RUNNING.replace("iface eno1 inet manual", "iface"), ["line 4: `iface` needs a name after it"]),
    "name too long": (
        RUNNING.replace("iface eno1", "iface enp193s0f0np0abc"),
        ["line 4: iface enp193s0f0np0abc: a name has at most 15 letters"],
    ),
    "family misspelt": (RUNNING.replace("eno1 inet", "eno1 inet4"), ["line 4: iface eno1: wanted inet or inet6, found `inet4`"]),
    "method misspelt": (
        RUNNING.replace("inet static", "inet statik"),
        ["line 7: iface vmbr0: wanted one of dhcp dhcp6 loopback manual ppp static tunnel, found `statik`"],
    ),
    "port that is not there": (
        RUNNING.replace("bridge-ports eno1", "bridge-ports eno7"),
        ["line 9: iface vmbr0: port eno7 is not on this host, which has eno1 eno2 eno3 lo vmbr0"],
    ),
    "port that a command only uses": (
        RUNNING.replace("bridge-ports eno1", "bridge-ports eno7\n\tpost-up ip link set eno7 up"),
        ["line 9: iface vmbr0: port eno7 is not on this host, which has eno1 eno2 eno3 lo vmbr0"],
    ),
    "port that the old file made": (
        RUNNING.replace("vmbr0", "vmbr1") + "\nauto b\niface b\n\tbridge-ports vmbr0\n",
        ["line 14: iface b: port vmbr0 is not on this host, which has b eno1 eno2 eno3 lo vmbr1"],
    ),
    "port in two places": (
        RUNNING + "\nauto bond0\niface bond0\n\tbond-slaves eno1 eno2\n",
        ["line 14: iface bond0: port eno1 is already in vmbr0; a port belongs to one owner only"],
    ),
    "address on a bridge's port": (
        RUNNING.replace("eno1 inet manual\n", "eno1 inet static\n\taddress 10.1.0.1/24\n"),
        ["line 5: iface eno1: address 10.1.0.1/24 on a port of vmbr0; move the address to vmbr0"],
    ),
    "address on a bond's member": (
        RUNNING + "\niface eno2\n\taddress 10.1.0.1/24\n\nauto bond0\niface bond0\n\tbond_slaves eno2 eno3\n",
        ["line 13: iface eno2: address 10.1.0.1/24 on a port of bond0; move the address to bond0"],
    ),
    "line after a continuation": (
        RUNNING.replace("bridge-ports eno1", "bridge-ports eno1 \\\n\t\teno2") + "\tmtuu 9000\n",
        ["line 12: iface vmbr0: ifupdown2 has no attribute `mtuu`; did you mean `mtu`?"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_candidate_is_named_with_its_line(name: str) -> None:
    text, problems = BAD[name]
    assert problems_of(text, text, PORTS, RUNNING) == problems


def test_running_file_is_valid() -> None:
    assert problems_of(RUNNING, RUNNING, PORTS, RUNNING) == []


def test_existing_errors_do_not_refuse_a_candidate() -> None:
    for text, _ in BAD.values():
        assert problems_of(text, text, PORTS, text) == []


def test_port_of_the_host_needs_no_command_to_stay() -> None:
    """A `pre-up` may create its interface, so that without it the interface is there still."""
    before = RUNNING.replace("eno1 inet manual\n", "eno1 inet manual\n\tpre-up ethtool -K eno1 tso off\n")
    assert problems_of(RUNNING, RUNNING, PORTS, before) == []


def test_merge_counts_lines_where_they_were_written() -> None:
    sent = "iface vmbr0\n\tbrigde-fd 0\n"
    assert problems_of(sent, merge(RUNNING, sent), PORTS, RUNNING) == [
        "line 2: iface vmbr0: ifupdown2 has no attribute `brigde-fd`; did you mean `bridge-fd`?"
    ]


def test_merge_that_is_invalid_only_in_the_whole_file_is_refused() -> None:
    sent = "iface eno1\n\taddress 10.1.0.1/24\n"
    assert problems_of(sent, merge(RUNNING, sent), PORTS, RUNNING) == [
        "merged, line 5: iface eno1: address 10.1.0.1/24 on a port of vmbr0; move the address to vmbr0"
    ]


def test_merge_may_remove_an_attribute() -> None:
    sent = "iface vmbr0\n\tno bridge-stp\n"
    assert problems_of(sent, merge(RUNNING, sent), PORTS, RUNNING) == []


def test_merge_may_not_remove_other_lines() -> None:
    sent = "iface vmbr0\n\tno brigde-stp\n"
    assert problems_of(sent, merge(RUNNING, sent), PORTS, RUNNING) == [
        "line 2: iface vmbr0: ifupdown2 has no attribute `brigde-stp`; did you mean `bridge-stp`?"
    ]


@pytest.mark.parametrize(
    "stanza",
    [
        "iface v10 inet manual\n\tvlan-raw-device eno1\n\tvlan_id 10\n",
        "iface eno2\n\tethtool-coalesce-rx-usecs 1\n\tdns-nameservers 10.0.0.2\n",
        "iface v\n\tbridge-ports none\n\tbridge-vlan-aware yes\n\tbridge-vids 2-4094\n",
        "iface b\n\tbridge-ports regex eno.*\n",
        "iface b\n\tbridge-ports eno2.10\n",
        "iface bond0\n\tbond-ports eno2 eno3\n\tbond-mode 802.3ad\n\niface b\n\tbridge-ports bond0\n",
        "iface dummy0\n\tlink-type dummy\n\niface b\n\tbridge-ports dummy0\n",
        "iface mgmt\n\tvrf-table auto\n\niface eno2\n\tvrf mgmt\n",
        "iface eno2 inet6 auto\n",
        "allow-hotplug eno2\niface eno2 inet dhcp\n",
        "source-directory interfaces.d\n",
        "vlan 10\n\tbridge-vids 10\n",
        "iface v\n\tbridge-ports none\n\tbridge-disable-mac-learning 1\n\niface eno2 inet manual\n\tuplink-id wan\n",
        "iface v\n\tbridge-vlan-aware yes\n\niface b\n\tbridge-ports v\n",
        "iface t7 inet manual\n\tpre-up ip link add t7 type dummy\n\niface b\n\tbridge-ports t7\n",
        "iface b\n\tpre-up ip link add t7 type dummy || true\n\tbridge-ports t7\n",
        "iface ve0\n\tpre-up ip link add $IFACE type veth peer name 've1';\n\niface b\n\tbridge-ports ve0 ve1\n",
        "iface t7\n\tpre-up /usr/local/sbin/make-port\n\niface b\n\tbridge-ports t7\n",
    ],
)
def test_valid_stanzas_pass(stanza: str) -> None:
    text = f"{RUNNING}\n{stanza}"
    assert problems_of(text, text, PORTS, RUNNING) == []


def test_attribute_that_only_the_host_knows_passes() -> None:
    text = f"{RUNNING}\tsite-colour blue\n"
    assert problems_of(text, text, PORTS, RUNNING, {"site-colour"}) == []


def test_list_of_attributes_is_in_hyphenated_spelling_and_has_no_family_of_the_addons() -> None:
    names, families = attributes()
    assert not [name for name in names if "_" in name or name != name.lower()]
    assert not [family for family in families if family.startswith(("bridge", "bond", "vlan", "vxlan", "address", "mstpctl", "vrrp"))]
