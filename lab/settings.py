"""The lab's numbers and lists, all in one place: what is installed, how long is waited, which ports are relayed."""

from typing import Final

SUITE: Final = "trixie"
KERNEL_PACKAGE: Final = "user-mode-linux"
# Where a kernel is looked for, the newest first; what one of them refuses, the next may do.
KERNEL_SUITES: Final = ("testing", "trixie", "bookworm")

# What every machine of the lab has installed: a Proxmox node's network and storage side, an NFS server's, a switch's.
PACKAGES: Final = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "sudo", "python3", "openssh-server"),
    *("iproute2", "iputils-ping", "ethtool", "ifupdown2", "tcpdump", "jq"),
    *("frr", "frr-pythontools", "chrony", "nfs-kernel-server", "dnsmasq-base"),
    *("ceph-mon", "ceph-mgr", "ceph-osd", "ceph-common", "corosync"),
)
# The libraries of what a machine can install: so that installing it takes moments.
LIBRARIES: Final = ("adduser", "libevent-2.1-7t64", "libsnmp40t64", "libxml2", "libreadline8t64", "libbsd0", "libcap2")
# What a machine can install: it lies in the image's own archive and is not on the machine yet.
ARCHIVE_PACKAGES: Final = ("lldpd",)
# Started by the suite (or by a machine's seed), never by themselves.
DISABLED_UNITS: Final = (
    *("frr.service", "chrony.service", "nfs-server.service", "nfs-client.target", "nfs-blkmap.service"),
    *("rpcbind.service", "rpcbind.socket", "corosync.service", "ceph-crash.service", "smartmontools.service"),
)
# Nobody needs these in the lab, and each costs a process or a wait at boot.
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
    *("blk-availability.service", "uuidd.socket", "rbdmap.service", "xfs_scrub_all.timer", "system-xfs_scrub.slice"),
)
# Drivers of hardware that no machine of the lab has: shown as built into the kernel, so that loading one works as on a real machine.
SHIMMED_MODULES: Final = ("kernel/drivers/thunderbolt/thunderbolt.ko", "kernel/drivers/net/thunderbolt/thunderbolt_net.ko")
# Programs that systemd runs at boot and at each reload to find units of kinds that no machine of the lab has.
MASKED_GENERATORS: Final = ("debug", "getty", "gpt-auto", "hibernate-resume", "rc-local", "run", "ssh", "system-update", "sysv", "tpm2")
# The tools of this machine that the lab calls, and the packages that bring them.
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

# What the kernel is told: no 512 old-style terminals for udev to look at, no security modules without a policy, and no second spent on
# finding the best RAID 6 code (the function's name in 7.2, and before).
KERNEL_WORDS: Final = (
    "quiet",
    "systemd.show_status=0",
    "pty.legacy_count=0",
    "lsm=capability",
    "initcall_blacklist=raid6_init,raid6_select_algo",
)
# What the lab takes of this machine at most: six machines, three of them with Ceph, and the image, with room to spare.
MEMORY_BYTES: Final = 4 << 30
DISK_BYTES: Final = 6 << 30
# Nothing is left to do later: a machine that finishes its own file system writes to its disk all the while.
MAKE_DISK: Final = ("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,nodiscard")
DISK_SIZE: Final = "3G"
# An extra disk of a machine, for Ceph: sparse, so it takes of this machine what is written to it.
EXTRA_DISK_BYTES: Final = 3 << 30
MEMORY: Final = "256M"
# Of an array's disk, of which only what is written takes room.
ARRAY_SIZE: Final = "1G"
# A monitor, a manager and an OSD beside the network's daemons.
STORAGE_MEMORY: Final = "896M"
# What every NIC can be set to: jumbo frames.
NIC_BYTES: Final = 9000
# Up to this MTU, so much memory is kept free, in KiB: a vector device that finds no room for a frame once is dead until its machine boots.
RESERVES: Final = {1500: 4096, 9000: 8192, 65535: 65536}
# Port inside the lab -> port on this machine's loopback.
RELAYED_PORTS: Final = {22: 10022}
DIAL_S: Final = 3.0
BOOT_S: Final = 90.0
EXEC_S: Final = 60.0
CARRIER_S: Final = 10.0
# The kernel's index of a machine's first port, and how many ports it may have: by these its agent knows its ports.
FIRST_PORT: Final = 10000
MOST_PORTS: Final = 100
# Frames that wait for a slow machine: as many as the vector driver takes at once, and a few more.
CABLE_FRAMES: Final = 256
CABLE_BYTES: Final = 8 << 20
