"""Sites of hundreds and thousands of hosts, whose facts are replayed: loading, all checks, the plan of the settings, and an audit's memory.

    python benchmarks/large_sites.py

It contacts no host. Each figure is of a process of its own.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from timing import ROOT, table

sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit")]
GROUPS = "node: {platform: ifupdown2, link: ssh, management: vmbr0, ports: {eno1: {}, eno2: {}, sfp0: {}, sfp1: {}}}\n"
DEFAULTS = (
    "domain: example.org\nname_servers: [192.168.103.1]\ntime_servers: [192.168.103.1]\npackages: [lldpd, chrony]\n"
    "ospf: {area: 0.0.0.0, hello_s: 2, dead_s: 10, bfd_interval_ms: 1000, bfd_multiplier: 5}\n"
    "operator: {port: 'h00000:eno1', address: 172.16.255.254/16, gateway: 172.16.255.253}\n"
)


def site_folder(folder: Path, count: int, *, routers: int = 0) -> Path:
    """The inventory of `count` hosts, of which the first `routers` are a chain of routed cables."""
    names = [f"h{number:05}" for number in range(count)]
    rows = []
    for number, name in enumerate(names):
        address = f"172.16.{number // 250}.{number % 250 + 1}/16" if count < 60000 else ""
        loopback = f", loopback: 10.200.{number // 250}.{number % 250 + 1}/32" if number < routers else ""
        rows.append(f"{name}: {{groups: [node], address: {address}{loopback}}}\n")
    cables = [f"  - {{from: '{near}:sfp1', to: '{far}:sfp0', network: chain}}\n" for near, far in pairwise(names[:routers])]
    folder.mkdir(exist_ok=True)
    (folder / "hosts.yaml").write_text("".join(rows))
    (folder / "groups.yaml").write_text(GROUPS)
    (folder / "defaults.yaml").write_text(DEFAULTS)
    networks = "networks:\n  chain: {prefix: 10.104.0.0/16, ospf_cost: 10}\n"
    (folder / "cables.yaml").write_text(networks + "cables:\n" + "".join(cables) if cables else "cables: []\n")
    return folder


def readings() -> dict[str, Any]:
    """The readings of one host for all facts: its settings are as wanted, the others are those of the first case that has them."""
    from cases import case_of  # noqa: PLC0415
    from test_checks import EVERY  # noqa: PLC0415

    found: dict[str, Any] = {}
    for case in (*(case_of(name, "already-right") for name in ("host_name", "hosts_file", "lldp", "resolver", "time_sync")), *EVERY):
        for facts in case.facts.values():
            found = {**facts.readings, **found}
    return found


def replayed(hosts: Iterator[str] | list[str]) -> dict[str, Any]:
    """The facts of each host, as if read from it: no two hosts share a text."""
    from tasks.core.model.fact import HostFacts, Reading  # noqa: PLC0415

    texts = readings()
    return {host: HostFacts(host, {name: Reading(0, one.out[:-1] + one.out[-1:]) for name, one in texts.items()}) for host in hosts}


def loading(folder: Path) -> float:
    """The seconds that a load takes."""
    from inventory.load import load  # noqa: PLC0415

    began = time.monotonic()
    load(folder)
    return time.monotonic() - began


def all_checks(folder: Path) -> float:
    """The seconds that all checks of all hosts take."""
    from inventory.load import load  # noqa: PLC0415
    from tasks.checks.catalog import CATALOG  # noqa: PLC0415
    from tasks.core.model.check import judge  # noqa: PLC0415

    site = load(folder)
    facts = replayed(list(site.hosts))
    began = time.monotonic()
    judge(CATALOG, site, facts, site.hosts)
    return time.monotonic() - began


def plan_of_settings(folder: Path) -> float:
    """The seconds that the plan of the base settings of all hosts takes."""
    from inventory.load import load  # noqa: PLC0415
    from tasks.core.engine.planning import plan_set  # noqa: PLC0415
    from tasks.host.base.sets import base_settings  # noqa: PLC0415

    site = load(folder)
    facts = replayed(list(site.hosts))
    began = time.monotonic()
    plans = [plan_set(one, site, facts) for one in base_settings(site)]
    seconds = time.monotonic() - began
    assert len(plans) == len(site.hosts)
    assert all(plan.changes for plan in plans), next(plan.refused for plan in plans if not plan.changes)  # each has another name
    return seconds


class ReplayedRun:
    """A run whose hosts were read before: each one's facts are made when it is asked, and belong to nobody afterwards."""

    def __init__(self, site: Any) -> None:
        self.site, self.unreachable, self.first_facts = site, dict[str, str](), dict[str, Any]()

    def observe(self, targets: Any, needs: Any) -> dict[str, Any]:
        """No target is a cluster here."""
        del needs
        return dict.fromkeys(targets)

    def observe_each(self, needs: Any, take: Callable[..., None], *, close: bool) -> None:
        """Give each host's facts."""
        del close
        from tasks.core.model.fact import HostFacts, Reading  # noqa: PLC0415

        texts = readings()
        for host in needs:
            take(host, HostFacts(host, {name: Reading(0, one.out[:-1] + one.out[-1:]) for name, one in texts.items()}))

    def say(self, *_: Any, **__: Any) -> None:
        """Nobody watches."""


