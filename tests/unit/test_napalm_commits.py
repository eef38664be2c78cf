"""The NAPALM driver's configuration methods against a host in memory: their meaning, and how many round trips each takes."""

import json
from typing import Any

import pytest
from napalm.base.exceptions import (
    CommitError,
    ConnectionClosedException,
    ConnectionException,
    LockError,
    MergeConfigException,
    ReplaceConfigException,
)

from napalm_ifupdown2 import Ifupdown2Driver
from tasks.core.errors import Deadline
from tasks.core.frr_running import READ_LAYOUT, READ_RUNNING
from tasks.core.sdn import READ_SDN
from tasks.core.session import HostSession

INTERFACES = "/etc/network/interfaces"
RUNNING = "auto lo\niface lo inet loopback\n\nauto eno1\niface eno1 inet static\n\taddress 10.0.0.1/24\n"
MERGE = "iface eno1\n\tmtu 1400\n"
# Not a file: why nothing below /etc/pve can be read.
UNMOUNTED = "unmounted"
MERGED = RUNNING + "\tmtu 1400\n"


class Host:
    """A host's part in memory: it answers requests as the real one does, and stands in for the SSH channel."""

    host = "h"

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = {INTERFACES: RUNNING, **(files or {})}
        self.frr = {READ_RUNNING: "", READ_LAYOUT: ""}
        self.asked: list[str] = []
        self.pending: dict[str, Any] | None = None
        self.done: dict[str, dict[str, Any]] = {}
        self.lease: str | None = None
        self.up, self.breaks_at = True, ""

    def run(self, _command: str, stdin: bytes, *_: Any) -> tuple[int, bytes, bytes]:
        size, _, rest = stdin.partition(b"\n")
        ask = json.loads(rest[int(size) :])
        self.asked.append(ask["op"])
        if ask["op"] == self.breaks_at:
            self.up = False
            raise Deadline("h: no answer")
        return 0, json.dumps(getattr(self, f"op_{ask['op']}")(ask)).encode() + b"\n", b""

    def alive(self) -> bool:
        return self.up

    def close(self) -> None:
        self.up = False

    def op_read(self, ask: Any) -> Any:
        return {"answer": {"facts": {name: self.answer(command) for name, command in ask["facts"].items()}, "pending": self.pending}}

    def answer(self, command: str) -> dict[str, Any]:
        path = command.removeprefix("cat ")
        if command == READ_SDN and UNMOUNTED in self.files:
            return {"rc": 1, "out": "", "err": f"{self.files[UNMOUNTED]}\n"}
        said = {**self.frr, READ_SDN: self.files.get("/etc/pve/sdn/controllers.cfg", "")}
        if command in said:
            return {"rc": 0, "out": said[command], "err": ""}
        if path in self.files:
            return {"rc": 0, "out": self.files[path], "err": ""}
        if command.startswith("ls /sys/class/net"):
            return {"rc": 0, "out": "eno1\nlo\n", "err": ""}
        for token, entry in self.done.items():
            if token in command:
                return {"rc": 0, "out": json.dumps(entry), "err": ""}
        return {"rc": 1, "out": "", "err": f"{command}: no such file"}

    def op_prepare(self, ask: Any) -> Any:
        if self.lease not in (None, ask["run"]):
            return {"refused": "somebody changes this host"}
        if self.pending and self.pending["run"] != ask["run"]:
            return {"refused": "a transaction of somebody is open"}
        self.lease = ask["run"]
        return {"answer": {}}

    def op_begin(self, ask: Any) -> Any:
        if self.pending:
            return {"refused": "a transaction is already open"}
        for item in ask["files"]:
            if self.files.get(item["path"]) != item["before"]:
                return {"refused": f"{item['path']} was changed since it was read"}
            if "rejected" in item["text"]:
                return {"refused": f"{item['path']} would not be accepted"}
        self.pending = ask
        self.files |= {item["path"]: item["text"] for item in ask["files"]}
        if "fails" in ask["why"]:
            self.end("reverted", "`ifreload -a` ended with 1")
        return self.op_outcome(ask)

    def end(self, outcome: str, reason: str = "") -> None:
        assert self.pending
        if outcome == "reverted":
            self.files |= {item["path"]: item["before"] for item in self.pending["files"]}
        self.done[self.pending["token"]] = {**self.pending, "state": outcome, "reason": reason}
        self.pending = None

    def op_confirm(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            self.end("confirmed")
        return self.op_outcome(ask)

    def op_revert(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            self.end("reverted", ask["reason"])
        return self.op_outcome(ask)

    def op_outcome(self, ask: Any) -> Any:
        if self.pending and self.pending["token"] == ask["token"]:
            return {"answer": {"state": "applied", "reason": ""}}
        entry = self.done.get(ask["token"], {"state": "unknown", "reason": "no transaction of that token"})
        return {"answer": {"state": entry["state"], "reason": entry["reason"]}}

    def op_release(self, ask: Any) -> Any:
        if self.lease == ask["run"]:
            self.lease = None
        return {"answer": {}}


def driver(host: Host, **arguments: Any) -> Ifupdown2Driver:
    device = Ifupdown2Driver("h", "", "", optional_args=arguments)
    device._session = HostSession(host)  # type: ignore[arg-type]
    host.up = True
    return device


def test_no_change_is_one_read_to_load_and_one_to_compare() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config="iface eno1\n\taddress 10.0.0.1/24\n")
    assert device.compare_config() == ""
    device.discard_config()
    assert host.asked == ["read", "read"]


def test_merge_is_by_attribute_and_committed_at_once() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    assert device.compare_config().splitlines()[:2] == [f"--- {INTERFACES}", f"+++ {INTERFACES} (candidate)"]
    assert "+\tmtu 1400" in device.compare_config()
    assert host.files[INTERFACES] == RUNNING
    device.commit_config(message="because")
    assert host.files[INTERFACES] == MERGED
    assert not device.has_pending_commit()
    assert host.done[device.token or ""]["why"] == "because"
    assert device.compare_config() == ""
    assert host.asked == ["read", "read", "read", "prepare", "begin", "confirm", "release", "read"]


def test_second_merge_adds_to_the_first_and_a_replace_forgets_both() -> None:
    device = driver(Host())
    device.load_merge_candidate(config=MERGE)
    device.load_merge_candidate(config="iface eno1\n\tgateway 10.0.0.254\n")
    candidate = device.get_config(retrieve="candidate")["candidate"]
    assert "mtu 1400" in candidate
    assert "gateway 10.0.0.254" in candidate
    device.load_replace_candidate(config=RUNNING)
    assert device.compare_config() == ""


def test_file_takes_precedence_over_text(tmp_path: Any) -> None:
    path = tmp_path / "candidate"
    path.write_text(MERGED)
    device = driver(Host())
    device.load_replace_candidate(filename=str(path), config="nonsense")
    assert "+\tmtu 1400" in device.compare_config()


def test_compare_reads_the_running_file_again() -> None:
    host = Host()
    device = driver(host)
    device.load_replace_candidate(config=MERGED)
    host.files[INTERFACES] = MERGED
    assert device.compare_config() == ""


def test_compare_says_where_a_last_line_has_no_end() -> None:
    device = driver(Host())
    device.load_replace_candidate(config=RUNNING.rstrip("\n"))
    assert device.compare_config().endswith("-\taddress 10.0.0.1/24\n+\taddress 10.0.0.1/24\n\\ No newline at end of file\n")


@pytest.mark.parametrize(
    ("method", "error"), [("load_merge_candidate", MergeConfigException), ("load_replace_candidate", ReplaceConfigException)]
)
@pytest.mark.parametrize(
    "config", ["iface eno1\n\tmtuu 1400\n", "#### file /etc/passwd\n", RUNNING + "#### file /etc/frr/frr.conf\nrouter ospf\n"]
)
def test_bad_candidate_is_refused_with_the_methods_own_error_and_host(method: str, error: type[Exception], config: str) -> None:
    host = Host()
    with pytest.raises(error, match=r"^h: "):
        getattr(driver(host), method)(config=config)
    assert set(host.asked) <= {"read"}


def test_missing_file_is_refused() -> None:
    with pytest.raises(ReplaceConfigException, match="cannot be read"):
        driver(Host()).load_replace_candidate(filename="/no/such/file")


def test_frrs_files_pass_where_they_are_the_hosts_and_stay_where_they_are_not_named() -> None:
    host = Host({"/etc/frr/frr.conf": "log syslog\n", "/etc/frr/daemons": "ospfd=no\n"})
    device = driver(host)
    running = device.get_config(retrieve="running")["running"]
    assert "#### file /etc/frr/frr.conf\nlog syslog\n" in running
    device.load_replace_candidate(config=running)
    assert device.compare_config() == ""
    device.load_replace_candidate(config=MERGED)
    assert "frr" not in device.compare_config()


def test_frrs_file_is_merged_by_statement() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "log syslog\n! mine\n", "/etc/frr/daemons": "ospfd=no\n"}))
    device.load_merge_candidate(config="#### file /etc/frr/frr.conf\nrouter ospf\n ospf router-id 10.0.0.1\nexit\n")
    assert "+ ospf router-id 10.0.0.1\n" in device.compare_config()
    assert "! mine" in device.get_config(retrieve="candidate")["candidate"]


