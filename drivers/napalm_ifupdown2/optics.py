"""Light levels of optical modules as NAPALM's model, from `ethtool -m`. Pure.

The text is read, not the JSON: older versions than 6.14 have none for modules, and 6.14.2 (Debian 13) prints an SFP's light levels as text
after its JSON (tried).
"""

import re

from napalm.base import models
from napalm.base.exceptions import CommandErrorException

VERSION = "ethtool --version"
# Only ports with hardware of their own can have a module. A port without one is an error of ethtool's.
MODULES = 'for port in /sys/class/net/*/device; do port=${port%/device}; echo "port ${port##*/}"; ethtool -m "${port##*/}" 2>&1; done; true'
# The names differ by the kind of module: sfpdiag.c (SFF-8472), qsfp.c (SFF-8636), cmis.c.
READING = re.compile(
    r"\t(?:(?P<bias>Laser (?:tx )?bias current)|(?P<sent>Laser output power|Transmit avg optical power)"
    r"|(?P<received>(?:Receiver|Rcvr) signal (?:average optical power|avg optical power|OMA)))"
    r" *(?:\(Channel (?P<channel>\d+)\))? *: .*?(?P<value>-?inf|-?[\d.]+) (?:mA|dBm)"
)
FORBIDDEN = "Operation not permitted"
# No light at all: the smallest power that SFF-8472 can tell is 0.1 microwatts.
DARK_DBM = -40.0


def optics(text: str) -> dict[str, models.OpticsDict]:
    """get_optics: powers in dBm, bias currents in mA, each as measured now. Ports without readings are left out.

    Modules do not keep averages and extremes, which are 0.0. No light is -40 dBm. Raises CommandErrorException if the user may not read
    modules.
    """
    found: dict[str, models.OpticsDict] = {}
    for part in re.split(r"^port ", text, flags=re.MULTILINE)[1:]:
        name, _, output = part.partition("\n")
        if FORBIDDEN in output:
            raise CommandErrorException(f"`ethtool -m {name}`: {output.strip()}: log in as root, or use the optional argument `sudo`")
        channels: dict[int, dict[str, float]] = {}
        for line in output.splitlines():
            if one := READING.fullmatch(line):
                of_channel = channels.setdefault(int(one["channel"] or 1) - 1, {})
                kind = next(name for name in ("bias", "sent", "received") if one[name])
                of_channel[kind] = DARK_DBM if "inf" in one["value"] else float(one["value"])
        if channels:
            # NAPALM's own test and example say `channel`, its annotation `channels`.
            found[name] = {"physical_channels": {"channel": [_channel(index, of) for index, of in sorted(channels.items())]}}  # type: ignore[typeddict-item, typeddict-unknown-key]
    return found


def _channel(index: int, readings: dict[str, float]) -> models.OpticsPerChannelDict:
    return {
        "index": index,
        "state": {
            "input_power": _state(readings.get("received", DARK_DBM)),
            "output_power": _state(readings.get("sent", DARK_DBM)),
            "laser_bias_current": _state(readings.get("bias", 0.0)),
        },
    }


def _state(instant: float) -> models.OpticsStateDict:
    return {"instant": instant, "avg": 0.0, "min": 0.0, "max": 0.0}
