"""`ping` on the host as NAPALM's model. Pure."""

import re
import shlex

from napalm.base import models

REPLY = re.compile(r"bytes from (?P<ip>\S+?):? .*time=(?P<rtt>[\d.]+) ms")
COUNTS = re.compile(r"(?P<sent>\d+) packets transmitted, (?P<received>\d+) received")
TIMES = re.compile(r"= (?P<min>[\d.]+)/(?P<avg>[\d.]+)/(?P<max>[\d.]+)/(?P<dev>[\d.]+) ms")


def command(destination: str, source: str, ttl: int, timeout: int, size: int, count: int, vrf: str) -> str:
    """The shell command; `source` is an address or an interface. Errors are in its output, not in its exit code."""
    words = ["ping", "-n", "-i", "0.2", "-c", str(count), "-t", str(ttl), "-W", str(timeout), "-s", str(size)]
    words += ["-I", source] if source else []
    within = ["ip", "vrf", "exec", vrf] if vrf else []
    return f"{shlex.join([*within, *words, '--', destination])} 2>&1 || true"


def result(output: str) -> models.PingResultDict:
    """ping: `packet_loss` is the number of probes without a reply."""
    counts, times = COUNTS.search(output), TIMES.search(output)
    if counts is None:
        return {"error": output.strip() or "ping printed nothing"}
    sent, received = int(counts["sent"]), int(counts["received"])
    return {
        "success": {
            "probes_sent": sent,
            "packet_loss": sent - received,
            "rtt_min": float(times["min"]) if times else 0.0,
            "rtt_max": float(times["max"]) if times else 0.0,
            "rtt_avg": float(times["avg"]) if times else 0.0,
            "rtt_stddev": float(times["dev"]) if times else 0.0,
            "results": [{"ip_address": reply["ip"], "rtt": float(reply["rtt"])} for reply in REPLY.finditer(output)],
        }
    }