COST = "#### file /etc/frr/frr.conf\ninterface en05\n ip ospf cost 7\nexit\n"
UNSAVED = "interface en05\n ip ospf cost 9\nexit\nrouter bgp 65001\n neighbor 10.0.0.2 password hush\nexit\nip route 10.9.0.0/16 10.0.0.1\n"


def routed() -> Host:
    return Host({"/etc/frr/frr.conf": "interface en05\n ip ospf cost 5\nexit\n", "/etc/frr/daemons": "ospfd=no\n"})


@pytest.mark.parametrize("candidate", [COST, "#### file /etc/frr/daemons\nospfd=yes\n"])
def test_what_frr_runs_and_no_file_holds_is_not_deleted(candidate: str) -> None:
    """A reload would delete it without a word; a value that the candidate itself sets may go."""
    host = routed()
    host.frr[READ_RUNNING] = UNSAVED if candidate == COST else UNSAVED.replace("cost 9", "cost 5")
    device = driver(host)
    with pytest.raises(
        MergeConfigException, match=r"`ip route 10.9.0.0/16 10.0.0.1`, `router bgp 65001`.*password <removed>.*write memory"
    ) as raised:
        device.load_merge_candidate(config=candidate)
    assert "ospf cost" not in str(raised.value)
    host.frr[READ_RUNNING] = "interface en05\n ip ospf cost 9\nexit\n" if candidate == COST else ""
    device.load_merge_candidate(config=candidate)
    host.frr[READ_RUNNING] = UNSAVED  # somebody typed it between the two
    with pytest.raises(CommitError, match="nothing was changed: FRR runs what"):
        device.commit_config(revert_in=60)
    assert "begin" not in host.asked


