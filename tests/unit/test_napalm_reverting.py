"""The NAPALM driver on a commit that is being reverted, and on bytes that are not UTF-8: it mistakes neither for something else."""

from pathlib import Path
from typing import Any

import pytest
from napalm.base.exceptions import CommitError
from test_napalm_commits import INTERFACES, MERGE, RUNNING, Host, driver

WHY = "read-only file system: /etc/network/interfaces (/dev/sda1)"


class Reverting(Host):
    """Its revert has begun and does not end."""

    def op_begin(self, ask: Any) -> Any:
        self.pending = ask
        return self.op_outcome(ask)

    def op_outcome(self, _: Any) -> Any:
        return {"answer": {"state": "reverting", "reason": f"rolled back; {WHY}"}}

    def op_confirm(self, _: Any) -> Any:
        return {"refused": f"the transaction is being reverted, so it cannot be confirmed: {WHY}"}

    def op_revert(self, ask: Any) -> Any:
        return self.op_outcome(ask)


def test_commit_that_is_being_reverted_is_an_error_and_still_pending() -> None:
    device = driver(Reverting(), token="t")
    device.load_merge_candidate(config=MERGE)
    with pytest.raises(CommitError, match="not committed, it is reverting: rolled back; read-only"):
        device.commit_config(revert_in=30)
    assert device.has_pending_commit()
    with pytest.raises(CommitError, match="cannot be confirmed: read-only"):
        device.confirm_commit()
    with pytest.raises(CommitError, match="not rolled back, it is reverting: rolled back; read-only"):
        device.rollback()


def test_bytes_that_are_not_text_survive_a_candidate(tmp_path: Path) -> None:
    host = Host({INTERFACES: "# caf\udce9\n" + RUNNING})
    device = driver(host)
    saved = tmp_path / "saved"
    saved.write_bytes(device.get_config()["running"].encode(errors="surrogateescape"))
    device.load_replace_candidate(filename=str(saved))
    assert device.compare_config() == ""
    device.load_merge_candidate(config=MERGE)
    device.commit_config()
    assert host.files[INTERFACES].startswith("# caf\udce9\n")
    assert "mtu 1400" in host.files[INTERFACES]
