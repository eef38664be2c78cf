"""Facts that the changes and checks of the routed network read."""

from dataclasses import dataclass

from tasks.core.model.fact import Fact, text
from tasks.platforms.frr.running import READ_LAYOUT
from tasks.platforms.proxmox.sdn import READ_SDN
from tasks.platforms.systemd import unit_state

KERNEL = "/proc/sys/"


def _values(output: str) -> dict[str, str]:
    """{net/ipv4/conf/en05/rp_filter: value}. Raises ValueError without the value that every kernel has."""
    pairs = (line.partition(":") for line in output.splitlines())
    values = {path.removeprefix(KERNEL): value.strip() for path, _, value in pairs if path.startswith(KERNEL)}
    if FORWARD not in values:
        raise ValueError(f"wanted {FORWARD}, which every kernel has")
    return values


@dataclass(frozen=True)
class Device:
    """A network device in udev's database."""

    path: str
    driver: str


def _devices(output: str) -> dict[str, Device]:
    """{interface: device} of the devices whose path udev knows. Its database is keyed by the kernel's interface index.

    Raises ValueError without `lo`, which every Linux has.
    """
    names: dict[str, str] = {}
    properties: dict[str, dict[str, str]] = {}
    for line in output.splitlines():
        place, _, rest = line.partition(":")
        if place.endswith("/ifindex"):
            names[rest.strip()] = place.split("/")[-2]
        elif rest.startswith("E:"):
            key, _, value = rest.removeprefix("E:").partition("=")
            properties.setdefault(place.rsplit("/n", 1)[-1], {})[key] = value
    if "lo" not in names.values():
        raise ValueError("wanted the index of lo")
    return {
        names[index]: Device(fields["ID_PATH"], fields.get("ID_NET_DRIVER", ""))
        for index, fields in properties.items()
        if index in names and "ID_PATH" in fields
    }


def _modules(output: str) -> frozenset[str]:
    return frozenset(line.strip().removesuffix(".ko") for line in output.splitlines() if line.strip())


FRR_LAYOUT = Fact("frr_layout", READ_LAYOUT, str)
FRR_UNIT = unit_state("frr_unit", "frr.service")
SDN = Fact("sdn", READ_SDN, str)
KERNEL_VALUES = Fact(
    "kernel_values",
    "grep -Hs '' /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding"
    " /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/forwarding || true",
    _values,
)
ROUTING_FILE = text("routing_file", "/etc/sysctl.d/60-burrow-routing.conf")
DEVICES = Fact("devices", "grep -Hs '' /sys/class/net/*/ifindex; grep -Es '^E:ID_(PATH|NET_DRIVER)=' /run/udev/data/n* || true", _devices)
# Loaded as a module, or built into the kernel.
LOADED = Fact(
    "thunderbolt_loaded",
    "cd /sys/module || exit 1; ls -d thunderbolt thunderbolt_net 2>/dev/null;"
    " grep -Eos 'thunderbolt(_net)?\\.ko' /lib/modules/$(uname -r)/modules.builtin || true",
    _modules,
)
MODULES_FILE = text("thunderbolt_modules", "/etc/modules-load.d/burrow-thunderbolt.conf")
HOTPLUG_RULES = text("hotplug_rules", "/etc/udev/rules.d/90-burrow-thunderbolt.rules")
HOTPLUG_UNIT = text("hotplug_unit", "/etc/systemd/system/burrow-port@.service")

FORWARD = "net/ipv4/ip_forward"

# A reply may arrive on another port than the request left by (RFC 3704, section 2.4: loose). A strict filter would drop it.
LOOSE = "2"

DAEMONS = ("bfdd", "ospfd")

RUNNING = ("active", "enabled")
