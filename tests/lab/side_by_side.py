"""Runs the drills on two labs at once: those that wait until timers have run out beside all the others.

    python tests/lab/side_by_side.py

The second lab is a lab like the first, in a network of its own, because both listen on the same addresses of the loopback. It has the first
one's images and kernels. What counts every lost packet, and what needs both processors for Ceph, comes last, when the second lab is down.
"""

import os
import subprocess
import sys
from pathlib import Path

from lab.folders import VARIABLE, Folders

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BESIDE = ("test_power_and_controller.py", "test_trouble.py")
LAST = ("test_fabric.py", "test_storage.py", "test_maintenance.py")
PYTEST = (sys.executable, "-m", "pytest", "-v", "--durations=15")
OWN_NETWORK = ("unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh")
LAB = (sys.executable, "-m", "lab")


def others() -> list[Path]:
    """The test files of the first lab that run beside the second's."""
    return sorted(path for path in HERE.glob("test_*.py") if path.name not in (*BESIDE, *LAST))


def second_lab() -> Path:
    """The second lab's folder, beside the first."""
    first = Folders.of_user()
    folder = first.root.with_name(f"second-{first.root.name}")
    folder.mkdir(exist_ok=True)
    for name in (first.images, first.kernels):
        link = folder / name.name
        if not link.is_symlink():
            link.symlink_to(name)
    return folder


def main() -> int:
    """Run both; the exit code of the first that failed."""
    subprocess.run([*LAB, "up"], cwd=ROOT, check=True)  # it makes the image, of which there is one for both
    folder = second_lab()
    environment = {**os.environ, VARIABLE: str(folder)}
    log = folder / "tests.log"
    with log.open("wb") as output:
        beside = subprocess.Popen(
            [*OWN_NETWORK, *PYTEST, *(str(HERE / name) for name in BESIDE)],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            first = subprocess.run([*PYTEST, *map(str, others())], cwd=ROOT, check=False).returncode
            second = beside.wait()
        finally:
            if beside.poll() is None:
                beside.terminate()
                beside.wait()
            subprocess.run([*LAB, "down"], cwd=ROOT, env=environment, check=False)
    print(f"\n== on the second lab\n{log.read_text()}", flush=True)
    last = subprocess.run([*PYTEST, *(str(HERE / name) for name in LAST)], cwd=ROOT, check=False).returncode
    return first or second or last


if __name__ == "__main__":
    raise SystemExit(main())
