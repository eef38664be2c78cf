"""Tries a kernel with its image before the lab relies on it: does it start here, and how does it run processes?"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.jail import IN_JAIL, mount_jail
from lab.kernel import mode_words

TRIAL_S = 20
# The kernel says so when init, which is /bin/true here, has run and ended well.
RAN = "exitcode=0x00000000"


def mode_of(image: Path, modes: tuple[str, ...]) -> tuple[str | None, str]:
    """The first mode in which the kernel of an image runs here, None where none does; and what it said last."""
    command = [
        "unshare",
        "--mount",
        "--net",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        sys.executable,
        "-m",
        "lab.probe",
        str(image),
        *modes,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent)
    mode, said = json.loads(done.stdout)
    return mode, said


def _try(image: Path, modes: list[str]) -> tuple[str | None, str]:
    said = ""
    with tempfile.TemporaryDirectory() as scratch:
        mount_jail(image / "jail", image, Path(scratch))
        for mode in modes:
            words = [
                "mem=64M",
                "ubd0=/lab/probe.cow,/image/base.ext4",
                "root=/dev/ubda",
                "init=/bin/true",
                "con=null",
                "con0=null,fd:1",
                "console=tty0",
            ]
            command = ["chroot", str(image / "jail"), "/linux", *words, *mode_words(mode)]
            done = subprocess.run(
                ["timeout", str(TRIAL_S), *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                env=IN_JAIL,
            )
            said = done.stdout + done.stderr
            if RAN in said:
                return mode, said[-1000:]
    return None, said[-1000:]


if __name__ == "__main__":
    print(json.dumps(_try(Path(sys.argv[1]), sys.argv[2:])))
