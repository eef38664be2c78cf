"""The kernel's jail: a folder with the kernel and its C library, which can differ from this machine's."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

MOUNT_POINTS: Final = ("proc", "dev/shm", "dev/net", "tmp", "image", "lab")
DEVICES: Final = ("dev/net/tun", "dev/null", "dev/urandom")
# The kernel keeps a machine's memory in TMPDIR and its control socket in HOME. Both are file systems of the jail.
IN_JAIL: Final = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": "/dev/shm", "HOME": "/tmp"}  # noqa: S108


def build_jail(root: Path, kernel: Path, jail: Path) -> None:
    """Build the jail from the image's root file system: the kernel, its libraries, and empty mount points."""
    for point in MOUNT_POINTS:
        (jail / point).mkdir(parents=True, exist_ok=True)
    for device in DEVICES:
        (jail / device).touch()
    shutil.copy(kernel, root / "linux")
    listed = subprocess.run(["chroot", root, "ldd", "/linux"], check=True, capture_output=True, text=True).stdout
    (root / "linux").unlink()
    shutil.copy(kernel, jail / "linux")
    libraries = {*re.findall(r"(/\S+) \(0x", listed), *(str(path.relative_to(root)) for path in root.glob("usr/lib/*/libgcc_s.so.1"))}
    for library in libraries:
        # /lib and /lib64 are links to /usr in the root, but plain folders in the jail.
        target = jail / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy((root / library.lstrip("/")).resolve(), target)


def mount_jail(jail: Path, image: Path, run: Path) -> None:
    """Mount the file systems that the kernel needs into the jail, only in the caller's mount namespace."""
    for kind, point, options in (("proc", "proc", ()), ("tmpfs", "dev/shm", ("-o", "size=95%")), ("tmpfs", "tmp", ())):
        subprocess.run(["mount", "-t", kind, *options, kind, jail / point], check=True)
    for device in DEVICES:
        subprocess.run(["mount", "--bind", f"/{device}", jail / device], check=True)
    for source, point in ((image, "image"), (run, "lab")):
        subprocess.run(["mount", "--bind", source, jail / point], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", jail / "image"], check=True)
