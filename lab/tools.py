"""Runs tools of this machine, and reports their output if they fail."""

import os
import subprocess
from pathlib import Path

from lab.errors import LabError


def run(*command: str | Path) -> str:
    """Run a tool and return its output. Raises LabError with its error message if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, env=environment())
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))} returned {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def environment() -> dict[str, str]:
    """The environment of a tool that runs as root: the system's own path, and the proxy settings."""
    proxies = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {"PATH": path, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive", **proxies}
