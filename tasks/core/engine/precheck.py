"""What is asked of a host only where its network configuration is to change, before it is touched or taken out of service.

Asking costs a second, so no reading of a whole site holds it. A running daemon may have been told something since the plan was shown.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tasks.core.agent.secrets import redact
from tasks.core.model.errors import BurrowError
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.operation import FileWrite
from tasks.core.model.plan import HostPlan, SetPlan
from tasks.platforms.candidate import split
from tasks.platforms.configuration import CONFIGURATION
from tasks.platforms.frr.files import FRR_CONF, FRR_DAEMONS
from tasks.platforms.frr.running import READ_LAYOUT, READ_RUNNING, split_files, unsaved
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

if TYPE_CHECKING:
    from tasks.core.engine.run import Run

# What ifupdown2 says of the file as it stands. Of its no-act commands this is the one that says what ends `ifreload -a` with 1 because the
# file cannot be read; `ifreload -n` ends with 0 whatever is wrong (tried with 3.0).
SYNTAX: Fact[str] = Fact("ifupdown2_says", "ifreload -a -s 2>&1 || true", str)
# By each name that an interface has, also those that a sourced file makes.
PRESENT: Fact[frozenset[str]] = Fact(
    "interfaces_present",
    "ls /sys/class/net; ip link show | sed -n 's/^ *altname //p';"
    " sed -n 's/^[[:space:]]*iface[[:space:]]*\\([^[:space:]]*\\).*/\\1/p' /etc/network/interfaces.d/* 2>/dev/null; true",
    lambda output: frozenset(output.split()),
)
FRR_RUNS: Fact[str] = Fact("frr_runs", READ_RUNNING, str)
FRR_LAYOUT: Fact[str] = Fact("frr_layout_now", READ_LAYOUT, str)
# What a stanza says of an interface that ifupdown2 makes itself.
MAKES = re.compile(
    r"bond-\S+|bridge-\S+|vlan-\S+|vxlan-id|link-type|vrf-table|(tunnel-)?mode|ovs-type|veth-peer-name|xfrm-id|batman-ifaces|pre-up"
)
PATTERNS = ("regex", "glob")


def asked(plan: HostPlan) -> tuple[Fact[Any], ...]:
    """What is asked of a host before its plan is applied; nothing where that leaves its network configuration alone."""
    paths = _written(plan).keys()
    interfaces = (SYNTAX, PRESENT) if INTERFACES in paths else ()
    return (*interfaces, *((FRR_RUNS, FRR_LAYOUT, CONFIGURATION[FRR_CONF]) if {FRR_CONF, FRR_DAEMONS} & paths else ()))


def _written(plan: HostPlan) -> dict[str, FileWrite]:
    return {file.path: file for file in plan.transaction.files} if plan.transaction else {}


def reasons(plan: HostPlan, facts: HostFacts) -> Iterator[str]:
    """Why a host's plan cannot be applied, from what it answered."""
    files = _written(plan)
    if INTERFACES in files:
        before, after = InterfacesFile(files[INTERFACES].before or ""), InterfacesFile(files[INTERFACES].text or "")
        missing = _missing(after, facts[PRESENT]) if facts[PRESENT] else ()  # every Linux has `lo`: nothing at all is no answer
        for said in dict.fromkeys((*_unreadable(facts[SYNTAX], before, after), *missing)):
            yield (
                f"{plan.host}: `ifreload -a` ends with 1 whatever is changed: {redact(said)}; mend {INTERFACES} on {plan.host},"
                " until `ifreload -a` ends with 0 there, then run again"
            )
    if {FRR_CONF, FRR_DAEMONS} & files.keys():
        yield from (f"{plan.host}: {reason}" for reason in _reload(plan, facts) if reason)


def _reload(plan: HostPlan, facts: HostFacts) -> Iterator[str]:
    now = facts[CONFIGURATION[FRR_CONF]]
    file = _written(plan).get(FRR_CONF)
    yield split_files(facts[FRR_LAYOUT])
    yield unsaved(facts[FRR_RUNS], now, (file.text or "") if file else now, split(plan.candidate).get(FRR_CONF, "")).refusal


def _unreadable(said: str, before: InterfacesFile, after: InterfacesFile) -> Iterator[str]:
    """The lines by which ifupdown2 says that it cannot read the file, but for what the change itself takes away.

    What it says of an attribute's value is no reason: `ifreload -a` passes over that.
    """
    for line in said.splitlines():
        if not (line.startswith("error:") or re.search(r": line\d+: ", line)) or "nother instance" in line:
            continue
        iface, quoted = re.search(r": iface (\S+):", line), re.search(r"(?:line '|source file )([^']+)", line)
        mended = iface is not None and _stanzas(before, iface[1]) != _stanzas(after, iface[1])
        if not mended and (quoted is None or quoted[1].strip() in str(after)):
            yield line


def _stanzas(file: InterfacesFile, iface: str) -> list[str]:
    return ["".join(line.text for line in (stanza.head, *stanza.body)) for stanza in file.of(iface)]


def _missing(file: InterfacesFile, present: frozenset[str]) -> Iterator[str]:
    """A sentence for each port of a bridge and each VLAN's lower device that is not there and that the file does not make."""
    made = {s.iface for s in file.stanzas if s.iface and any(MAKES.fullmatch(line.key) for line in s.body)}
    there = present | made
    for iface in (name for name in file.ifaces() if name in file.autos()):
        lower = file.get(iface, "vlan-raw-device") or ((iface.rpartition(".")[0],) if "." in iface else ())
        for port in dict.fromkeys((*_ports(" ".join(file.get(iface, "bridge-ports"))), *lower)):
            if not ({port, port.rpartition(".")[0]} & there):
                yield f"{iface} stands on {port}, which is not there"


def _ports(words: str) -> Iterable[str]:
    """The ports that a value names; a pattern names none."""
    if set(PATTERNS) & set(words.split()):
        return ()
    return (word for word in words.split() if word not in ("none", "all") and "[" not in word)


def prechecked(run: "Run", plans: Iterable[SetPlan]) -> tuple[SetPlan, ...]:
    """The plans, those refused of which a host says now that they cannot be carried out."""
    plans = tuple(plans)
    needs: dict[str, dict[str, Fact[Any]]] = {}
    for plan in (one for each in plans for one in each.changes):
        needs.setdefault(plan.host, {}).update({fact.name: fact for fact in asked(plan)})
    answers = run.observe((host for host, facts in needs.items() if facts), {host: tuple(facts.values()) for host, facts in needs.items()})
    return tuple(_judged(each, answers) for each in plans)


def _judged(plan: SetPlan, answers: "dict[str, HostFacts | BurrowError]") -> SetPlan:
    found: list[str] = []
    for one in plan.changes:
        answer = answers.get(one.host) if asked(one) else None
        try:
            found += [str(answer)] if isinstance(answer, BurrowError) else reasons(one, answer) if answer else ()
        except BurrowError as error:
            found.append(str(error))
    return replace(plan, hosts=(), refused="; ".join(found)) if found else plan