def test_frr_without_a_file_for_all_daemons_is_left_alone() -> None:
    host = routed()
    host.frr[READ_LAYOUT] = "no service integrated-vtysh-config\n"
    with pytest.raises(ReplaceConfigException, match="no service integrated-vtysh-config"):
        driver(host).load_replace_candidate(config=COST)


def test_no_key_is_in_a_difference() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "interface en05\n ip ospf message-digest-key 1 md5 hush\nexit\n", "/etc/frr/daemons": ""}))
    device.load_merge_candidate(config="#### file /etc/frr/frr.conf\ninterface en05\n ip ospf cost 7\nexit\n")
    assert "+ ip ospf cost 7\n" in device.compare_config()
    assert "hush" not in device.compare_config()


@pytest.mark.parametrize(
    ("files", "candidate", "said"),
    [
        ({}, "#### file /etc/frr/frr.conf\nrouter ospf\n", "the host has no FRR"),
        ({"/etc/frr/daemons": "ospfd=no\n"}, "#### file /etc/frr/daemons\nospf=yes\n", "no daemon `ospf`"),
        ({"/etc/frr/daemons": "ospfd=no\n"}, "#### file /etc/frr/daemons\nospfd\n", "wanted NAME=VALUE, found `ospfd`"),
        (
            {"/etc/frr/daemons": "ospfd=no\n", "/etc/pve/sdn/controllers.cfg": "evpn: mine\n\tasn 65000\n"},
            "#### file /etc/frr/daemons\nospfd=yes\n",
            "Proxmox's SDN writes /etc/frr/frr.conf for evpn: mine",
        ),
        (
            {"/etc/frr/daemons": "ospfd=no\n", UNMOUNTED: "/etc/pve is not mounted, though /usr/bin/pvecm is there"},
            "#### file /etc/frr/daemons\nospfd=yes\n",
            "/etc/pve is not mounted, though /usr/bin/pvecm is there",
        ),
    ],
)
def test_frrs_half_is_refused_with_the_reason(files: dict[str, str], candidate: str, said: str) -> None:
    device = driver(Host(files))
    with pytest.raises(MergeConfigException, match=said):
        device.load_merge_candidate(config=candidate)


def test_sanitized_configuration_has_no_secrets() -> None:
    device = driver(Host({"/etc/frr/frr.conf": "password zebra\nip ospf message-digest-key 1 md5 hush\n"}))
    assert "zebra" in device.get_config()["running"]
    shown = device.get_config(sanitized=True)["running"]
    assert "password <removed>\n" in shown
    assert "md5 <removed>\n" in shown


def test_pending_commit_is_confirmed_by_a_new_session_with_the_token() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=60)
    assert host.pending
    assert host.pending["revert_s"] == 60
    assert host.lease is None, "what is pending guards itself"
    device.close()
    later = driver(host, token=device.token)
    assert later.has_pending_commit()
    later.confirm_commit()
    assert not later.has_pending_commit()
    later.confirm_commit()
    assert host.files[INTERFACES] == MERGED


def test_confirm_without_a_token_says_where_to_give_it() -> None:
    with pytest.raises(CommitError, match="optional_args token"):
        driver(Host()).confirm_commit()


