"""This machine's own tools: run one, and say what it said when it fails."""

import os
import subprocess
from pathlib import Path

from lab.errors import LabError


def run(*command: str | Path) -> str:
    """Run a tool and give what it printed. Raises LabError with its words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment())
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))} returned {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def environment() -> dict[str, str]:
    """What a tool that works as root gets to see: the system's own path, and a proxy where there is one."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **proxies}
