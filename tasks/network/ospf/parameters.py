"""Parameters that have to match on both ends of a routed cable (RFC 2328, 10.5 and D.4): they change on both ends or on neither."""

from inventory.site import Site
from tasks.core.model.fact import Facts
from tasks.core.model.operation import Action
from tasks.network.ospf.facts import FRR
from tasks.platforms.frr.files import CONF_FACT
from tasks.platforms.frr.frr_file import FrrFile, in_dots

KEY = "ip ospf message-digest-key"
PARAMETERS = ("ip ospf area", "ip ospf network", "ip ospf hello-interval", "ip ospf dead-interval", "ip ospf authentication", KEY)
FULL = "Full"
# Each accepted hello restarts a neighbour's dead timer. A neighbour that was Full has to send an accepted hello with the new parameters in
# time. Otherwise the script fails, and the host is restored.
FOLLOWED_SCRIPT = """
import json, subprocess, sys, time
wait_s, ports = sys.argv[2], set(sys.argv[3:])
ends = time.monotonic() + float(wait_s)
before = {}
while ports and time.monotonic() < ends:
    reply = json.loads(subprocess.run(["vtysh", "-c", "show ip ospf neighbor detail json"], capture_output=True, check=True).stdout or "{}")
    for row in (row for rows in reply.get("neighbors", reply).values() if isinstance(rows, list) for row in rows):
        port, due_ms = row["ifaceName"].split(":")[0], row["routerDeadIntervalTimerDueMsec"]
        if row["nbrState"].startswith("Full") and due_ms > before.get(port, due_ms):
            ports.discard(port)
        before[port] = due_ms
    time.sleep(0.2)
if ports:
    sys.exit(f"no neighbour uses the new OSPF parameters on {', '.join(sorted(ports))} within {wait_s} s: change both ends in one run")
"""


def ports_with_new_parameters(site: Site, facts: Facts, host: str, wanted: FrrFile) -> tuple[str, ...]:
    """The ports with a Full neighbour and other parameters than before: that neighbour has to change too."""
    file, full = FrrFile(facts[host][CONF_FACT]), {one.port for one in facts[host][FRR].neighbours if one.state == FULL}
    ports = (cable.near(host).port for cable in site.routed(host))
    return tuple(port for port in ports if port in full and _parameters(file, port) != _parameters(wanted, port))


def _parameters(file: FrrFile, port: str) -> tuple[str | None, ...]:
    values = (file.get((f"interface {port}",), parameter) for parameter in PARAMETERS)
    return tuple(
        in_dots(value) if parameter == "ip ospf area" and value else value for parameter, value in zip(PARAMETERS, values, strict=True)
    )


def followed(ports: tuple[str, ...], wait_s: int) -> Action:
    """Waits until each port's neighbour is Full with the new parameters. Fails after `wait_s` seconds."""
    argv = ("python3", "-c", FOLLOWED_SCRIPT, "neighbours follow", str(wait_s), *ports)
    shown = f"{', '.join(ports)}: the neighbours have to use the new parameters within {wait_s} s, or the host is restored"
    return Action(argv, ("true",), deadline_s=wait_s + 10.0, shown=shown, coordinated=True)
