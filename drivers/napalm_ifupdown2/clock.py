"""chrony's servers and statistics as NAPALM's models. Pure."""

import ipaddress
from itertools import pairwise
from typing import Any

from napalm.base import models

# The configured servers are only in these files: chronyc shows just those that chrony uses now.
CONFIGURATION = "cat /etc/chrony/chrony.conf /etc/chrony/conf.d/*.conf /etc/chrony/sources.d/*.sources 2>/dev/null || true"
SOURCES = "chronyc -c -n sources"
STATISTICS = "chronyc -c -n sourcestats"
# Only root may read this. Without it, the reference and the delay are unknown.
DETAILS = "chronyc -c -n ntpdata 2>/dev/null || true"
# Columns of the three outputs: `chronyc -n COMMAND` shows their names.
STANDARD_DEVIATION = 7
REFERENCE, REFERENCE_NAME, DELAY = 15, 16, 19
DIRECTIVES = {"server": "SERVER", "pool": "POOL"}
MODES = {"^": "server", "=": "peer", "#": "local"}


def _directives(configuration: str) -> list[list[str]]:
    return [line.split() for line in configuration.splitlines() if len(line.split()) > 1]


def ntp_servers(configuration: str) -> dict[str, models.NTPServerDict]:
    """get_ntp_servers: the servers and pools of chrony's files."""
    found: dict[str, models.NTPServerDict] = {}
    for directive, address, *options in _directives(configuration):
        if directive in DIRECTIVES:
            values: dict[str, Any] = dict(pairwise(options))
            found[address] = {
                "address": address,
                "port": int(values.get("port", 123)),
                "version": int(values.get("version", 4)),
                "association_type": DIRECTIVES[directive],
                "iburst": "iburst" in options,
                "prefer": "prefer" in options,
                "network_instance": "default",
                "source_address": "",
                "key_id": int(values.get("key", -1)),
            }
    return found


def ntp_peers(configuration: str) -> dict[str, models.NTPPeerDict]:
    """get_ntp_peers: the peers of chrony's files."""
    return {address: {} for directive, address, *_ in _directives(configuration) if directive == "peer"}


def ntp_stats(sources: str, statistics: str, details: str) -> list[models.NTPStats]:
    """get_ntp_stats: times are in milliseconds; reachability is the octal number that every NTP tool shows."""
    deviations = {row[0]: row[STANDARD_DEVIATION] for row in _rows(statistics, STANDARD_DEVIATION)}
    more = {row[0]: row for row in _rows(details, DELAY)}
    found: list[models.NTPStats] = []
    for mode, state, remote, stratum, poll, reach, when, offset, *_ in _rows(sources, 9):
        row = more.get(remote)
        found.append(
            {
                "remote": remote,
                "referenceid": (row[REFERENCE_NAME] or _dotted(row[REFERENCE])) if row else "",
                "synchronized": state == "*",
                "stratum": int(stratum),
                "type": MODES.get(mode, mode),
                "when": when,
                "hostpoll": 2 ** int(poll),
                "reachability": int(reach),
                "delay": _milliseconds(row[DELAY] if row else "0"),
                "offset": _milliseconds(offset),
                "jitter": _milliseconds(deviations.get(remote, "0")),
            }
        )
    return found


def _rows(text: str, last: int) -> list[list[str]]:
    """The lines with a column `last`; an error message has none."""
    rows = [line.split(",") for line in text.splitlines()]
    return [row for row in rows if len(row) > last]


def _milliseconds(seconds: str) -> float:
    return round(float(seconds) * 1000, 3)


def _dotted(reference: str) -> str:
    return str(ipaddress.IPv4Address(int(reference, 16)))
