"""Facts of the base settings and their checks."""

import json

from tasks.core.model.fact import Fact, text
from tasks.platforms.systemd import unit_states


def _packages(output: str) -> frozenset[str]:
    """The packages that are installed. Raises ValueError without any: dpkg itself is one."""
    packages = frozenset(name for name, state in (line.split("\t") for line in output.splitlines() if "\t" in line) if state == "installed")
    if not packages:
        raise ValueError("wanted the installed packages, found none")
    return packages


def _host_name(output: str) -> str:
    """The kernel's name of the host. Raises ValueError where it is empty, which no kernel has."""
    if not output.strip():
        raise ValueError("wanted the host's name, found nothing")
    return output.strip()


def _tracking(output: str) -> dict[str, str]:
    """The source, stratum, offset (seconds) and leap status of `chronyc -c tracking`; empty while chronyd does not run."""
    words = output.strip().split(",")
    return {"source": words[1], "stratum": words[2], "offset_s": str(float(words[4])), "leap": words[13]} if len(words) > 13 else {}


def _failed(output: str) -> tuple[str, ...]:
    return tuple(row["unit"] for row in json.loads(output))


HOST_NAME = Fact("host_name", "cat /proc/sys/kernel/hostname", _host_name)
HOST_NAME_FILE = text("host_name_file", "/etc/hostname")
HOSTS_FILE = text("hosts_file", "/etc/hosts")
RESOLVER = text("resolver", "/etc/resolv.conf")
RESOLVER_TARGET = Fact("resolver_target", "readlink /etc/resolv.conf || true", str.strip)
TIME_SOURCES = text("time_sources", "/etc/chrony/sources.d/burrow.sources")
LLDP_SETTINGS = text("lldp_settings", "/etc/lldpd.d/burrow.conf")
PACKAGES = Fact("packages", "dpkg-query -W -f '${Package}\\t${db:Status-Status}\\n'", _packages)
UNITS = unit_states("units", "chrony.service", "lldpd.service")
TRACKING = Fact("tracking", "chronyc -c tracking 2>/dev/null || true", _tracking)
# The host's own name, from the name server only, without the hosts file. One lost packet must not look like a dead server, so there are
# four attempts of 1 s each: the resolver's default timeout is 5 s an attempt (resolv.conf(5)).
OWN_NAME_IN_DNS = Fact(
    "own_name_in_dns",
    "RES_OPTIONS='timeout:1 attempts:4' timeout 5 getent -s dns ahostsv4"
    " \"$(cat /proc/sys/kernel/hostname).$(awk '/^search/ {print $2; exit}' /etc/resolv.conf)\" || true",
    lambda output: frozenset(line.split()[0] for line in output.splitlines() if line.strip()),
)
FAILED_UNITS = Fact("failed_units", "systemctl list-units --failed --output=json", _failed)
