"""The base image of all machines: Debian with the site's software, built once and cached under a hash of its inputs."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import image_root, settings
from lab.folders import Folders
from lab.jail import build_jail
from lab.kernel import Kernel, candidates
from lab.probe import mode_of
from lab.tools import run

Report = Callable[[str], None]
# The cache keeps this many images, for other kernels, other checkouts and the previous version.
KEPT = 4
HERE = Path(__file__).parent
# Inputs of an image besides the kernel and the files under rootfs: these modules and these settings.
SOURCES = ("image_root.py", "jail.py")
CONTENT = (
    *("SUITE", "PACKAGES", "LIBRARIES", "ARCHIVE_PACKAGES", "DISABLED_UNITS", "MASKED_UNITS", "MASKED_GENERATORS"),
    *("SHIMMED_MODULES", "MAKE_DISK", "DISK_SIZE"),
)


@dataclass(frozen=True)
class Image:
    """A built image: the disk that all machines share, and the jail of their kernels."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The disk image, which is read-only."""
        return self.folder / "base.ext4"

    @property
    def jail(self) -> Path:
        """The folder that the kernel is chrooted to."""
        return self.folder / "jail"

    @property
    def trial(self) -> Path:
        """The result of the kernel's trial on this machine."""
        return self.folder / "trial.json"


def key_of(kernel: Kernel) -> str:
    """The hash of the image's inputs."""
    digest = hashlib.sha256()
    files = sorted(path for path in image_root.ROOTFS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for path in (*(HERE / name for name in SOURCES), *files):
        digest.update(f"{path.relative_to(HERE)} {path.stat().st_mode:o}\0".encode() + path.read_bytes() + b"\0")
    content = [getattr(settings, name) for name in CONTENT]
    digest.update(f"{kernel.version} {kernel.suite} {content}".encode())
    return digest.hexdigest()[:16]


def ensure(folders: Folders, suite: str | None, report: Report) -> tuple[Image, Kernel, str]:
    """An image, its kernel and the mode in which that kernel runs here. The image comes from the cache, or is built now."""
    for kernel in candidates(folders, suite, report):
        image = Image(folders.images / key_of(kernel))
        if not image.disk.exists():
            _build(folders, kernel, image, report)
        if not image.trial.exists():
            mode, output = mode_of(image.folder, kernel.modes)
            if not mode:
                kernel.refusal.write_text(output)
                report(f"kernel: {kernel.release} does not run here, trying an older one")
                continue
            image.trial.write_text(json.dumps({"mode": mode}))
        os.utime(image.folder)
        return image, kernel, json.loads(image.trial.read_text())["mode"]
    raise AssertionError("candidates() always raises LabError at its end")


def _build(folders: Folders, kernel: Kernel, image: Image, report: Report) -> None:
    folders.images.mkdir(parents=True, exist_ok=True)
    for unfinished in folders.images.glob(".new-*"):
        shutil.rmtree(unfinished)
    started = time.monotonic()
    with TemporaryDirectory(prefix=".new-", dir=folders.images) as scratch:
        new = Image(Path(scratch) / "image")
        new.folder.mkdir()
        root = Path(scratch) / "root"
        image_root.install(root, report)
        report("image: configuring")
        image_root.configure(root, kernel)
        report("image: creating the disk")
        run(*settings.MAKE_DISK, "-d", root, new.disk, settings.DISK_SIZE)
        build_jail(root, kernel.binary, new.jail)
        shutil.rmtree(image.folder, ignore_errors=True)
        new.folder.rename(image.folder)
    _remove_old(folders)
    report(f"image: built in {time.monotonic() - started:.0f} s; later labs reuse it")


def hold(image: Path) -> int:
    """Lock an image in the cache, until the returned descriptor is closed."""
    handle = os.open(image / "trial.json", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _remove_old(folders: Folders) -> None:
    """Remove the least recently used images, except images of running labs."""
    images = sorted(folders.images.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in images[KEPT:]:
        if not (old / "trial.json").exists():
            shutil.rmtree(old)
            continue
        with (old / "trial.json").open() as trial, contextlib.suppress(BlockingIOError):
            fcntl.flock(trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old)
