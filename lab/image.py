"""The base image that every machine starts from: Debian with the site's software, made once and kept under the key of its inputs."""

import hashlib
import json
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
HERE = Path(__file__).parent
# The code that decides what is in an image; with the files under rootfs it is the image's key.
SOURCES = ("image.py", "image_root.py", "jail.py", "settings.py")


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
    digest.update(f"{kernel.version} {kernel.suite}".encode())
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
        run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,nodiscard", "-d", root, new.disk, settings.IMAGE_SIZE)
        build_jail(root, kernel.binary, new.jail)
        shutil.rmtree(image.folder, ignore_errors=True)
        new.folder.rename(image.folder)
    say(f"image: built in {time.monotonic() - started:.0f} s, for all labs to come")
