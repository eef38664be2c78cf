"""A lab node's storage: its disk, /etc/pve, and the replacements for Proxmox's commands. Leaves the lab running and fresh."""

import json
from collections.abc import Iterator

import pytest
from rehearsal import FOLDER, NODES, Lab

pytestmark = pytest.mark.lab

DAEMONS = "ceph-mon ceph-mgr ceph-osd corosync"
DIGEST = "head -c 100M /dev/ubdb | sha256sum"
IS_ACTIVE = """ceph mgr dump -f json | jq -e .available"""
IS_UP = """ceph osd stat -f json | jq -e '.num_up_osds == 1 and .num_in_osds == 1'"""


def by_id(node: str) -> str:
    """A node's disk under /dev/disk/by-id."""
    return f"/dev/disk/by-id/nvme-2TB_SSD_{node.upper()}01"


def wait_on(lab: Lab, host: str, condition: str, within_s: int = 30) -> None:
    """Wait on the host until a shell condition holds."""
    lab.sh(host, f"for i in $(seq {within_s * 5}); do {condition} >/dev/null 2>&1 && exit 0; sleep 0.2; done; {condition}")


@pytest.fixture(scope="module", autouse=True)
def fresh(lab: Lab) -> Iterator[None]:
    """All hosts are freshly installed, before and after."""
    lab.command("reset")
    yield
    lab.command("reset")


@pytest.mark.parametrize("node", NODES)
def test_a_fresh_node_has_an_empty_disk_and_nothing_of_ceph_running(lab: Lab, node: str) -> None:
    (disk,) = json.loads(lab.sh(node, f"lsblk --json --bytes -o NAME,SIZE,TYPE,FSTYPE,SERIAL {by_id(node)}"))["blockdevices"]
    assert disk == {"name": "ubdb", "size": 3 << 30, "type": "disk", "fstype": None, "serial": f"2TB_SSD_{node.upper()}01"}
    assert (FOLDER / "run" / "machines" / node / "disk1.raw").stat().st_blocks == 0
    assert lab.sh(node, f"pidof {DAEMONS}", check=False) == ""
    assert lab.sh(node, "ls /etc/pve; ls /etc/ceph /etc/corosync") == (
        "priv\nstorage.cfg\n/etc/ceph:\nrbdmap\n\n/etc/corosync:\nuidgid.d\n"
    )


def test_a_disk_keeps_what_was_synced_until_it_is_reset(lab: Lab) -> None:
    lab.sh("theodore", f"mkfs.ext4 -q {by_id('theodore')}; sync")
    wait_on(lab, "theodore", f"test $(lsblk -no FSTYPE {by_id('theodore')}) = ext4")
    lab.command("kill", "theodore")
    lab.command("start", "theodore")
    assert lab.sh("theodore", f"lsblk -no FSTYPE {by_id('theodore')}") == "ext4\n"
    lab.command("reset", "theodore")
    assert lab.sh("theodore", f"lsblk -no FSTYPE {by_id('theodore')}; wipefs {by_id('theodore')}") == "\n"


def test_the_replacements_refuse_as_proxmox_does(lab: Lab) -> None:
    errors = {
        "pvecm status": "Error: Corosync config '/etc/pve/corosync.conf' does not exist - is this node part of a cluster?",
        "pveceph mon create": "binary not installed: /usr/bin/ceph-mon",
        "pvecm create home_lab": "clustername: invalid format - value does not look like a valid node name",
        "pveceph osd create": "400 not enough arguments",
        "pveceph pool create p --siz 3": "Unknown option: siz",
        "pvesm remove nothing": "delete storage failed: storage 'nothing' does not exist",
    }
    for command, words in errors.items():
        done = lab.command("exec", "theodore", "--", *command.split(), check=False)
        assert (done.code, words in done.err) == (255, True), f"{command}: {done}"
    assert lab.sh("theodore", "pvesm status").splitlines()[1].split()[:3] == ["local", "dir", "active"]


def test_a_node_with_guests_does_not_join(lab: Lab) -> None:
    """As with Proxmox, the exit code is 0, the reasons are on standard output, and standard error has the last line alone."""
    lab.sh("theodore", "mkdir -p /etc/pve/nodes/old/qemu-server && touch /etc/pve/nodes/old/qemu-server/100.conf")
    done = lab.command("exec", "theodore", "--", "pvecm", "add", "172.16.101.1", "--use_ssh", check=False)
    assert (done.code, done.err) == (0, "Check if node may join a cluster failed!\n"), done
    assert "* this host already contains virtual guests\n" in done.out
    lab.sh("theodore", "rm -r /etc/pve/nodes")


def test_etc_pve_is_the_clusters_from_joining_on_and_a_reset_leaves_it_to_the_others(lab: Lab) -> None:
    lab.sh("alvin", "pvecm create homelab --link0 172.16.101.1; echo before > /etc/pve/seen")
    key, host_key = lab.sh("simon", "cat /root/.ssh/id_rsa.pub"), lab.sh("alvin", "cat /etc/ssh/ssh_host_ed25519_key.pub")
    lab.sh("alvin", f"echo '{key.strip()}' >> /root/.ssh/authorized_keys")
    lab.sh("simon", f"echo '172.16.101.1 {host_key.strip()}' >> /root/.ssh/known_hosts")
    lab.sh("simon", "pvecm add 172.16.101.1 --use_ssh --link0 172.16.101.2")
    wait_on(lab, "alvin", "pvecm status | grep -qx 'Nodes: *2'")
    lab.sh("simon", "grep -q before /etc/pve/seen; echo after > /etc/pve/seen")
    assert lab.sh("alvin", "cat /etc/pve/seen") == "after\n"
    assert lab.sh("theodore", "ls /etc/pve") == "priv\nstorage.cfg\n"
    lab.command("reset", "simon")
    assert lab.sh("simon", "ls /etc/pve") == "priv\nstorage.cfg\n"
    assert lab.sh("alvin", "cat /etc/pve/seen; grep -c nodeid /etc/pve/corosync.conf") == "after\n2\n"


def test_a_monitor_a_manager_and_an_osd_run_on_the_disk(lab: Lab) -> None:
    lab.command("reset", "alvin")
    lab.sh("alvin", "yes | pveceph install --repository no-subscription")
    lab.sh("alvin", "pveceph init --network 172.16.0.0/16 && pveceph mon create")
    wait_on(lab, "alvin", IS_ACTIVE)
    lab.sh("alvin", f"mkfs.ext4 -q {by_id('alvin')}; {DIGEST} > /root/sum")
    refused = lab.command("exec", "alvin", "--", "pveceph", "osd", "create", by_id("alvin"), check=False)
    assert (refused.code, refused.err) == (255, "device '/dev/ubdb' is already in use\n")
    lab.sh("alvin", f"{DIGEST} | cmp - /root/sum && wipefs -aq {by_id('alvin')} && pveceph osd create {by_id('alvin')}")
    wait_on(lab, "alvin", IS_UP)
    ignored = lab.command("exec", "alvin", "--", "pveceph", "pool", "set", "nothing", "--size", "3", check=False)
    assert (ignored.code, "nothing" in ignored.err) == (0, True), ignored
    assert lab.sh("alvin", "readlink /etc/ceph/ceph.conf") == "/etc/pve/ceph.conf\n"
    others = "setpriv --reuid 65534 --regid 65534 --clear-groups"
    assert lab.sh("alvin", f"{others} find /etc/pve/priv /var/lib/ceph -name '*keyring*' -readable 2>/dev/null", check=False) == ""
    assert "MGR_MODULE" not in lab.sh("alvin", "ceph health detail")
