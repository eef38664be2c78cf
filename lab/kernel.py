"""The kernel: the newest User-Mode Linux in Debian's archive that runs on this machine."""

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

Report = Callable[[str], None]
# Since 6.16, processes can run under seccomp instead of ptrace, in half the time and with a third of the CPU work.
SECCOMP_SINCE = (6, 16)


@dataclass(frozen=True)
class Kernel:
    """A kernel in the cache, with its Debian suite and the release that names its modules folder."""

    version: str
    suite: str
    release: str
    folder: Path

    @property
    def modes(self) -> tuple[str, ...]:
        """The modes in which the kernel can run processes, the best first."""
        return ("seccomp", "ptrace") if release_number(self.release) >= SECCOMP_SINCE else ("ptrace",)

    @property
    def binary(self) -> Path:
        """The kernel's executable."""
        return self.folder / "usr/bin/linux.uml"

    @property
    def modules(self) -> Path:
        """The folder of the kernel's modules."""
        return self.folder / "usr/lib/uml/modules" / self.release

    @property
    def refusal(self) -> Path:
        """A file that exists if a trial showed that the kernel does not run on this machine."""
        return self.folder / "refused"


def mode_parameters(mode: str) -> list[str]:
    """The kernel parameters for a mode."""
    return ["seccomp=on"] if mode == "seccomp" else []


def release_number(release: str) -> tuple[int, ...]:
    """The version by which kernels are compared: 7.2.7 -> (7, 2)."""
    major, minor, *_ = release.split("-", 1)[0].split(".")
    return int(major), int(minor)


def cached(folders: Folders) -> Iterator[Kernel]:
    """The kernels in the cache, newest first."""
    found = (Kernel(**json.loads(path.read_text()), folder=path.parent) for path in folders.kernels.glob("*/kernel.json"))
    return iter(sorted(found, key=lambda kernel: release_number(kernel.release), reverse=True))


def candidates(folders: Folders, suite: str | None, report: Report) -> Iterator[Kernel]:
    """Kernels to try, newest first, from the cache or downloaded now. Kernels known not to run here are left out. Ends with LabError."""
    problems = []
    for one in (suite,) if suite else KERNEL_SUITES:
        kernel = next((kernel for kernel in cached(folders) if kernel.suite == one), None)
        try:
            kernel = kernel or _fetch(folders, one, report)
        except LabError as problem:
            problems.append(str(problem))
            report(f"kernel: none available from {one}")
            continue
        if kernel.refusal.exists():
            problems.append(f"{kernel.release} of {one} does not run on this machine: {kernel.refusal.read_text().strip()}")
        else:
            yield kernel
    raise LabError("wanted a User-Mode Linux kernel that runs here; found none.\n" + "\n".join(problems))


def _fetch(folders: Folders, suite: str, report: Report) -> Kernel:
    folders.kernels.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=folders.kernels) as scratch:
        report(f"kernel: downloading {KERNEL_PACKAGE} of {suite}")
        package = download(KERNEL_PACKAGE, suite, Mirror.of_machine(), Path(scratch))
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg-deb", "-x", package, tree], check=True, capture_output=True)
        version = subprocess.run(["dpkg-deb", "-f", package, "Version"], check=True, capture_output=True, text=True).stdout.strip()
        (modules,) = (tree / "usr/lib/uml/modules").iterdir()
        kernel = Kernel(version, suite, modules.name, folders.kernels / f"{suite}-{version}")
        description = {key: value for key, value in asdict(kernel).items() if key != "folder"}
        (tree / "kernel.json").write_text(json.dumps(description))
        shutil.rmtree(kernel.folder, ignore_errors=True)
        tree.rename(kernel.folder)
    return kernel
