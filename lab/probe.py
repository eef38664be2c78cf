"""Boots a kernel with its image once, to find whether it starts on this machine, and in which mode it runs processes."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.jail import IN_JAIL, mount_jail
from lab.kernel import mode_parameters

TRIAL_S = 20
# The kernel prints this when init, which is /bin/true here, has exited with 0.
RAN = "exitcode=0x00000000"


def mode_of(image: Path, modes: tuple[str, ...]) -> tuple[str | None, str]:
    """The first mode in which an image's kernel runs on this machine, None if none does; and the end of the kernel's output."""
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
    mode, output = json.loads(done.stdout)
    return mode, output


def _try(image: Path, modes: list[str]) -> tuple[str | None, str]:
    output = ""
    with tempfile.TemporaryDirectory() as scratch:
        mount_jail(image / "jail", image, Path(scratch))
        for mode in modes:
            parameters = [
                "mem=64M",
                "ubd0=/lab/probe.cow,/image/base.ext4",
                "root=/dev/ubda",
                "init=/bin/true",
                "con=null",
                "con0=null,fd:1",
                "console=tty0",
            ]
            command = ["chroot", str(image / "jail"), "/linux", *parameters, *mode_parameters(mode)]
            done = subprocess.run(
                ["timeout", str(TRIAL_S), *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                env=IN_JAIL,
            )
            output = done.stdout + done.stderr
            if RAN in output:
                return mode, output[-1000:]
    return None, output[-1000:]


if __name__ == "__main__":
    print(json.dumps(_try(Path(sys.argv[1]), sys.argv[2:])))
