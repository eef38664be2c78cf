"""The NAPALM driver on real hosts: its configuration methods, verified out of band with the system's own tools."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from napalm import get_network_driver
from napalm.base.exceptions import CommitError, ConnectionException, LockError, MergeConfigException
from nornir import InitNornir
from nornir_napalm.plugins.tasks import napalm_cli, napalm_configure, napalm_get
from rehearsal import FOLDER, ROOT, Lab

from napalm_ifupdown2 import Ifupdown2Driver
from napalm_ifupdown2.candidates import attributes
from tasks.core.connectors.agent_session import HostSession

pytestmark = pytest.mark.lab

SWITCH, NODE = "sw-rack", "alvin"
PLAIN = (NODE, SWITCH, "vault")
MERGE = "auto probe0\niface probe0\n\tvlan-raw-device swp5\n\tvlan-id 77\n\taddress 10.99.0.1/24\n"
CONFIG = {"ssh_config_file": str(FOLDER / "ssh_config")}
Open = Callable[..., Ifupdown2Driver]


class Counting:
    """An SSH channel that counts its execs."""

    def __init__(self, channel: Any) -> None:
        self.channel, self.host, self.execs = channel, channel.host, 0

    def run(self, *arguments: Any) -> Any:
        self.execs += 1
        return self.channel.run(*arguments)

    def alive(self) -> bool:
        return bool(self.channel.alive())

    def close(self) -> None:
        self.channel.close()


@pytest.fixture
def put_back(lab: Lab) -> Iterator[None]:
    """Afterwards the hosts' files are restored and applied."""
    before = {host: lab.sh(host, "cat /etc/network/interfaces") for host in (SWITCH, NODE)}
    yield
    for host, text in before.items():
        lab.sh(host, "test ! -e /var/lib/burrow/pending || burrow revert")
        if lab.sh(host, "cat /etc/network/interfaces") != text:
            lab.command("exec", "--stdin", host, "--", "sh", "-c", "cat > /etc/network/interfaces && ifreload -a", stdin=text)


@pytest.fixture
def connect(lab: Lab, put_back: None) -> Iterator[Open]:  # noqa: ARG001
    devices: list[Ifupdown2Driver] = []

    def connect(host: str = SWITCH, timeout: int = 60, **arguments: Any) -> Ifupdown2Driver:
        device = get_network_driver("ifupdown2")(host, "", "", timeout=timeout, optional_args={**CONFIG, **arguments})
        device.open()
        devices.append(device)
        return device

    yield connect
    for device in devices:
        device.close()


def has(lab: Lab, interface: str, host: str = SWITCH) -> bool:
    return lab.command("exec", host, "--", "ip", "link", "show", interface, check=False).code == 0


def lease_is_free(lab: Lab, host: str = SWITCH) -> bool:
    return "lease:   none" in lab.sh(host, "burrow status")


def test_merge_is_seen_by_ip_and_confirmed_by_another_session(lab: Lab, connect: Open) -> None:
    device = connect()
    before = lab.sh(SWITCH, "cat /etc/network/interfaces")
    device.load_merge_candidate(config=MERGE)
    assert "+iface probe0" in device.compare_config()
    assert not has(lab, "probe0")
    device.commit_config(message="Try probe0", revert_in=60)
    assert "10.99.0.1/24" in lab.sh(SWITCH, "ip -br addr show probe0")
    assert lab.pending(SWITCH)
    assert lease_is_free(lab), "a pending transaction needs no lease"
    device.close()
    later = connect(token=device.token)
    assert later.has_pending_commit()
    later.confirm_commit()
    assert not later.has_pending_commit()
    assert not lab.pending(SWITCH)
    after = lab.sh(SWITCH, "cat /etc/network/interfaces")
    assert all(line in after for line in before.splitlines()), "what the merge does not name stays"
    later.rollback()
    assert lab.sh(SWITCH, "cat /etc/network/interfaces") == before
    assert not has(lab, "probe0")
    assert lease_is_free(lab)


