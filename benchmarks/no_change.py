"""A run without changes and an audit, each compared with `ssh` that runs the same read script on the same hosts, and with `ssh HOST true`.

Then the storage stage compared with the network stage, without changes, on the three nodes.

The lab has to be up and bootstrapped. Compare only figures of the same run.
"""

import statistics
import sys

from timing import median, table, together_s, wall_s

from inventory.sites import find_site
from runbooks import audit, bootstrap
from tasks.core.connectors.agent_session import LOADER, payload
from tasks.core.engine.execute import open_run
from tasks.core.engine.runbook import Options, Runbook
from tasks.core.engine.selection import needs_of

TIMES = 7
# The work of a run before its first packet: interpreter, imports, inventory.
START = """
import asyncssh, napalm, nornir_napalm.plugins.tasks, rich.live
from runbooks.NAME import RUNBOOK
from tasks.core.engine import apply as carry
from tasks.core.cli import command_line
from tasks.core.model import plan
from tasks.core.engine import record
from tasks.core.cli import report
from tasks.core.engine import runbook
import napalm_ifupdown2
options = runbook.Options()
run = runbook.open_run(options)
runbook.needs_of(RUNBOOK.stages, run, options)
"""


def measure(name: str, runbook: Runbook) -> None:
    """Print the table of one runbook."""
    options = Options()
    run = open_run(options)
    needs = needs_of(runbook.stages, run, options)
    ssh = ["ssh", "-F", find_site("lab").ssh_config_path or ""]
    facts = {host: {fact.name: fact.on(run.site, host).command for fact in wanted} for host, wanted in needs.items()}
    same = [([*ssh, host, LOADER], payload({"op": "read", "facts": read, "run": None, "deadline_s": 30})) for host, read in facts.items()]
    nothing = [([*ssh, host, "true"], b"") for host in needs]
    figures: dict[str, list[float]] = {"whole": [], "start": [], "same": [], "true": []}
    for _ in range(TIMES):
        figures["whole"].append(wall_s([sys.executable, f"runbooks/{name}.py"]))
        figures["start"].append(wall_s([sys.executable, "-c", START.replace("NAME", name)]))
        figures["same"].append(together_s(same))
        figures["true"].append(together_s(nothing))
    own = [whole - start for whole, start in zip(figures["whole"], figures["start"], strict=True)]
    base, least = statistics.median(figures["same"]), statistics.median(figures["true"])
    rows = (
        (f"`{name}.py` without the interpreter's start", own),
        ("the same with interpreter, imports and inventory", figures["whole"]),
        (f"`ssh` with the same read script, {len(needs)} hosts in parallel", figures["same"]),
        (f"`ssh HOST true`, {len(needs)} hosts in parallel", figures["true"]),
    )
    head = ["what", f"median of {TIMES} (range)", "relative to the same script by ssh", "relative to `ssh HOST true`"]
    ratios = [
        [what, median(times), f"{statistics.median(times) / base:.2f}", f"{statistics.median(times) / least:.2f}"] for what, times in rows
    ]
    table([head, *ratios])


def compare_stages() -> None:
    """Print the time of the storage stage without differences, compared with the network stage on the same hosts."""
    only = [word for host in find_nodes() for word in ("--limit", host)]
    figures: dict[str, list[float]] = {"network": [], "storage": []}
    for _ in range(TIMES):
        for stage, times in figures.items():
            times.append(wall_s([sys.executable, "runbooks/bootstrap.py", "--stage", stage, *only]))
    base = statistics.median(figures["network"])
    head = ["one stage, without changes, three nodes", f"median of {TIMES} (range)", "relative to the network stage"]
    table([head, *([stage, median(times), f"{statistics.median(times) / base:.2f}"] for stage, times in figures.items())])


def find_nodes() -> list[str]:
    """The hosts of the Proxmox cluster."""
    return [host.name for host in open_run(Options()).site.members_of("proxmox")]


def main() -> None:
    """Print the tables."""
    measure("bootstrap", bootstrap.RUNBOOK)
    measure("audit", audit.RUNBOOK)
    compare_stages()


if __name__ == "__main__":
    main()
