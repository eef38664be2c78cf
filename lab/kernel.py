"""The kernel: the newest User-Mode Linux that Debian's archive has and that runs here."""

import json
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
# From 6.16 on processes can run under seccomp instead of ptrace: half the time, a third of the work.
SECCOMP_SINCE = (6, 16)


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache: where it is from, and the release its modules lie under."""

    version: str
    suite: str
    release: str
    folder: Path

    @property
    def modes(self) -> tuple[str, ...]:
        """How it can run its processes, the best first."""
        return ("seccomp", "ptrace") if release_number(self.release) >= SECCOMP_SINCE else ("ptrace",)

    @property
    def binary(self) -> Path:
        """The program that is the kernel."""
        return self.folder / "usr/bin/linux.uml"

    @property
    def modules(self) -> Path:
        """Its modules."""
        return self.folder / "usr/lib/uml/modules" / self.release

    @property
    def refusal(self) -> Path:
        """A file that is there when the kernel was tried and does not run on this machine."""
        return self.folder / "refused"


def mode_words(mode: str) -> list[str]:
    """What the kernel is told to run its processes that way."""
    return ["seccomp=on"] if mode == "seccomp" else []


def release_number(release: str) -> tuple[int, ...]:
    """7.2.7 -> (7, 2): what kernels are compared by."""
    major, minor, *_ = release.split("-", 1)[0].split(".")
    return int(major), int(minor)


def cached(folders: Folders) -> Iterator[Kernel]:
    """The kernels in the cache, the newest first."""
    found = (Kernel(**json.loads(path.read_text()), folder=path.parent) for path in folders.kernels.glob("*/kernel.json"))
    return iter(sorted(found, key=lambda kernel: release_number(kernel.release), reverse=True))


def candidates(folders: Folders, suite: str | None, say: Say) -> Iterator[Kernel]:
    """Kernels to try, the newest first: out of the cache, or fetched now. One that is known not to run here is left out."""
    problems = []
    for one in (suite,) if suite else KERNEL_SUITES:
        kernel = next((kernel for kernel in cached(folders) if kernel.suite == one), None)
        try:
            kernel = kernel or _fetch(folders, one, say)
        except LabError as problem:
            problems.append(str(problem))
            say(f"kernel: none to be had from {one}")
            continue
        if kernel.refusal.exists():
            problems.append(f"{kernel.release} of {one} does not run on this machine: {kernel.refusal.read_text().strip()}")
        else:
            yield kernel
    raise LabError("wanted a User-Mode Linux kernel that runs here; found none.\n" + "\n".join(problems))


def _fetch(folders: Folders, suite: str, say: Say) -> Kernel:
    folders.kernels.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=folders.kernels) as scratch:
        say(f"kernel: fetching {KERNEL_PACKAGE} of {suite}")
        package = download(KERNEL_PACKAGE, suite, Mirror.of_machine(), Path(scratch))
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True, capture_output=True)
        version = subprocess.run(["dpkg-deb", "-f", package, "Version"], check=True, capture_output=True, text=True).stdout.strip()
        (modules,) = (tree / "usr/lib/uml/modules").iterdir()
        kernel = Kernel(version, suite, modules.name, folders.kernels / f"{suite}-{version}")
        said = {key: value for key, value in asdict(kernel).items() if key != "folder"}
        (tree / "kernel.json").write_text(json.dumps(said))
        shutil.rmtree(kernel.folder, ignore_errors=True)
        tree.rename(kernel.folder)
    return kernel