def test_replace_is_the_whole_file(lab: Lab, connect: Open) -> None:
    device = connect()
    running = device.get_config(retrieve="running")["running"]
    device.load_replace_candidate(config=MERGE + "\n" + running)
    device.commit_config()
    assert has(lab, "probe0")
    device.load_replace_candidate(config=running)
    assert "-iface probe0" in device.compare_config()
    device.commit_config()
    assert not has(lab, "probe0")
    assert lab.sh(SWITCH, "cat /etc/network/interfaces") == running.partition("#### file")[0]


def test_unconfirmed_commit_restores_itself(lab: Lab, connect: Open) -> None:
    device = connect()
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=6)
    assert has(lab, "probe0")
    lab.wait("the timer restores", lambda: not has(lab, "probe0") and not lab.pending(SWITCH), 12)
    assert not device.has_pending_commit()
    with pytest.raises(CommitError, match="by its timer"):
        device.confirm_commit()


def test_pending_commit_is_rolled_back_and_no_second_one_begins(lab: Lab, connect: Open) -> None:
    device = connect()
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=60)
    other = connect()
    other.load_merge_candidate(config="iface probe0\n\tmtu 1400\n")
    for second in (device, other):
        second.load_merge_candidate(config="iface probe0\n\tmtu 1400\n")
        with pytest.raises(CommitError, match="open"):
            second.commit_config(revert_in=60)
    with pytest.raises(CommitError, match="optional_args token"):
        other.confirm_commit()
    device.rollback()
    assert not has(lab, "probe0")
    assert not lab.pending(SWITCH)


def test_bad_candidates_write_nothing(lab: Lab, connect: Open) -> None:
    device = connect()
    before = lab.sh(SWITCH, "stat -c %Y.%i /etc/network/interfaces")
    with pytest.raises(MergeConfigException, match=r"sw-rack.*line 3: iface probe0: ifupdown2 has no attribute `vlan-idd`"):
        device.load_merge_candidate(config="auto probe0\niface probe0\n\tvlan-idd 77\n")
    device.load_merge_candidate(config=MERGE.replace("10.99.0.1", "10.99.0.300"))
    with pytest.raises(CommitError, match=r"would not be accepted.*10\.99\.0\.300"):
        device.commit_config(revert_in=60)
    assert lab.sh(SWITCH, "stat -c %Y.%i /etc/network/interfaces") == before
    assert not lab.pending(SWITCH)
    assert lease_is_free(lab)


def test_commit_that_cuts_its_own_session_is_taken_back(lab: Lab, connect: Open) -> None:
    device = connect(NODE, timeout=6)
    device.load_merge_candidate(config="iface vmbr0\n\taddress 172.16.101.77/16\n")
    with pytest.raises(ConnectionException, match="alvin"):
        device.commit_config(revert_in=10)
    assert "172.16.101.77/16" in lab.sh(NODE, "ip -br addr show vmbr0")
    lab.wait("the timer restores the address", lambda: "172.16.101.1/16" in lab.sh(NODE, "ip -br addr show vmbr0"), 20)
    lab.wait("the node answers", lambda: lab.reachable(NODE), 20)
    assert connect(NODE).host_agent.outcome(device.token or "")["state"] == "reverted"


def test_lease_of_another_is_named(connect: Open) -> None:
    first, second = connect(holder="ann"), connect()
    first.host_agent.lock()
    second.load_merge_candidate(config=MERGE)
    with pytest.raises(LockError, match="ann has been changing this host"):
        second.commit_config()
    first.close()
    second.commit_config(revert_in=60)
    second.rollback()


