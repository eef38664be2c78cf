"""The script that reads Ceph on a host, with a library of the test instead of Ceph's."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.storage.ceph.facts import CEPH

# Like Ceph's library: a class with these methods and errors. It aborts a process that shuts it down, or that ends normally.
LIBRARY = """
import atexit, json, os
class Error(Exception): pass
class TimedOut(Error): pass
class Rados:
    def __init__(self, conffile, conf):
        atexit.register(os.abort)
    def connect(self):
        if "answers" not in os.environ:
            raise TimedOut("nobody answers")
    def __enter__(self):
        self.connect()
        return self
    def __exit__(self, *error): os.abort()
    def get_fsid(self): return "one"
    def mon_command(self, command, data):
        answers = json.loads(os.environ["answers"])
        return 0, json.dumps(answers.get(json.loads(command)["prefix"], {})).encode(), ""
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A folder with Proxmox's ceph.conf, and the library."""
    (tmp_path / "rados.py").write_text(LIBRARY)
    (tmp_path / "ceph.conf").touch()
    return tmp_path


def read(host: Path, **answers: Any) -> dict[str, Any]:
    """The output of the script. Without answers, no monitor is reachable."""
    command = CEPH.command.replace("/etc/pve/ceph.conf", str(host / "ceph.conf")).replace("python3", sys.executable, 1)
    environment = {**os.environ, "PYTHONPATH": str(host), **({"answers": json.dumps(answers)} if answers else {})}
    done = subprocess.run(["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_reading_is_complete_although_the_library_would_abort_at_exit(host: Path) -> None:
    assert read(host, status={"quorum_names": ["alvin"]})["status"] == {"quorum_names": ["alvin"]}


def test_unreachable_monitors_are_an_error_in_the_answer(host: Path) -> None:
    assert read(host) == {"error": "nobody answers"}


def test_settings_that_no_check_needs_stay_on_the_host(host: Path) -> None:
    auth = {"section": "mon", "name": "auth_allow_insecure_global_id_reclaim", "value": "false"}
    password = {"section": "mgr", "name": "mgr/dashboard/GRAFANA_API_PASSWORD", "value": "hunter2"}
    assert read(host, **{"config dump": [auth, password]})["config dump"] == [auth]


def test_host_without_ceph_has_an_empty_answer(host: Path) -> None:
    (host / "ceph.conf").unlink()
    assert read(host) == {}
