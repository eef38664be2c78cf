"""The machine itself: facts, load and users, as NAPALM's models. Pure."""

import json
from collections.abc import Iterator

from napalm.base import models

FACTS = (
    "cat /proc/uptime",
    "cat /etc/os-release",
    "uname -srm",
    "hostname",
    "hostname -f 2>/dev/null || hostname",
    'for name in sys_vendor product_name product_serial; do echo "$name=$(cat /sys/class/dmi/id/$name 2>/dev/null)"; done',
    "dpkg-query -W -f '${Version}' pve-manager 2>/dev/null || true",
    "ip -j link show",
)
# Two readings, because the kernel counts from boot on; the usage is that of the pause between them.
CPU = "cat /proc/stat; sleep 0.3; cat /proc/stat"
MEMORY = "cat /proc/meminfo"
USERS = (
    "getent passwd",
    "getent group sudo || true",
    'getent passwd | while IFS=: read -r user _ _ _ _ home _; do sed "s/^/$user /" "$home/.ssh/authorized_keys" 2>/dev/null; done; true',
)
NO_LOGIN = ("nologin", "false", "sync", "")


def _assignments(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip().strip('"') for name, _, value in pairs}


def facts(answers: list[str]) -> models.FactsDict:
    """get_facts from the outputs of FACTS. Without vendor and model in the firmware, they are the system's name and architecture."""
    uptime, release, kernel, name, fqdn, firmware, proxmox, links = answers
    system, board = _assignments(release), _assignments(firmware)
    sysname, version, architecture = kernel.split()
    words = [system.get("PRETTY_NAME", ""), f"Proxmox VE {proxmox}" if proxmox else "", f"{sysname} {version}"]
    return {
        "uptime": float(uptime.split()[0]),
        "vendor": board.get("sys_vendor") or system.get("NAME", ""),
        "model": board.get("product_name") or architecture,
        "hostname": name.strip(),
        "fqdn": fqdn.strip(),
        "os_version": ", ".join(word for word in words if word),
        "serial_number": board.get("product_serial", ""),
        "interface_list": [link["ifname"] for link in json.loads(links)],
    }


def environment(stat: str, meminfo: str) -> models.EnvironmentDict:
    """get_environment: memory in bytes, usage of each CPU; fans, temperatures and power supplies are not read."""
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in meminfo.splitlines() if ":" in line}
    return {
        "fans": {},
        "temperature": {},
        "power": {},
        "cpu": dict(_usage(stat)),
        "memory": {
            "available_ram": kilobytes["MemTotal"] * 1024,
            "used_ram": (kilobytes["MemTotal"] - kilobytes["MemAvailable"]) * 1024,
        },
    }


def _usage(stat: str) -> Iterator[tuple[int, models.CPUDict]]:
    before: dict[str, list[int]] = {}
    for line in stat.splitlines():
        name, *words = line.split()
        if not name.removeprefix("cpu").isdigit() or not name.startswith("cpu"):
            continue
        ticks = [int(word) for word in words]
        if name not in before:
            before[name] = ticks
            continue
        spent = [late - early for late, early in zip(ticks, before[name], strict=True)]
        idle = spent[3] + spent[4]  # idle, and waiting for I/O
        # The first two columns include the columns after the eighth (guests).
        total = sum(spent[:8])
        yield int(name.removeprefix("cpu")), {"%usage": round(100.0 * (total - idle) / total, 1) if total else 0.0}


def users(passwd: str, admins: str, keys: str) -> dict[str, models.UsersDict]:
    """get_users: the users with a login shell. Root and the group sudo have level 15. Password hashes are not read."""
    powerful = set(admins.strip().rpartition(":")[2].split(","))
    found: dict[str, models.UsersDict] = {}
    for line in passwd.splitlines():
        name, _, uid, *_, shell = line.split(":")
        if shell.rpartition("/")[2] not in NO_LOGIN:
            found[name] = {"level": 15 if uid == "0" or name in powerful else 1, "password": "", "sshkeys": []}
    for line in keys.splitlines():
        name, _, key = line.partition(" ")
        if name in found and key.strip() and not key.startswith("#"):
            found[name]["sshkeys"].append(key)
    return found
