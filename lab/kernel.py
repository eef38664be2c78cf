"""The kernel: the newest User-Mode Linux that Debian's archive has and that runs here."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab.archive import Mirror, download
from lab.errors import LabError
from lab.folders import Folders
from lab.settings import KERNEL_PACKAGE, KERNEL_SUITES

Say = Callable[[str], None]
# From 6.16 on processes run under seccomp instead of ptrace: half the time, a third of the work.
SECCOMP_SINCE = (6, 16)


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache: where it is from, and the release its modules lie under."""

    version: str
    suite: str
    release: str
    folder: str

    @property
    def seccomp(self) -> bool:
        """Whether it can run its processes under seccomp."""
        return release_number(self.release) >= SECCOMP_SINCE

    @property
    def binary(self) -> Path:
        """The program that is the kernel."""
        return Path(self.folder) / "usr/bin/linux.uml"

    @property
    def modules(self) -> Path:
        """Its modules."""
        return Path(self.folder) / "usr/lib/uml/modules" / self.release


def release_number(release: str) -> tuple[int, ...]:
    """7.2.7 -> (7, 2): what kernels are compared by."""
    return tuple(int(part) for part in release.split("-")[0].split(".")[:2])


def cached(folders: Folders) -> Iterator[Kernel]:
    """The kernels in the cache, the newest first."""
    found = [Kernel(**json.loads(path.read_text())) for path in folders.kernels.glob("*/kernel.json")]
    return iter(sorted(found, key=lambda kernel: release_number(kernel.release), reverse=True))


def newest(folders: Folders, say: Say) -> Kernel:
    """The newest kernel of the cache, or, where there is none yet, of the archive."""
    if kernel := next(cached(folders), None):
        return kernel
    problems = []
    for suite in KERNEL_SUITES:
        try:
            return _fetch(folders, suite, say)
        except (LabError, subprocess.CalledProcessError) as problem:
            problems.append(f"{suite}: {problem}")
            say(f"kernel of {suite}: not to be had, trying an older one")
    raise LabError(f"wanted a User-Mode Linux kernel ({KERNEL_PACKAGE}) from {', '.join(KERNEL_SUITES)}; found none:\n" + "\n".join(problems))


def _fetch(folders: Folders, suite: str, say: Say) -> Kernel:
    folders.kernels.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=folders.kernels) as scratch:
        say(f"kernel: asking the archive for {KERNEL_PACKAGE} of {suite}")
        package = download(KERNEL_PACKAGE, suite, Mirror.of_machine(), Path(scratch))
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True, capture_output=True)
        version = subprocess.run(["dpkg-deb", "-f", package, "Version"], check=True, capture_output=True, text=True).stdout.strip()
        releases = os.listdir(tree / "usr/lib/uml/modules")
        final = folders.kernels / version
        kernel = Kernel(version, suite, releases[0], str(final))
        (tree / "kernel.json").write_text(json.dumps(asdict(kernel)))
        shutil.rmtree(final, ignore_errors=True)
        tree.rename(final)
    say(f"kernel: {kernel.release} ({'seccomp' if kernel.seccomp else 'ptrace'})")
    return kernel
