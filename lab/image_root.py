"""The root file system of the image: its packages, its disabled units, and its package archive."""

import hashlib
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from lab import settings
from lab.archive import Mirror
from lab.errors import LabError
from lab.kernel import Kernel
from lab.tools import environment, run

Report = Callable[[str], None]
ROOTFS = Path(__file__).parent / "rootfs"
ARCHIVE = "usr/lib/lab/archive"
# Manuals, which the image leaves out.
MANUALS = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*", "/usr/share/lintian/*")
# Modules of Ceph's manager that are not always on. The manager loads each at its start in a separate interpreter, even if it is unused.
MANAGER_MODULES = (
    *("alerts", "influx", "insights", "localpool", "mirroring", "nfs", "osd_perf_query", "osd_support", "prometheus", "restful"),
    *("selftest", "snap_schedule", "stats", "telegraf", "test_orchestrator", "zabbix"),
)
LEFT_OUT = (*MANUALS, *(f"/usr/share/ceph/mgr/{name}/*" for name in MANAGER_MODULES))
MANAGER = "usr/share/ceph/mgr"
# Ceph's large tools for the repair of an OSD or a monitor by hand: a third of all bytes that a machine would unpack.
REPAIR_TOOLS = ("usr/bin/ceph-objectstore-tool", "usr/bin/ceph-osdomap-tool", "usr/bin/ceph-kvstore-tool")
COMPILED = ("/usr/share/ifupdown2", "/usr/lib/frr", "/usr/lib/lab", "/usr/lib/python3", f"/{MANAGER}")
REPORT_EVERY_S = 2.0
LAST_LINES = 40


def install(root: Path, report: Report) -> None:
    """Install all packages into a new root, and report progress."""
    process = subprocess.Popen(
        _bootstrap(root), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace", env=environment()
    )
    assert process.stderr
    tail: deque[str] = deque(maxlen=LAST_LINES)
    counts = {"Get:": 0, "Unpacking ": 0, "Setting up ": 0}
    last_report = 0.0
    try:
        for line in process.stderr:
            tail.append(line)
            for word in counts:
                counts[word] += line.startswith(word)
            if time.monotonic() - last_report > REPORT_EVERY_S:
                last_report = time.monotonic()
                report("image: packages: {} fetched, {} unpacked, {} set up".format(*counts.values()))
        if process.wait():
            raise LabError(f"mmdebstrap returned {process.returncode}; its last lines:\n{''.join(tail)}")
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _bootstrap(root: Path) -> list[str]:
    archive = f'"$1"/{ARCHIVE}'
    fetch = "APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get -y --no-install-recommends --download-only install"
    packages = ",".join((*settings.PACKAGES, *settings.LIBRARIES, *settings.CEPH_LIBRARIES))
    return [
        # A separate mount namespace: even after an interrupt, nothing of this machine stays mounted in the new root.
        *("unshare", "--mount", "--fork", "--kill-child=TERM"),
        *("mmdebstrap", "--verbose", "--variant=minbase", "--format=directory", f"--include={packages}"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT),
        f"--customize-hook=mkdir -p {archive}/partial",
        f"--customize-hook={fetch} -o Dir::Cache::archives={archive}/ {' '.join(settings.ARCHIVE_PACKAGES)}",
        *(settings.SUITE, str(root), Mirror.of_machine().source(settings.SUITE)),
    ]


def configure(root: Path, kernel: Kernel) -> None:
    """Turn a plain root into a lab machine's: add kernel modules, the lab's own files, units and the archive."""
    shutil.copytree(ROOTFS, root, dirs_exist_ok=True, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "usr/lib/modules").mkdir(exist_ok=True)
    modules = root / "usr/lib/modules" / kernel.release
    shutil.copytree(kernel.modules, modules, symlinks=True)
    with (modules / "modules.builtin").open("a") as builtin:
        builtin.writelines(f"{path}\n" for path in settings.SHIMMED_MODULES)
    run("chroot", root, "depmod", kernel.release)
    _serve_archive(root)
    _switch_software(root)
    _empty(root)
    run("chroot", root, "python3", "-m", "compileall", "-q", *COMPILED)
    systemctl = ("chroot", root, "systemctl")
    run(*systemctl, "disable", *settings.DISABLED_UNITS)
    run(*systemctl, "mask", *settings.MASKED_UNITS)
    generators = root / "etc/systemd/system-generators"
    generators.mkdir()
    for name in settings.MASKED_GENERATORS:
        (generators / f"systemd-{name}-generator").symlink_to("/dev/null")
    run(*systemctl, "enable", "ssh.service", "lab-agent.service")
    run(*systemctl, "set-default", "multi-user.target")


def _empty(root: Path) -> None:
    """Remove what identifies a machine, and do the work of a first boot once."""
    texts = {
        "etc/fstab": "",
        "etc/machine-id": "uninitialized\n",
        "etc/hosts": "127.0.0.1 localhost\n",
        "etc/resolv.conf": "",
        "etc/hostname": "lab\n",
    }
    for name, text in texts.items():
        (root / name).write_text(text)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # Debian's example configures a cluster of one node. A fresh Proxmox node is in no cluster.
    (root / "etc/corosync/corosync.conf").unlink()
    for stamp in ("etc/.updated", "var/.updated"):
        (root / stamp).touch()
    # Without this folder, ifupdown2 reports that a working bond failed. It creates this link at its first start.
    (root / "etc/iproute2/rt_tables.d").mkdir(parents=True, exist_ok=True)
    (root / "etc/network/run").unlink(missing_ok=True)
    (root / "etc/network/run").symlink_to("/run/network")


def _serve_archive(root: Path) -> None:
    """Build an archive from the packages that are downloaded but not installed, and make it the machines' only apt source."""
    folder = root / ARCHIVE
    shutil.rmtree(folder / "partial", ignore_errors=True)
    (folder / "lock").unlink(missing_ok=True)
    stanzas = []
    for package in sorted(folder.glob("*.deb")):
        if package.name.startswith("ceph-"):
            _repack(root, package)
        control = run("dpkg-deb", "-f", package).strip()
        digest = hashlib.sha256(package.read_bytes()).hexdigest()
        stanzas.append(f"{control}\nFilename: ./{package.name}\nSize: {package.stat().st_size}\nSHA256: {digest}\n")
    if not stanzas:
        raise LabError(f"wanted {', '.join(settings.ARCHIVE_PACKAGES)} for the image's own archive; apt downloaded none")
    packages = "\n".join(stanzas)
    (folder / "Packages").write_text(packages)
    digest = hashlib.sha256(packages.encode()).hexdigest()
    date = time.strftime("%a, %d %b %Y %H:%M:%S UTC", time.gmtime())
    (folder / "Release").write_text(f"Date: {date}\nSuite: {settings.SUITE}\nSHA256:\n {digest} {len(packages)} Packages\n")
    shutil.rmtree(root / "etc/apt/sources.list.d", ignore_errors=True)
    (root / "etc/apt/sources.list.d").mkdir()
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{ARCHIVE} ./\n")
    run("chroot", root, "apt-get", "-qq", "update")


def _repack(root: Path, package: Path) -> None:
    """Pack a package again, without compression, with compiled modules and without large tools: a machine installs it much faster."""
    folder = root / package.stem
    run("dpkg-deb", "-R", package, folder)
    if (folder / MANAGER).is_dir():
        run("chroot", root, "python3", "-m", "compileall", "-q", "-s", f"/{folder.name}", "-p", "/", f"/{folder.name}/{MANAGER}")
    for name in REPAIR_TOOLS:
        (folder / name).unlink(missing_ok=True)
    run("dpkg-deb", "-b", "-Znone", "--root-owner-group", folder, package)
    shutil.rmtree(folder)


def _switch_software(root: Path) -> None:
    """Unpack the LLDP daemon of a switch's firmware next to the root. A switch copies it over the root at its first boot."""
    firmware = root / "usr/lib/lab/switch"
    firmware.mkdir()
    (package,) = (root / ARCHIVE).glob("lldpd_*.deb")
    run("dpkg-deb", "-x", package, firmware)
    shutil.rmtree(firmware / "usr/share")
    run(
        "chroot", root, "adduser", "--system", "--home", "/run/lldpd", "--no-create-home", "--quiet", "--force-badname", "--group", "_lldpd"
    )