def test_confirm_after_the_timer_is_an_error_with_the_reason() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=1)
    host.end("reverted", "by its timer")
    with pytest.raises(CommitError, match="by its timer"):
        device.confirm_commit()
    assert not device.has_pending_commit()


def test_second_commit_while_one_is_pending_is_an_error_and_the_first_can_still_be_confirmed() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=60)
    with pytest.raises(CommitError, match="pending"):
        device.commit_config()
    device.load_merge_candidate(config="iface eno1\n\tmtu 1300\n")
    with pytest.raises(CommitError, match="already open"):
        device.commit_config()
    other = driver(host)
    other.load_merge_candidate(config="iface eno1\n\tmtu 1300\n")
    with pytest.raises(CommitError, match="is open"):
        other.commit_config()
    device.confirm_commit()
    assert host.files[INTERFACES] == MERGED
    assert host.lease is None


def test_commit_where_another_has_the_lease_is_a_lock_error() -> None:
    host = Host()
    host.lease = "another run"
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(LockError, match="somebody"):
        device.commit_config()
    assert host.lease == "another run"


@pytest.mark.parametrize("revert_in", [0, -5])
def test_timer_of_no_time_is_refused(revert_in: int) -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(CommitError, match="revert_in"):
        device.commit_config(revert_in=revert_in)
    assert "begin" not in host.asked


def test_commit_of_a_file_that_changed_since_it_was_loaded_is_an_error() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    host.files[INTERFACES] = RUNNING + "\tmtu 1500\n"
    with pytest.raises(CommitError, match="changed since"):
        device.commit_config()
    assert host.lease is None


def test_commit_that_the_host_took_back_is_an_error_with_its_reason() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(CommitError, match="ifreload"):
        device.commit_config(message="this fails")
    assert host.files[INTERFACES] == RUNNING
    assert host.lease is None


def test_rollback_undoes_what_is_pending() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=60)
    device.rollback()
    assert host.files[INTERFACES] == RUNNING
    assert not device.has_pending_commit()
    device.rollback()
    assert host.files[INTERFACES] == RUNNING


def test_rollback_undoes_the_last_commit_and_doing_it_again_changes_nothing() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config()
    device.load_merge_candidate(config="iface eno1\n\tgateway 10.0.0.254\n")
    device.commit_config()
    device.rollback()
    assert host.files[INTERFACES] == MERGED
    device.rollback()
    assert host.files[INTERFACES] == MERGED


def test_rollback_of_a_confirmed_commit_by_its_token_in_a_new_session() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config()
    driver(host, token=device.token).rollback()
    assert host.files[INTERFACES] == RUNNING


def test_rollback_never_undoes_what_somebody_changed_since() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config()
    host.files[INTERFACES] = "auto lo\n"
    with pytest.raises(CommitError, match="changed since"):
        device.rollback()
    assert host.files[INTERFACES] == "auto lo\n"


def test_rollback_of_nothing_is_an_error() -> None:
    with pytest.raises(CommitError, match="nothing to roll back"):
        driver(Host()).rollback()
    with pytest.raises(CommitError, match="unknown"):
        driver(Host(), token="feed").rollback()


def test_lost_answer_leaves_the_token_so_that_the_outcome_can_be_asked() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    host.breaks_at = "begin"
    with pytest.raises(ConnectionException, match="no answer"):
        device.commit_config(revert_in=60)
    assert not device.is_alive()["is_alive"]
    token = device.token
    assert token
    assert driver(host, token=token).outcome()["state"] == "unknown"


def test_lease_of_a_session_goes_with_it_and_that_of_a_run_stays() -> None:
    host = Host()
    device = driver(host)
    device.lock()
    device.close()
    assert host.lease is None
    of_a_run = driver(host, run="r", holder="somebody", token="feed")
    of_a_run.lock()
    of_a_run.load_merge_candidate(config=MERGE)
    of_a_run.commit_config(revert_in=60)
    of_a_run.close()
    assert host.lease == "r"
    assert host.asked[-3:] == ["prepare", "read", "begin"], "locked once"


def test_before_open_everything_says_so() -> None:
    with pytest.raises(ConnectionClosedException, match="call open"):
        Ifupdown2Driver("h", "", "").get_facts()
    assert Ifupdown2Driver("h", "", "").is_alive() == {"is_alive": False}


def test_cli_answers_all_commands_in_one_round_trip() -> None:
    host = Host()
    device = driver(host)
    assert device.cli([f"cat {INTERFACES}", "false"]) == {f"cat {INTERFACES}": RUNNING, "false": "false: no such file"}
    assert host.asked == ["read"]
    with pytest.raises(TypeError, match="list"):
        device.cli("uptime")  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="json"):
        device.cli(["uptime"], encoding="json")