def peak_mib(folder: Path, work: Callable[[Any, Any], object]) -> float:
    """The most memory that the work on the loaded site held, in MiB, as Python counts it."""
    import tracemalloc  # noqa: PLC0415

    from inventory.load import load  # noqa: PLC0415
    from tasks.checks.catalog import CATALOG  # noqa: PLC0415

    site = load(folder)
    replayed(["warm"])
    tracemalloc.start()
    work(site, CATALOG)
    return tracemalloc.get_traced_memory()[1] / 2**20


def memory_of_an_audit(folder: Path) -> float:
    """The peak memory of an audit."""
    from tasks.core.engine.audit import Audit  # noqa: PLC0415

    def audit(site: Any, checks: Any) -> None:
        Audit(ReplayedRun(site), checks, frozenset(site.hosts)).perform(dict.fromkeys(site.hosts, ()))  # type: ignore[arg-type]

    return peak_mib(folder, audit)


def memory_of_its_findings(folder: Path) -> float:
    """The memory of what an audit returns, which the record holds: it grows with the site."""
    from tasks.core.engine.audit import Audit  # noqa: PLC0415

    kept: list[object] = []

    def audit(site: Any, checks: Any) -> None:
        import tracemalloc  # noqa: PLC0415

        kept.append(Audit(ReplayedRun(site), checks, frozenset(site.hosts)).perform(dict.fromkeys(site.hosts, ())))  # type: ignore[arg-type]
        tracemalloc.reset_peak()

    return peak_mib(folder, audit)


def memory_of_all_facts(folder: Path) -> float:
    """The peak memory where all facts are held until the end."""
    from tasks.core.model.check import judge  # noqa: PLC0415

    return peak_mib(folder, lambda site, checks: judge(checks, site, replayed(list(site.hosts)), site.hosts))


WORK: dict[str, Callable[[Path], float]] = {
    one.__name__: one for one in (loading, all_checks, plan_of_settings, memory_of_an_audit, memory_of_its_findings, memory_of_all_facts)
}
# What is measured, hosts, routers in a chain, unit.
ROWS = (
    ("loading", 10000, 0, "s"),
    ("all_checks", 1000, 0, "s"),
    ("all_checks", 400, 400, "s"),
    ("plan_of_settings", 1000, 0, "s"),
    ("memory_of_an_audit", 500, 0, "MiB"),
    ("memory_of_an_audit", 2000, 0, "MiB"),
    ("memory_of_its_findings", 500, 0, "MiB"),
    ("memory_of_its_findings", 2000, 0, "MiB"),
    ("memory_of_all_facts", 500, 0, "MiB"),
    ("memory_of_all_facts", 2000, 0, "MiB"),
)


def main() -> None:
    """Print the table."""
    found = []
    with TemporaryDirectory() as name:
        for number, (work, count, routers, unit) in enumerate(ROWS):
            folder = site_folder(Path(name) / str(number), count, routers=routers)
            done = subprocess.run([sys.executable, __file__, work, str(folder)], cwd=ROOT, capture_output=True, text=True, check=True)
            chain = f", {routers} of them routers in a chain" if routers else ""
            found.append((work.replace("_", " "), f"{count}{chain}", f"{json.loads(done.stdout):.1f} {unit}"))
    table([("what", "hosts", "figure"), *found])


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(WORK[sys.argv[1]](Path(sys.argv[2])))
    else:
        main()
