"""NICs are removed and inserted, and cables are impaired, as the machines' kernels and udev see it."""

import json
import re
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rehearsal import ROOT, Lab
from traffic import answered

pytestmark = pytest.mark.lab

# The address of alvin's end of the cable to simon.
FAR_END = "10.105.0.0"
PORTS = "ls /sys/class/net | grep -E '^(en0|thunderbolt)' | sort | xargs"
ACTIVE = "systemctl is-active sys-subsystem-net-devices-en05.device scratch@en05.service | xargs"
# Files that name a port and set it up, as a node's administrator would write them.
LINK_FILES = """
for port in "en05 pci-0000:00:0d.2" "en06 pci-0000:00:0d.3"; do
    set -- $port
    file=/etc/systemd/network/10-$1.link
    printf '[Match]\\nPath=%s\\nDriver=thunderbolt-net\\n\\n[Link]\\nMACAddressPolicy=none\\nName=%s\\n' $2 $1 > $file
done
cat > /etc/udev/rules.d/90-scratch.rules <<'END'
ACTION!="remove", SUBSYSTEM=="net", ENV{ID_PATH}=="pci-0000:00:0d.2", TAG+="systemd", ENV{SYSTEMD_WANTS}+="scratch@en05.service"
END
cat > /etc/systemd/system/scratch@.service <<'END'
[Unit]
BindsTo=sys-subsystem-net-devices-%i.device
After=sys-subsystem-net-devices-%i.device

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/sbin/ip link set %I up
END
systemctl daemon-reload
udevadm control --reload
sync
"""


@contextmanager
def plugged_again(lab: Lab, *ends: str) -> Iterator[None]:
    """Afterwards plug the NICs in, and reset the machines to a fresh install."""
    try:
        yield
    finally:
        for end in ends:
            lab.command("plug", end)
        lab.command("reset", *sorted({end.partition(":")[0] for end in ends}))


@contextmanager
def addressed(lab: Lab) -> Iterator[None]:
    """An address on each end of a cable between two nodes."""
    lab.sh("alvin", "ip addr add 10.105.0.0/31 dev thunderbolt1; ip link set thunderbolt1 up")
    lab.sh("simon", "ip addr add 10.105.0.1/31 dev thunderbolt0; ip link set thunderbolt0 up")
    lab.wait("the other end answers", lambda: "1 received" in lab.sh("simon", "ping -c1 -W1 10.105.0.0", check=False), 10)
    try:
        yield
    finally:
        lab.sh("alvin", "ip addr flush dev thunderbolt1; ip link set thunderbolt1 down")
        lab.sh("simon", "ip addr flush dev thunderbolt0; ip link set thunderbolt0 down")


def delay_ms(lab: Lab) -> float:
    """The mean round-trip time of a ping from simon to alvin over their cable."""
    mean = re.search(r"= [\d.]+/([\d.]+)/", lab.sh("simon", f"ping -q -c20 -i0.01 -W1 {FAR_END}"))
    assert mean
    return float(mean[1])


def test_full_memory_costs_no_frame_its_device(lab: Lab) -> None:
    """A vector device that once fails to allocate a frame receives no more. Thunderbolt's frames have 64 KiB each."""
    hold = "python3 -c 'import time; held = bytearray(550 << 20); time.sleep(600)'"  # as Ceph's daemons do
    fill = "dd if=/dev/ubdb of=/dev/null bs=1M & dd if=/dev/zero of=/root/fill bs=1M count=700; rm /root/fill; wait"
    with addressed(lab):
        lab.sh("alvin", "ip link set thunderbolt1 mtu 65520")
        lab.sh("simon", "ip link set thunderbolt0 mtu 65520")
        lab.sh("alvin", "systemd-run -q --unit=flood ping -q -f -s 65492 -M do 10.105.0.1")
        lab.sh("simon", f"systemd-run -q --unit=hold {hold}")
        lab.command("exec", "--wait", "300", "simon", "--", "sh", "-c", f"for round in 1 2; do {fill}; done 2>/dev/null")
        lab.sh("simon", "systemctl stop hold")
        lab.sh("alvin", "systemctl stop flood")
        assert answered(lab, "simon", FAR_END, 20) == 20


def wait_active(lab: Lab, host: str, states: str) -> None:
    """Wait until the port's device unit and the unit bound to it have these states."""
    lab.wait(f"{host}: {states}", lambda: lab.sh(host, ACTIVE, check=False).strip() == states, 10)


def status(lab: Lab) -> dict[str, object]:
    """The output of `status --json`."""
    return dict(json.loads(lab.command("status", "--json").out))


def test_a_fresh_nodes_thunderbolt_ports_have_the_kernels_names_and_are_down(lab: Lab) -> None:
    assert lab.sh("alvin", PORTS) == "thunderbolt0 thunderbolt1\n"
    assert "UP" not in lab.sh("alvin", "ip -o link show thunderbolt0").split("<")[1].split(">")[0]
    assert "thunderbolt" not in lab.sh("alvin", "cat /etc/network/interfaces")
    properties = lab.sh("alvin", "udevadm info -q property /sys/class/net/thunderbolt1")
    assert {"ID_PATH=pci-0000:00:0d.3", "ID_NET_DRIVER=thunderbolt-net"} <= set(properties.split())
    assert lab.sh("alvin", "modprobe -a thunderbolt thunderbolt-net && echo loaded") == "loaded\n"


