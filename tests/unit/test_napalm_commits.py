"""The NAPALM driver's configuration methods on a host in memory: their meaning, and the number of round trips."""

import pytest
from napalm.base.exceptions import (
    CommitError,
    ConnectionClosedException,
    ConnectionException,
    LockError,
)
from napalm_host import INTERFACES, MERGE, MERGED, RUNNING, Host, driver

from napalm_ifupdown2 import Ifupdown2Driver


def test_pending_commit_is_confirmed_by_a_new_session_with_the_token() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    device.commit_config(revert_in=60)
    assert host.pending
    assert host.pending["revert_s"] == 60
    assert host.lease is None, "a pending transaction is its own lock"
    device.close()
    later = driver(host, token=device.token)
    assert later.has_pending_commit()
    later.confirm_commit()
    assert not later.has_pending_commit()
    later.confirm_commit()
    assert host.files[INTERFACES] == MERGED


def test_confirm_without_a_token_names_its_argument() -> None:
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


def test_commit_under_another_lease_is_a_lock_error() -> None:
    host = Host()
    host.lease = "another run"
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(LockError, match="somebody"):
        device.commit_config()
    assert host.lease == "another run"


@pytest.mark.parametrize("revert_in", [0, -5])
def test_timer_of_zero_is_refused(revert_in: int) -> None:
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


def test_commit_that_the_host_reverted_is_an_error_with_its_reason() -> None:
    host = Host()
    device = driver(host)
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(CommitError, match="ifreload"):
        device.commit_config(message="this fails")
    assert host.files[INTERFACES] == RUNNING
    assert host.lease is None


def test_rollback_undoes_the_pending_commit() -> None:
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


def test_rollback_never_undoes_a_later_edit() -> None:
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
    assert driver(host).host_agent.outcome(token)["state"] == "unknown"


def test_lease_of_a_session_goes_with_it_and_that_of_a_run_stays() -> None:
    host = Host()
    device = driver(host)
    device.host_agent.lock()
    device.close()
    assert host.lease is None
    of_a_run = driver(host, run="r", holder="somebody", token="feed")
    of_a_run.host_agent.lock()
    of_a_run.load_merge_candidate(config=MERGE)
    of_a_run.commit_config(revert_in=60)
    of_a_run.close()
    assert host.lease == "r"
    assert host.asked[-3:] == ["prepare", "read", "begin"], "locked once"


def test_every_method_fails_before_open() -> None:
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
