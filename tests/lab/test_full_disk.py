"""A host that cannot restore everything at once: it stays `reverting`, reports why, retries by itself, and restores every file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deeds import run_with
from rehearsal import HASH_OF_ETC, Lab
from sites import SHORT, variant

pytestmark = pytest.mark.lab

HOST, NAME = "vault", "settings vault"
# Fill root's file system to the last block. Then the drill reverts the change at the console.
FILL = "dd if=/dev/zero of=/var/tmp/fill bs=1M; dd if=/dev/zero of=/var/tmp/rest bs=512; sync"
FREE = "rm -f /var/tmp/fill /var/tmp/rest"
# The new file cannot be replaced or removed.
HOLD, LET_GO = "chattr +i /etc/hosts", "chattr -i /etc/hosts"
LATE_S = 90


@pytest.fixture(scope="module", autouse=True)
def settled(lab: Lab, fresh: None) -> None:  # noqa: ARG001
    assert lab.runbook("bootstrap", "--stage", "host").code == 0


@pytest.fixture
def site(tmp_path: Path) -> str:
    """A site with another domain: files of the settings change, but no package."""
    return variant(tmp_path / "site", timers=SHORT, defaults={"domain: mrcurls.org": "domain: attic.example.org"})


@pytest.fixture(autouse=True)
def room(lab: Lab) -> Iterator[None]:
    yield
    lab.sh(HOST, f"{LET_GO}; {FREE}", check=False)


def status(lab: Lab) -> Any:
    return json.loads(lab.sh(HOST, "burrow status --json"))


def has_ended(lab: Lab) -> bool:
    return status(lab)["pending"] is None


def run(lab: Lab, site: str, script: str) -> tuple[int, str, Any]:
    """Exit code, output and record of a run. A script runs on the host once the set is applied."""
    record = Path(site) / "record.json"
    done, _ = run_with(
        f"sh:{HOST}:{script}", "applied", HOST, NAME, "--site", site, "--stage", "host", "--set", NAME, "--json", str(record)
    )
    (one,) = json.loads(record.read_text())["stages"][0]["sets"]
    lab.wait("the lease expires or is released", lambda: status(lab)["lease"] is None, LATE_S)
    return done.returncode, f"{done.stdout}\n{done.stderr}", one


def test_disk_that_is_full_when_it_is_to_be_restored(lab: Lab, site: str) -> None:
    before = lab.sh(HOST, HASH_OF_ETC)
    code, output, one = run(lab, site, f"{FILL}; burrow revert; true")
    assert code == 1, output
    assert one["state"] in ("reverted", "reverting"), output
    lab.sh(HOST, FREE)
    lab.wait("it has restored everything", lambda: has_ended(lab), LATE_S)
    assert lab.sh(HOST, HASH_OF_ETC) == before
    assert status(lab)["records"][-1]["outcome"] == "reverted"


def test_file_that_cannot_be_put_back_for_a_while(lab: Lab, site: str) -> None:
    before = lab.sh(HOST, HASH_OF_ETC)
    code, output, one = run(lab, site, f"{HOLD}; burrow revert; true")
    assert (code, one["state"], one["confirmed"]) == (1, "reverting", []), output
    reverting = [reason for reason in one["reasons"] if reason.startswith(f"{HOST}: is reverting: ")]
    assert reverting, one["reasons"]
    assert reverting[0].endswith("; it keeps trying")
    assert status(lab)["pending"]["state"] == "reverting"
    code, again = lab.report("bootstrap", "--site", site, "--stage", "host", "--set", NAME)
    assert code == 3, again
    assert "is reverting: " in again["stages"][0]["sets"][0]["reasons"][0]
    lab.sh(HOST, LET_GO)
    lab.wait("it has restored everything", lambda: has_ended(lab), LATE_S)
    assert lab.sh(HOST, HASH_OF_ETC) == before
    assert status(lab)["records"][-1]["outcome"] == "reverted"
    assert lab.runbook("bootstrap", "--stage", "host", "--set", NAME).code == 0, "the host takes changes again"
