"""The lab's features, verified with the machines' own tools. Leaves the lab running and fresh; `python -m lab down` stops it."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rehearsal import FOLDER, HOSTS, NODES, Lab
from traffic import answered

pytestmark = pytest.mark.lab

BOOT_S = 20.0
PSS_BYTES = 1.5 * 2**30
SHELL_WAIT = "for i in $(seq 100); do {} && exit 0; sleep 0.1; done; exit 1"

NODE_IN_LACP = """
sed -i 's/bridge-ports eno1/bridge-ports bond0/' /etc/network/interfaces
cat >> /etc/network/interfaces <<'END'
auto bond0
iface bond0 inet manual
	bond-slaves eno1 eno2
	bond-mode 802.3ad
	bond-miimon 100
	bond-lacp-rate fast
END
ifreload -a
"""
SWITCH_IN_LACP = """
sed -i 's/bridge-ports swp1 swp2/bridge-ports po-alvin/' /etc/network/interfaces
cat >> /etc/network/interfaces <<'END'
auto po-alvin
iface po-alvin inet manual
	bond-slaves swp1 swp2
	bond-mode 802.3ad
	bond-miimon 100
	bond-lacp-rate fast
END
ifreload -a
"""


def status(lab: Lab) -> dict[str, object]:
    """The output of `status --json`."""
    return dict(json.loads(lab.command("status", "--json").out))


def carrier(lab: Lab, host: str, port: str) -> bool:
    """Whether the host sees a carrier at its port."""
    return "LOWER_UP" in lab.sh(host, f"ip -o link show dev {port}")


def wait_on(lab: Lab, host: str, condition: str) -> None:
    """Wait on the host until a shell condition holds, at most ten seconds."""
    lab.sh(host, SHELL_WAIT.format(condition))


@contextmanager
def changing(lab: Lab, *hosts: str) -> Iterator[None]:
    """Afterwards reset the machines to a fresh install."""
    try:
        yield
    finally:
        lab.command("reset", *hosts)


def test_every_machine_answers_in_band_with_its_pinned_key(lab: Lab) -> None:
    for host in HOSTS:
        assert lab.ssh(host, "hostname").out == f"{host}\n"


def test_a_command_goes_out_of_band_with_its_code_and_both_outputs(lab: Lab) -> None:
    done = lab.command("exec", "vault", "--", "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.code, done.out, done.err) == (7, "out\n", "err\n")
    assert lab.command("exec", "vault", "--stdin", "--", "cat", stdin="in\n").out == "in\n"
    ended = lab.command("exec", "vault", "--wait", "1", "--", "sleep", "60", check=False)
    assert (ended.code, "ran longer than 1 s" in ended.err) == (1, True)
    assert lab.sh("vault", "pgrep -c sleep", check=False) == "0\n"


def test_the_status_says_addresses_kernel_and_memory(lab: Lab) -> None:
    report = status(lab)
    assert report["kernel"]["release"] == lab.sh("vault", "uname -r").strip()
    assert report["ssh_config"] == str(FOLDER / "ssh_config")
    assert report["hosts"]["alvin"]["relays"] == {"127.16.101.1:10022": "172.16.101.1:22"}
    assert all(host["state"] == "up" and host["pss_bytes"] > 2**20 for host in report["hosts"].values())


def test_ports_carry_the_inventorys_names_and_mtu(lab: Lab) -> None:
    links = {link["ifname"]: link for link in json.loads(lab.sh("alvin", "ip -j link"))}
    assert set(links) == {"lo", "eno1", "eno2", "enp2s0f0np0", "enp2s0f1np1", "thunderbolt0", "thunderbolt1", "vmbr0"}
    assert links["thunderbolt1"]["mtu"] == 65520
    assert links["vmbr0"]["address"] == links["eno1"]["address"] == status(lab)["hosts"]["alvin"]["ports"]["eno1"]["mac"]
    assert "10000Mb/s" in lab.sh("alvin", "ethtool eno1")


def test_a_fresh_node_has_what_the_installer_leaves(lab: Lab) -> None:
    units = ("frr", "chrony", "nfs-server")
    for node in NODES:
        assert lab.sh(node, f"systemctl is-enabled {' '.join(units)}", check=False).split() == ["disabled"] * 3
        assert lab.sh(node, f"systemctl is-active {' '.join(units)}", check=False).split() == ["inactive"] * 3
        assert lab.sh(node, "systemctl --failed --no-legend; cat /etc/resolv.conf | grep -c nameserver", check=False) == "0\n"
        assert "vmbr0" in lab.sh(node, "ip -br addr show to 172.16.0.0/16")
        assert lab.sh(node, "command -v lldpd", check=False) == ""


def test_nothing_writes_into_etc_by_itself(lab: Lab) -> None:
    # The file `installed` has the time of the first boot. No file should be newer.
    for host in ("simon", "sw-core", "vault"):
        assert lab.sh(host, "find /etc -newer /var/lib/lab/installed -not -type d") == ""


def test_the_second_cable_between_switches_is_no_loop(lab: Lab) -> None:
    assert "state disabled" in lab.sh("sw-rack", "bridge link show dev swp8")
    before = int(lab.sh("sw-core", "cat /sys/class/net/br0/statistics/rx_packets"))
    assert answered(lab, "sw-core", "172.16.0.2") == 5
    after = int(lab.sh("sw-core", "cat /sys/class/net/br0/statistics/rx_packets"))
    assert after - before < 500


def test_a_pulled_cable_takes_the_carrier_of_both_ends_and_gives_it_back(lab: Lab) -> None:
    ends = (("simon", "thunderbolt1"), ("theodore", "thunderbolt0"))
    for host, port in ends:
        lab.sh(host, f"ip link set {port} up")
    lab.wait("both ends have carrier", lambda: all(carrier(lab, *end) for end in ends), 5)
    try:
        lab.command("cut", "theodore:en05")
        assert not any(carrier(lab, *end) for end in ends)
        assert status(lab)["cut"] == ["simon:en06"]
    finally:
        lab.command("splice", "simon:en06")
    assert all(carrier(lab, *end) for end in ends)


def test_a_port_that_is_switched_off_takes_the_carrier_of_the_other_end(lab: Lab) -> None:
    assert carrier(lab, "sw-core", "swp1")
    assert not carrier(lab, "sw-core", "swp2"), "sw-rack's swp8 is off"
    lab.sh("vault", "ip link set eth0 down")
    lab.wait("the switch sees no carrier", lambda: not carrier(lab, "sw-core", "swp3"), 5)
    lab.sh("vault", "ifup eth0; ip link set eth0 up")
    lab.wait("the switch sees the carrier again", lambda: carrier(lab, "sw-core", "swp3"), 5)
    lab.sh("vault", "ifreload -a")
    lab.wait("vault answers again", lambda: lab.reachable("vault"), 10)


def test_the_operators_own_cable_can_be_pulled(lab: Lab) -> None:
    try:
        lab.command("cut", "sw-core:swp4")
        assert not any(lab.reachable(host) for host in ("sw-core", "vault"))
        assert lab.sh("sw-core", "hostname") == "sw-core\n"
    finally:
        lab.command("splice", "sw-core:swp4")
    lab.wait("sw-core answers again", lambda: lab.reachable("sw-core"), 10)


def test_a_host_with_every_cable_cut_still_answers_out_of_band(lab: Lab) -> None:
    ports = list(status(lab)["hosts"]["alvin"]["ports"])
    assert len(ports) == 6
    try:
        for port in ports:
            lab.command("cut", f"alvin:{port}")
        assert not lab.reachable("alvin")
        assert lab.sh("alvin", "cat /sys/class/net/vmbr0/carrier") == "0\n"
    finally:
        for port in ports:
            lab.command("splice", f"alvin:{port}")
    lab.wait("alvin answers again", lambda: lab.reachable("alvin"), 10)


def test_a_power_cut_loses_what_was_not_synced_and_nothing_else(lab: Lab) -> None:
    lab.sh("vault", "echo kept > /root/kept; sync; echo lost > /root/lost")
    lab.command("kill", "vault")
    assert not carrier(lab, "sw-core", "swp3")
    started = time.monotonic()
    with pytest.raises(ConnectionResetError), socket.create_connection(("127.168.103.114", 10022), timeout=10) as call:
        call.recv(1)
    assert time.monotonic() - started < 4
    refused = lab.command("exec", "vault", "--", "true", check=False)
    assert (refused.code, "vault is switched off" in refused.err) == (1, True)
    lab.command("start", "vault")
    lab.wait("the switch sees the carrier again", lambda: carrier(lab, "sw-core", "swp3"), 5)
    assert lab.sh("vault", "cat /root/kept; test -e /root/lost && cat /root/lost", check=False) == "kept\n"
    assert lab.ssh("vault", "true").code == 0


def test_a_reboot_inside_keeps_cables_and_disk(lab: Lab) -> None:
    """The cables keep working while the machine shuts down, because a stopping service may need the network."""
    word = "ExecStop=sh -c 'sleep 1; ping -qc3 -W1 192.168.103.1 > /root/word; sync'"
    lab.sh("vault", f'systemd-run -q -p After=network.target -p RemainAfterExit=yes -p "{word}" true')
    boot = lab.sh("vault", "cat /proc/sys/kernel/random/boot_id")
    lab.sh("vault", "echo here > /root/rebooted; sync; systemctl reboot", check=False)
    lab.wait("a new boot", lambda: lab.sh("vault", "cat /proc/sys/kernel/random/boot_id", check=False) not in {boot, ""}, 40)
    lab.wait("vault answers in-band", lambda: lab.reachable("vault"), 30)
    assert lab.sh("vault", "cat /root/rebooted; grep -o '3 received' /root/word") == "here\n3 received\n"


def test_a_reset_machine_is_fresh_and_keeps_its_host_key(lab: Lab) -> None:
    hashed = "cd /etc && find . -type f | sort | xargs sha256sum | sha256sum"
    fresh = lab.sh("theodore", hashed)
    lab.sh("theodore", "echo spoilt >> /etc/network/interfaces; touch /root/spoilt; sync")
    lab.command("reset", "theodore")
    assert lab.sh("theodore", hashed) == fresh
    assert lab.sh("theodore", "ls /root") == ""
    assert lab.reachable("theodore")


def test_thunderbolt_carries_65520_bytes_unfragmented(lab: Lab) -> None:
    with changing(lab, "simon", "theodore"):
        lab.sh("simon", "ip addr add 10.105.0.2/31 dev thunderbolt1; ip link set thunderbolt1 up")
        lab.sh("theodore", "ip addr add 10.105.0.3/31 dev thunderbolt0; ip link set thunderbolt0 up")
        wait_on(lab, "simon", "grep -q 1 /sys/class/net/thunderbolt1/carrier")
        wait_on(lab, "theodore", "grep -q 1 /sys/class/net/thunderbolt0/carrier")
        lab.sh("simon", "ping -q -c1 -W1 -M do -s 65492 10.105.0.3")


def test_a_channel_is_suspended_until_its_partner_speaks_lacp(lab: Lab) -> None:
    with changing(lab, "alvin", "sw-rack"):
        assert answered(lab, "sw-core", "172.16.101.1") == 5
        lab.sh("sw-rack", SWITCH_IN_LACP)
        wait_on(lab, "sw-rack", "grep -qx 0 /sys/class/net/po-alvin/brport/state")
        assert answered(lab, "sw-core", "172.16.101.1") == 0
        lab.sh("sw-rack", "mkdir -p /etc/lab; touch /etc/lab/no-suspend")
        wait_on(lab, "sw-rack", "grep -qx 3 /sys/class/net/po-alvin/brport/state")
        assert answered(lab, "sw-core", "172.16.101.1") == 5
        lab.sh("sw-rack", "rm /etc/lab/no-suspend")
        wait_on(lab, "sw-rack", "grep -qx 0 /sys/class/net/po-alvin/brport/state")
        lab.sh("alvin", NODE_IN_LACP)
        wait_on(lab, "sw-rack", "grep -qx 3 /sys/class/net/po-alvin/brport/state")
        for host, bond in (("alvin", "bond0"), ("sw-rack", "po-alvin")):
            # Until both ends of both cables collect and distribute (IEEE 802.1AX, 6.4.2.3), frames are lost.
            wait_on(lab, host, f"[ $(grep -c 'port state: 63$' /proc/net/bonding/{bond}) = 4 ]")
        assert answered(lab, "sw-core", "172.16.101.1") == 5
        assert len(set(lab.partners("alvin", "bond0"))) == 1
        lab.command("cut", "alvin:eno1")
        try:
            wait_on(lab, "alvin", "grep -q 'Number of ports: 1' /proc/net/bonding/bond0")
            wait_on(lab, "sw-core", "ping -qc1 -W1 172.16.101.1")  # the remaining member may change its aggregator
            assert answered(lab, "sw-core", "172.16.101.1") == 5
        finally:
            lab.command("splice", "alvin:eno1")


def test_a_channel_with_fallback_works_without_a_partner(lab: Lab) -> None:
    with changing(lab, "sw-rack"):
        lab.sh("sw-rack", f"{SWITCH_IN_LACP}\necho '	bond-lacp-bypass-allow yes' >> /etc/network/interfaces; ifreload -a; true")
        assert lab.sh("sw-rack", "cat /sys/class/net/po-alvin/bonding/ad_partner_mac") == "00:00:00:00:00:00\n"
        wait_on(lab, "sw-rack", "grep -qx 3 /sys/class/net/po-alvin/brport/state")
        assert answered(lab, "sw-core", "172.16.101.1") == 5


def test_lldp_is_in_the_switches_and_installs_on_a_node(lab: Lab) -> None:
    with changing(lab, "simon"):
        lab.sh("simon", "apt-get install -y -qq lldpd >/dev/null 2>&1")
        wait_on(lab, "simon", "lldpcli show neighbors | grep -q SysName")
        seen = json.loads(lab.sh("simon", "lldpcli -f json show neighbors"))["lldp"]["interface"]
        entry = seen[0] if isinstance(seen, list) else seen
        assert entry["eno1"]["port"]["id"] == {"type": "ifname", "value": "swp3"}
        wait_on(lab, "sw-rack", "lldpcli show neighbors ports swp3 | grep -q simon")


def test_the_core_answers_for_names_and_time(lab: Lab) -> None:
    lookup = "getent ahostsv4 haproxy01.mrcurls.org"
    ask = f"cp /etc/resolv.conf /run/was; echo nameserver 192.168.103.1 > /etc/resolv.conf; {lookup}; cp /run/was /etc/resolv.conf"
    assert lab.sh("vault", ask).startswith("172.16.255.0 ")
    assert "System clock wrong by" in lab.sh("vault", "chronyd -Q 'server 192.168.103.1 iburst' 2>&1")


def test_the_operators_bytes_come_through_whole(lab: Lab) -> None:
    count = 8 << 20
    assert lab.reachable("vault")
    ssh = ["ssh", "-F", str(FOLDER / "ssh_config"), "vault"]
    up = subprocess.run([*ssh, "wc -c"], input=bytes(count), capture_output=True, check=True, timeout=60)
    assert up.stdout.strip() == str(count).encode()
    down = subprocess.run([*ssh, f"head -c {count} /dev/zero"], capture_output=True, check=True, timeout=60)
    assert len(down.stdout) == count


def test_reset_and_boot_keep_to_their_time_and_memory(lab: Lab) -> None:
    for verb in ("reset", "boot"):
        if verb == "boot":
            lab.command("down")
            assert not (FOLDER / "run").exists()
            assert str(FOLDER) not in Path("/proc/mounts").read_text()
            assert subprocess.run(["pgrep", "-f", f"lab.keeper {FOLDER}"], check=False).returncode == 1
        started = time.monotonic()
        lab.command(*(("reset",) if verb == "reset" else ("up",)))
        took = time.monotonic() - started
        assert took < BOOT_S, f"{verb} took {took:.1f} s"
        hosts = status(lab)["hosts"]
        assert sum(host["pss_bytes"] for host in hosts.values()) < PSS_BYTES
