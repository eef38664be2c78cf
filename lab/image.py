"""The base image that every machine starts from: Debian with the site's software, made once and kept under the key of its inputs."""

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

Say = Callable[[str], None]
# Images that stay in the cache: for other kernels, other checkouts, the one before.
KEPT = 4
HERE = Path(__file__).parent
# What decides what is in an image, beside the kernel and the files under rootfs: this code and this data.
SOURCES = ("image_root.py", "jail.py")
CONTENT = (
    *("SUITE", "PACKAGES", "LIBRARIES", "ARCHIVE_PACKAGES", "DISABLED_UNITS", "MASKED_UNITS", "MASKED_GENERATORS"),
    *("SHIMMED_MODULES", "MAKE_DISK", "DISK_SIZE"),
)


@dataclass(frozen=True)
class Image:
    """A built image: the disk all machines share, and the jail their kernel runs in."""

    folder: Path

    @property
    def disk(self) -> Path:
        """The disk image, never written to."""
        return self.folder / "base.ext4"

    @property
    def jail(self) -> Path:
        """The folder that the kernel is chrooted to."""
        return self.folder / "jail"

    @property
    def trial(self) -> Path:
        """How the kernel was found to run here."""
        return self.folder / "trial.json"


def key_of(kernel: Kernel) -> str:
    """A hash of all that the image is made of."""
    digest = hashlib.sha256()
    files = sorted(path for path in image_root.ROOTFS.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    for path in (*(HERE / name for name in SOURCES), *files):
        digest.update(f"{path.relative_to(HERE)} {path.stat().st_mode:o}\0".encode() + path.read_bytes() + b"\0")
    content = [getattr(settings, name) for name in CONTENT]
    digest.update(f"{kernel.version} {kernel.suite} {content}".encode())
    return digest.hexdigest()[:16]


def ensure(folders: Folders, suite: str | None, say: Say) -> tuple[Image, Kernel, str]:
    """An image with a kernel that runs here, and the mode it runs in: out of the cache, or built now."""
    for kernel in candidates(folders, suite, say):
        image = Image(folders.images / key_of(kernel))
        if not image.disk.exists():
            _build(folders, kernel, image, say)
        if not image.trial.exists():
            mode, said = mode_of(image.folder, kernel.modes)
            if not mode:
                kernel.refusal.write_text(said)
                say(f"kernel: {kernel.release} does not run here, trying an older one")
                continue
            image.trial.write_text(json.dumps({"mode": mode}))
        os.utime(image.folder)
        return image, kernel, json.loads(image.trial.read_text())["mode"]
    raise AssertionError("candidates ends by itself, with its reasons")


def _build(folders: Folders, kernel: Kernel, image: Image, say: Say) -> None:
    folders.images.mkdir(parents=True, exist_ok=True)
    for left in folders.images.glob(".new-*"):
        shutil.rmtree(left)
    started = time.monotonic()
    with TemporaryDirectory(prefix=".new-", dir=folders.images) as scratch:
        new = Image(Path(scratch) / "image")
        new.folder.mkdir()
        root = Path(scratch) / "root"
        image_root.install(root, say)
        say("image: configuring")
        image_root.configure(root, kernel)
        say("image: making the disk")
        run(*settings.MAKE_DISK, "-d", root, new.disk, settings.DISK_SIZE)
        build_jail(root, kernel.binary, new.jail)
        shutil.rmtree(image.folder, ignore_errors=True)
        new.folder.rename(image.folder)
    _forget_old(folders)
    say(f"image: built in {time.monotonic() - started:.0f} s, for all labs to come")


def hold(image: Path) -> int:
    """Keep an image from being forgotten, until the descriptor is closed."""
    handle = os.open(image / "trial.json", os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def _forget_old(folders: Folders) -> None:
    """Remove the images that were not used for longest, but none that a lab runs on."""
    images = sorted(folders.images.glob("[0-9a-f]*"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in images[KEPT:]:
        if not (old / "trial.json").exists():
            shutil.rmtree(old)
            continue
        with (old / "trial.json").open() as trial, contextlib.suppress(BlockingIOError):
            fcntl.flock(trial, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old)
