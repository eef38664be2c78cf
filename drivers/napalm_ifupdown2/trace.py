"""`traceroute` on the host as NAPALM's model. Pure.

Debian's package `traceroute` sends three probes a hop, as NAPALM's model has them; `tracepath` sends one.
"""

import math
import re
import shlex

from napalm.base import constants, models

PROBES = 3
AT_ONCE = 16  # traceroute's default of simultaneous probes
HEADER = "traceroute to "
HOP = re.compile(r"^ ?(?P<hop>\d+)  (?P<probes>.*)$", re.MULTILINE)
# A name with its address, a time for the address before it, or a lost probe. Words such as `!H` follow a time.
PROBE = re.compile(r"(?P<name>\S+) \((?P<ip>[^)\s]+)\)|(?P<rtt>[\d.]+) ms|(?<!\S)\*(?!\S)")


def command(destination: str, source: str, ttl: int, timeout: int, vrf: str) -> str:
    """The shell command. Errors are in its output, not in its exit code."""
    words = ["traceroute", "-q", str(PROBES), "-m", str(ttl), "-w", str(timeout)]
    words += ["-s", source] if source else []
    within = ["ip", "vrf", "exec", vrf] if vrf else []
    return f"{shlex.join([*within, *words, '--', destination])} 2>&1 || true"


def longest_s(ttl: int, timeout: int) -> int:
    """The seconds that probes without any answer take."""
    return math.ceil(ttl * PROBES / AT_ONCE) * timeout


def result(output: str) -> models.TracerouteResultDict:
    """traceroute: a lost probe has the name and address `*` and the time 0. An error is in traceroute's own words."""
    # Only what follows the header is of the probes; before it, an error may quote the destination.
    found = HOP.finditer(output.partition(HEADER)[2])
    hops: dict[int, models.TracerouteResultDictEntry] = {int(one["hop"]): {"probes": _probes(one["probes"])} for one in found}
    if hops:
        return {"success": hops}
    error = "\n".join(line for line in output.splitlines() if line and not line.startswith(HEADER))
    if error.endswith("traceroute: not found"):
        error += "; install the package traceroute on the host"
    return {"error": error or "traceroute printed nothing"}


def _probes(text: str) -> dict[int, models.TracerouteDict]:
    found: list[models.TracerouteDict] = []
    name, address = constants.TRACEROUTE_NULL_HOST_NAME, constants.TRACEROUTE_NULL_IP_ADDRESS
    for one in PROBE.finditer(text):
        if one["ip"]:
            name, address = one["name"], one["ip"]
        elif one["rtt"]:
            found.append({"rtt": float(one["rtt"]), "ip_address": address, "host_name": name})
        else:
            lost = {"ip_address": constants.TRACEROUTE_NULL_IP_ADDRESS, "host_name": constants.TRACEROUTE_NULL_HOST_NAME}
            found.append({"rtt": 0.0, **lost})  # type: ignore[typeddict-item]
    return dict(enumerate(found, 1))