def test_a_nic_that_goes_takes_its_device_and_the_carrier_and_comes_back_with_its_mac(lab: Lab) -> None:
    address = "cat /sys/class/net/thunderbolt{}/address"
    mac = lab.sh("alvin", address.format(1))
    with plugged_again(lab, "alvin:en05", "alvin:en06"):
        lab.sh("simon", "ip link set thunderbolt0 up")
        lab.sh("alvin", "ip link set thunderbolt1 up")
        lab.wait("simon has carrier", lambda: lab.sh("simon", "cat /sys/class/net/thunderbolt0/carrier") == "1\n", 5)
        assert "which was thunderbolt1" in lab.command("unplug", "alvin:en06").out
        assert lab.sh("alvin", PORTS) == "thunderbolt0\n"
        assert lab.sh("simon", "cat /sys/class/net/thunderbolt0/carrier") == "0\n"
        assert status(lab)["unplugged"] == ["alvin:en06"]
        lab.command("unplug", "alvin:en05")
        assert "which is thunderbolt0" in lab.command("plug", "alvin:en06").out
        assert lab.sh("alvin", address.format(0)) == mac
        lab.sh("alvin", "ip link set thunderbolt0 up")
        lab.wait("simon has carrier again", lambda: lab.sh("simon", "cat /sys/class/net/thunderbolt0/carrier") == "1\n", 5)
    assert lab.sh("alvin", PORTS) == "thunderbolt0 thunderbolt1\n"


def test_a_nic_stays_out_while_its_machine_is_off_and_on_again(lab: Lab) -> None:
    with plugged_again(lab, "theodore:eno2"):
        lab.command("unplug", "theodore:eno2")
        lab.command("kill", "theodore")
        lab.command("start", "theodore")
        assert lab.sh("theodore", "ls /sys/class/net | grep -c eno") == "1\n"
        assert "which is eno2" in lab.command("plug", "theodore:eno2").out
        assert lab.sh("theodore", "ls /sys/class/net | grep -c eno") == "2\n"


def test_link_files_name_a_port_that_is_plugged_in_and_its_unit_starts_and_stops(lab: Lab) -> None:
    with plugged_again(lab, "alvin:en05", "alvin:en06"):
        lab.sh("alvin", LINK_FILES)
        assert lab.sh("alvin", PORTS) == "thunderbolt0 thunderbolt1\n"
        lab.command("unplug", "alvin:en05")
        assert "which is en05" in lab.command("plug", "alvin:en05").out
        wait_active(lab, "alvin", "active active")
        assert "UP" in lab.sh("alvin", "ip -o link show en05")
        lab.sh("alvin", "udevadm trigger --action=add --settle /sys/class/net/thunderbolt1")
        assert lab.sh("alvin", PORTS) == "en05 en06\n"
        lab.command("unplug", "alvin:en05")
        wait_active(lab, "alvin", "inactive inactive")
        lab.command("plug", "alvin:en05")
        lab.command("kill", "alvin")
        lab.command("start", "alvin")
        assert lab.sh("alvin", PORTS) == "en05 en06\n"
        wait_active(lab, "alvin", "active active")


def test_a_bad_cable_delays_and_loses_frames_both_ways_until_it_is_good_again(lab: Lab) -> None:
    with addressed(lab):
        try:
            lab.command("impair", "simon:en05", "--delay", "20ms")
            assert status(lab)["impaired"] == {"alvin:en06": {"loss_percent": 0, "delay_ms": 20}}
            assert answered(lab, "simon", FAR_END, 20) == 20
            assert 40 <= delay_ms(lab) < 60
            lab.command("impair", "alvin:en06", "--loss", "30%")
            assert 40 < answered(lab, "simon", FAR_END, 200, 0.01) < 160
        finally:
            lab.command("impair", "simon:en05")
        assert answered(lab, "simon", FAR_END, 20) == 20
        assert delay_ms(lab) < 20


def test_a_capture_has_both_directions_and_ends_with_ctrl_c(lab: Lab, tmp_path: Path) -> None:
    file = tmp_path / "frames.pcap"
    command = [sys.executable, "-m", "lab", "capture", "alvin:eno1", str(file)]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as capturing:
        assert capturing.stderr
        assert "capturing at alvin:eno1" in capturing.stderr.readline()
        lab.sh("alvin", "ping -q -c1 -W2 172.16.0.1")
        capturing.send_signal(signal.SIGINT)
        assert "0 packets dropped by kernel" in capturing.stderr.read()
    assert capturing.returncode == 0
    show, frames = "base64 -d | tcpdump -nr - icmp", b64encode(file.read_bytes()).decode()
    seen = lab.command("exec", "alvin", "--stdin", "--", "sh", "-c", show, stdin=frames)
    assert ("172.16.101.1 > 172.16.0.1: ICMP echo request" in seen.out, "ICMP echo reply" in seen.out) == (True, True)
    assert lab.sh("alvin", "pgrep tcpdump || ls /run/lab/seed | grep pcap", check=False) == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("console", "alvin"), "a console needs a terminal; `python -m lab exec alvin -- COMMAND` needs none"),
        (("capture", "alvin:eno9", "/dev/null"), "no cable is plugged in at alvin:eno9"),
        (("unplug", "dave:eno1"), "no machine dave in the lab; there are alvin"),
        (("plug", "alvin:eno9"), "alvin has no port eno9; it has eno1, eno2"),
        (("impair", "alvin:eno9"), "no cable is plugged in at alvin:eno9; there are cables at"),
        (("impair", "alvin:eno1", "--loss", "5"), "wanted a share of the frames, as in 5%"),
    ],
)
def test_what_is_not_there_is_named_with_what_is(lab: Lab, words: tuple[str, ...], message: str) -> None:
    done = lab.command(*words, check=False)
    assert done.code != 0
    assert message in done.err