def test_round_trips_are_few(connect: Open) -> None:
    device = connect()
    assert device._session
    channel = Counting(device._session.channel)
    device._session = HostSession(channel)  # type: ignore[arg-type]
    device.load_merge_candidate(config="iface br0\n\tbridge-stp off\n")
    assert device.compare_config() == ""
    device.discard_config()
    assert channel.execs == 2
    device.load_merge_candidate(config=MERGE)
    device.compare_config()
    device.commit_config(revert_in=60)
    device.confirm_commit()
    assert channel.execs == 2 + 6


# Ignore Python's warnings about the addons' own code.
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")
def test_attributes_that_the_hosts_addons_declare_are_known(lab: Lab) -> None:
    addons = lab.sh(SWITCH, "cat /usr/share/ifupdown2/addons/*.py")
    names, _ = attributes()
    declared: set[str] = set()
    for module in re.split(r"(?m)^(?=#!/usr/bin)", addons):
        for node in ast.walk(ast.parse(module)):
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_modinfo" and isinstance(node.value, ast.Dict):
                table = dict(zip([getattr(key, "value", "") for key in node.value.keys], node.value.values, strict=True))
                attrs = table.get("attrs")
                declared |= {str(getattr(key, "value", "")) for key in attrs.keys} if isinstance(attrs, ast.Dict) else set()
    assert len(declared) > 100
    assert declared <= names


def test_plain_nornir_napalm_reads_and_plans_on_any_host(lab: Lab, tmp_path: Path) -> None:
    files = {host: lab.sh(host, "cat /etc/network/interfaces") for host in PLAIN}
    options = f"connection_options: {{napalm: {{extras: {{optional_args: {{ssh_config_file: {CONFIG['ssh_config_file']}}}}}}}}}"
    (tmp_path / "hosts.yaml").write_text("".join(f"{host}: {{hostname: {host}, platform: ifupdown2, {options}}}\n" for host in PLAIN))
    inventory = {"plugin": "SimpleInventory", "options": {"host_file": str(tmp_path / "hosts.yaml")}}
    with InitNornir(inventory=inventory, logging={"enabled": False}) as nornir:
        got = nornir.run(napalm_get, getters=["facts", "interfaces", "interfaces_ip", "config"])
        answers = nornir.run(napalm_cli, commands=["cat /proc/sys/kernel/hostname"])
        planned = nornir.run(napalm_configure, configuration=MERGE, dry_run=True)
        nothing = nornir.run(napalm_configure, configuration="iface lo inet loopback\n")
    for result in (got, answers, planned, nothing):
        assert not result.failed, {host: str(each.exception) for host, each in result.items()}
    for host in PLAIN:
        assert got[host].result["facts"]["hostname"] == host
        assert got[host].result["config"]["running"].startswith(files[host])
        assert answers[host].result == {"cat /proc/sys/kernel/hostname": f"{host}\n"}
        assert planned[host].changed
        assert "+iface probe0" in planned[host].diff
        assert not nothing[host].changed
        assert lab.sh(host, "cat /etc/network/interfaces") == files[host]
        assert not has(lab, "probe0", host)


def examples() -> list[str]:
    """The Python blocks of the driver's page."""
    return re.findall(r"(?s)```python\n(.*?)```", (ROOT / "docs" / "napalm.md").read_text())


@pytest.mark.parametrize("number", range(len(examples())))
@pytest.mark.usefixtures("put_back")
def test_examples_of_the_page_run_as_they_stand(number: int, lab: Lab, tmp_path: Path) -> None:
    here = str(FOLDER)
    page = (ROOT / "docs" / "napalm.md").read_text().replace("~/.cache/burrow/lab", here)
    (tmp_path / "hosts.yaml").write_text(re.findall(r"(?s)```yaml\n(.*?)```", page)[0])
    program = examples()[number].replace("~/.cache/burrow/lab", here)
    before = lab.sh(SWITCH, "cat /etc/network/interfaces")
    words = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False, env=dict(os.environ))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+\tmtu 1400" in done.stdout or "Debian" in done.stdout or "True" in done.stdout
    assert lab.sh(SWITCH, "cat /etc/network/interfaces") == before
