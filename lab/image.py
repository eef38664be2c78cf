"""The base image that every machine starts from: Debian with the site's software installed, made once and kept under the key of its inputs."""

import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from lab import settings
from lab.archive import Mirror
from lab.errors import LabError
from lab.folders import Folders
from lab.jail import build_jail
from lab.kernel import Kernel

Say = Callable[[str], None]
ROOTFS = Path(__file__).parent / "rootfs"
ARCHIVE = "usr/lib/lab/archive"
# Not in the image: what only a reader of manuals wants.
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")


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


def key_of(kernel: Kernel) -> str:
    """A hash of all that the image is made of."""
    digest = hashlib.sha256()
    own = Path(__file__)
    for path in (own, own.with_name("settings.py"), own.with_name("jail.py"), *sorted(ROOTFS.rglob("*"))):
        if path.is_file() and not path.is_symlink() and "__pycache__" not in path.parts:
            digest.update(f"{path.relative_to(own.parent)} {path.stat().st_mode:o}\0".encode() + path.read_bytes() + b"\0")
    digest.update(f"{kernel.version} {kernel.suite}".encode())
    return digest.hexdigest()[:16]


def ensure(folders: Folders, kernel: Kernel, say: Say) -> Image:
    """The image for this kernel: from the cache, or built now."""
    image = Image(folders.images / key_of(kernel))
    if image.disk.exists():
        return image
    folders.images.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with TemporaryDirectory(prefix=".new-", dir=folders.images) as scratch:
        new = Image(Path(scratch) / "image")
        new.folder.mkdir()
        root = Path(scratch) / "root"
        _install(root, say)
        _configure(root, kernel)
        say("image: making the disk")
        _run("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,nodiscard", "-d", root, new.disk, settings.IMAGE_SIZE)
        build_jail(root, kernel.binary, new.jail)
        new.folder.rename(image.folder)
    say(f"image: built in {time.monotonic() - started:.0f} s")
    return image


def _run(*command: str | Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=_environment())
    if done.returncode:
        raise LabError(f"{' '.join(map(str, command))} returned {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")


def _environment() -> dict[str, str]:
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"} | {
        name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")
    }


def _install(root: Path, say: Say) -> None:
    archive = f'"$1"/{ARCHIVE}'
    fetch = f"APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -y --no-install-recommends --download-only -o Dir::Cache::archives={archive}/ install"
    command = [
        *("mmdebstrap", "--verbose", "--variant=minbase", "--format=directory", f"--include={','.join((*settings.PACKAGES, *settings.LIBRARIES))}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        f"--customize-hook=mkdir -p {archive}/partial",
        f"--customize-hook={fetch} {' '.join(settings.ARCHIVE_PACKAGES)}",
        *(settings.SUITE, str(root), Mirror.of_machine().source(settings.SUITE)),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=_environment(), errors="replace")
    assert process.stderr
    tail: list[str] = []
    counts = {"fetched": 0, "unpacked": 0, "set up": 0}
    words = {"Get:": "fetched", "Unpacking ": "unpacked", "Setting up ": "set up"}
    shown = 0.0
    try:
        for line in process.stderr:
            tail = [*tail[-40:], line]
            for word, what in words.items():
                counts[what] += line.startswith(word)
            if time.monotonic() - shown > 2:
                shown = time.monotonic()
                say("image: packages " + ", ".join(f"{count} {what}" for what, count in counts.items()))
        if process.wait():
            raise LabError(f"mmdebstrap returned {process.returncode}:\n{''.join(tail)}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _configure(root: Path, kernel: Kernel) -> None:
    shutil.copytree(ROOTFS, root, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    modules = root / "usr/lib/modules"
    modules.mkdir(exist_ok=True)
    shutil.copytree(kernel.modules, modules / kernel.release, symlinks=True)
    _run("chroot", root, "depmod", kernel.release)
    _serve_archive(root)
    _switch_software(root)
    _write(root, {"etc/fstab": "", "etc/machine-id": "uninitialized\n", "etc/hosts": "127.0.0.1 localhost\n", "etc/resolv.conf": "", "etc/hostname": "lab\n"})
    for stamp in ("etc/.updated", "var/.updated"):
        (root / stamp).touch()
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    (root / "etc/iproute2/rt_tables.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/network/run").unlink(missing_ok=True)
    (root / "etc/network/run").symlink_to("/run/network")
    _run("chroot", root, "python3", "-m", "compileall", "-q", "/usr/share/ifupdown2", "/usr/lib/frr", "/usr/lib/lab", "/usr/lib/python3")
    systemctl = ("chroot", root, "systemctl")
    _run(*systemctl, "disable", *settings.DISABLED_UNITS)
    _run(*systemctl, "mask", *settings.MASKED_UNITS)
    _run(*systemctl, "enable", "ssh.service", "lab-agent.service")
    _run(*systemctl, "set-default", "multi-user.target")


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).write_text(text)


def _serve_archive(root: Path) -> None:
    folder = root / ARCHIVE
    shutil.rmtree(folder / "partial", ignore_errors=True)
    (folder / "lock").unlink(missing_ok=True)
    stanzas = []
    for package in sorted(folder.glob("*.deb")):
        control = subprocess.run(["dpkg-deb", "-f", package], check=True, capture_output=True, text=True).stdout.strip()
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        stanzas.append(f"{control}\nFilename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n")
    if not stanzas:
        raise LabError(f"wanted {', '.join(settings.ARCHIVE_PACKAGES)} for the image's own archive; apt brought nothing")
    packages = "\n".join(stanzas)
    (folder / "Packages").write_text(packages)
    digest = hashlib.sha256(packages.encode()).hexdigest()
    date = time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime())
    (folder / "Release").write_text(f"Date: {date}\nSuite: {settings.SUITE}\nSHA256:\n {digest} {len(packages)} Packages\n")
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    (root / "etc/apt/sources.list.d").mkdir()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{ARCHIVE} ./\n")
    _run("chroot", root, "apt-get", "-qq", "update")


def _switch_software(root: Path) -> None:
    """A switch brings its LLDP daemon in its firmware: unpacked beside the root, copied over it on a switch's first boot."""
    firmware = root / "usr/lib/lab/switch"
    firmware.mkdir()
    (package,) = (root / ARCHIVE).glob("lldpd_*.deb")
    _run("dpkg-deb", "-x", package, firmware)
    shutil.rmtree(firmware / "usr/share")
    _run("chroot", root, "adduser", "--system", "--home", "/run/lldpd", "--no-create-home", "--quiet", "--force-badname", "--group", "_lldpd")
