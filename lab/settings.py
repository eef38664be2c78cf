"""The lab's settings: packages, units, sizes, timeouts and relayed ports."""

from typing import Final

SUITE: Final = "trixie"
KERNEL_PACKAGE: Final = "user-mode-linux"
# The suites to search for a kernel, newest first. If a kernel of one suite does not run here, that of the next may.
KERNEL_SUITES: Final = ("testing", "trixie", "bookworm")

# Packages of every lab machine: those of a Proxmox node's network and storage, of an NFS server and of a switch.
PACKAGES: Final = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "sudo", "python3", "openssh-server"),
    *("iproute2", "iputils-ping", "ethtool", "ifupdown2", "tcpdump", "jq"),
    *("frr", "frr-pythontools", "chrony", "nfs-kernel-server", "dnsmasq-base"),
    *("ceph-common", "corosync"),
)
# Libraries of the installable packages, so that their installation is quick.
LIBRARIES: Final = ("adduser", "libevent-2.1-7t64", "libsnmp40t64", "libxml2", "libreadline8t64", "libbsd0", "libcap2")
# The packages that Ceph's daemons depend on, except for Ceph's own.
CEPH_LIBRARIES: Final = (
    *("binutils", "binutils-common", "binutils-x86-64-linux-gnu", "cryptsetup-bin", "debianutils", "dmeventd", "dmidecode"),
    *("e2fsprogs", "gdisk", "hdparm", "libaio1t64", "libbinutils", "libboost-python1.83.0", "libctf-nobfd0", "libctf0"),
    *("libdaxctl1", "libdevmapper-event1.02.1", "libext2fs2t64", "libfuse3-4", "libgprofng0", "libinih1", "liblvm2cmd2.03"),
    *("libndctl6", "libnvme1t64", "libparted2t64", "libpmem1", "libpython3.13", "librgw2", "libsframe1", "libsnappy1v5"),
    *("libsqlite3-mod-ceph", "libss2", "liburcu8t64", "liburing2", "logsave", "lvm2", "nvme-cli", "parted", "psmisc"),
    *("python3-autocommand", "python3-bcrypt", "python3-ceph", "python3-cffi-backend", "python3-cheroot", "python3-cherrypy3"),
    *("python3-cryptography", "python3-dateutil", "python3-dbus", "python3-inflect", "python3-jaraco.collections"),
    *("python3-jaraco.context", "python3-jaraco.functools", "python3-jaraco.text", "python3-jwt", "python3-legacy-cgi"),
    *("python3-logutils", "python3-mako", "python3-markupsafe", "python3-more-itertools", "python3-natsort", "python3-openssl"),
    *("python3-packaging", "python3-pecan", "python3-pkg-resources", "python3-portend", "python3-rgw", "python3-simplegeneric"),
    *("python3-tempora", "python3-typeguard", "python3-typing-extensions", "python3-webob", "python3-werkzeug"),
    *("python3-zc.lockfile", "smartmontools", "uuid-runtime", "xfsprogs"),
)
# Packages that a machine can install: they are in the image's own archive. `pveceph install` installs those of Ceph.
CEPH_PACKAGES: Final = ("ceph-mon", "ceph-mgr", "ceph-osd", "ceph-volume")
ARCHIVE_PACKAGES: Final = ("lldpd", "traceroute", "openvswitch-switch", *CEPH_PACKAGES)
# Burrow or a machine's seed starts these units. They do not start at boot.
DISABLED_UNITS: Final = (
    *("frr.service", "chrony.service", "nfs-server.service", "nfs-client.target", "nfs-blkmap.service"),
    *("rpcbind.service", "rpcbind.socket", "corosync.service", "smartmontools.service"),
)
# The lab does not need these units, and each takes a process or time at boot.
MASKED_UNITS: Final = (
    *("ldconfig.service", "systemd-sysusers.service", "systemd-journal-catalog-update.service", "systemd-hwdb-update.service"),
    *("systemd-update-done.service", "systemd-firstboot.service", "systemd-machine-id-commit.service", "systemd-binfmt.service"),
    *("systemd-tmpfiles-setup-dev-early.service", "proc-sys-fs-binfmt_misc.automount", "systemd-random-seed.service"),
    *("systemd-pstore.service", "kmod-static-nodes.service", "systemd-hibernate-clear.service", "systemd-journal-flush.service"),
    *("systemd-pcrmachine.service", "systemd-pcrphase.service", "systemd-pcrphase-sysinit.service", "systemd-tpm2-setup.service"),
    *("systemd-tpm2-setup-early.service", "systemd-pcrextend.socket", "systemd-pcrlock.socket", "systemd-sysext.socket"),
    *("systemd-creds.socket", "systemd-ask-password-console.path", "systemd-ask-password-wall.path", "systemd-initctl.socket"),
    *("dev-hugepages.mount", "dev-mqueue.mount", "sys-kernel-config.mount", "sys-kernel-debug.mount", "sys-kernel-tracing.mount"),
    *("sys-fs-fuse-connections.mount", "run-lock.mount", "tmp.mount", "systemd-logind.service", "getty.target"),
    *("console-getty.service", "serial-getty@.service", "getty@.service", "sshd-keygen.service", "systemd-remount-fs.service"),
    *("systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service", "systemd-network-generator.service"),
    *("apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "logrotate.timer"),
    *("systemd-udev-load-credentials.service", "systemd-tmpfiles-clean.timer", "e2scrub_reap.service", "e2scrub_all.timer"),
    *("nvmefc-boot-connections.service", "nvmf-autoconnect.service", "lvm2-monitor.service", "lvm2-lvmpolld.socket", "dm-event.socket"),
    *("ceph-crash.service", "blk-availability.service", "uuidd.socket", "rbdmap.service", "xfs_scrub_all.timer", "system-xfs_scrub.slice"),
)
# Drivers of hardware that no lab machine has. They are listed as built into the kernel, so loading one succeeds, as on a real machine.
SHIMMED_MODULES: Final = ("kernel/drivers/thunderbolt/thunderbolt.ko", "kernel/drivers/net/thunderbolt/thunderbolt_net.ko")
# Programs that systemd runs at boot and at each reload to generate units that no lab machine needs.
MASKED_GENERATORS: Final = ("debug", "getty", "gpt-auto", "hibernate-resume", "rc-local", "run", "ssh", "system-update", "sysv", "tpm2")
# The tools that the lab runs on this machine, and their packages.
TOOLS: Final = {
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
    "unshare": "util-linux",
    "ip": "iproute2",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "ssh-keygen": "openssh-client",
    "strace": "strace",
}

# Kernel parameters: no 512 legacy terminals for udev to process, no security modules without a policy, and no RAID 6 benchmark of a second
# (the function's name in 7.2, and before).
KERNEL_PARAMETERS: Final = (
    "quiet",
    "systemd.show_status=0",
    "pty.legacy_count=0",
    "lsm=capability",
    "initcall_blacklist=raid6_init,raid6_select_algo",
)
# The memory and disk space that the lab needs at most: six machines, three of them with Ceph, and the image, with a margin.
MEMORY_BYTES: Final = 4 << 30
DISK_BYTES: Final = 6 << 30
# Initialize the whole file system now. Otherwise a machine does so later, and writes to its disk all that time.
MAKE_DISK: Final = ("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,nodiscard")
DISK_SIZE: Final = "3G"
# An extra disk of a machine, for Ceph. It is sparse, so it takes only the space that is written.
EXTRA_DISK_BYTES: Final = 3 << 30
MEMORY: Final = "256M"
# The size of an array's disk. It takes only the space that is written.
ARRAY_SIZE: Final = "1G"
# For a monitor, a manager and an OSD in addition to the network daemons.
STORAGE_MEMORY: Final = "896M"
# The largest MTU of every NIC: jumbo frames.
NIC_BYTES: Final = 9000
# {largest MTU: reserved memory in KiB}. If a vector device fails once to allocate a frame, it stops until its machine reboots.
RESERVES: Final = {1500: 4096, 9000: 8192, 65535: 65536}
# Port inside the lab -> port on this machine's loopback.
RELAYED_PORTS: Final = {22: 10022}
DIAL_S: Final = 3.0
BOOT_S: Final = 90.0
EXEC_S: Final = 60.0
CARRIER_S: Final = 10.0
# How often a machine's kernel is woken: it can miss the interrupt of a disk or NIC, and then idles until the next one.
WAKE_S: Final = 1.0
# The interface index of a machine's first port, and the maximum number of ports. The agent recognizes ports by these.
FIRST_PORT: Final = 10000
MOST_PORTS: Final = 100
# The queue for a slow machine, in frames: as many as the vector driver takes at once, and a few more.
CABLE_FRAMES: Final = 256
CABLE_BYTES: Final = 8 << 20
