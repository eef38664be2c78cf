"""Checks of a host whose network configuration is about to change, before it is touched or taken out of service. Pure.

They cost a second, so the reading of the whole site leaves them out; and a daemon's running configuration may change after the plan was
shown.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from tasks.core.agent.secrets import redact
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.operation import FileWrite
from tasks.core.model.plan import TargetPlan
from tasks.platforms.candidate import split
from tasks.platforms.frr.files import CONF_FACT, FRR_CONF, FRR_DAEMONS
from tasks.platforms.frr.running import READ_LAYOUT, READ_RUNNING, split_files, unsaved
from tasks.platforms.ifupdown2.created import by_ifupdown2, may_be_by_command
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile

# ifupdown2's messages on the present file. Of its dry runs only this one reports the syntax errors that make `ifreload -a` end with 1;
# `ifreload -n` ends with 0 whatever is wrong (tried with 3.0).
SYNTAX: Fact[str] = Fact("ifupdown2_says", "ifreload -a -s 2>&1 || true", str)
# All names and alternative names of interfaces, and those that sourced files define.
PRESENT: Fact[frozenset[str]] = Fact(
    "interfaces_present",
    "ls /sys/class/net; ip link show | sed -n 's/^ *altname //p';"
    " sed -n 's/^[[:space:]]*iface[[:space:]]*\\([^[:space:]]*\\).*/\\1/p' /etc/network/interfaces.d/* 2>/dev/null; true",
    lambda output: frozenset(output.split()),
)
FRR_RUNS: Fact[str] = Fact("frr_runs", READ_RUNNING, str)
FRR_LAYOUT: Fact[str] = Fact("frr_layout_now", READ_LAYOUT, str)
PATTERNS = ("regex", "glob")


def asked(plan: TargetPlan) -> tuple[Fact[Any], ...]:
    """The facts that these checks need; none where the plan leaves the network configuration alone."""
    paths = _written(plan).keys()
    interfaces = (SYNTAX, PRESENT) if INTERFACES in paths else ()
    return (*interfaces, *((FRR_RUNS, FRR_LAYOUT, CONF_FACT) if {FRR_CONF, FRR_DAEMONS} & paths else ()))


def _written(plan: TargetPlan) -> dict[str, FileWrite]:
    return {file.path: file for file in plan.transaction.files} if plan.transaction else {}


def reasons(plan: TargetPlan, facts: HostFacts) -> Iterator[str]:
    """Why a host's plan cannot be applied, by these facts."""
    files = _written(plan)
    if INTERFACES in files:
        before, after = InterfacesFile(files[INTERFACES].before or ""), InterfacesFile(files[INTERFACES].text or "")
        missing = _missing(after, facts[PRESENT]) if facts[PRESENT] else ()  # every Linux has `lo`, so an empty answer is no answer
        for problem in dict.fromkeys((*_unreadable(facts[SYNTAX], before, after), *missing)):
            yield (
                f"{plan.host}: `ifreload -a` would end with 1 whatever is changed: {redact(problem)}; correct {INTERFACES} on {plan.host}"
                " until `ifreload -a` ends with 0 there, then run again"
            )
    if {FRR_CONF, FRR_DAEMONS} & files.keys():
        yield from (f"{plan.host}: {reason}" for reason in _reload(plan, facts) if reason)


def _reload(plan: TargetPlan, facts: HostFacts) -> Iterator[str]:
    now = facts[CONF_FACT]
    file = _written(plan).get(FRR_CONF)
    yield split_files(facts[FRR_LAYOUT])
    yield unsaved(facts[FRR_RUNS], now, (file.text or "") if file else now, split(plan.candidate).get(FRR_CONF, "")).refusal


def _unreadable(messages: str, before: InterfacesFile, after: InterfacesFile) -> Iterator[str]:
    """ifupdown2's syntax errors in the file, except those that the change itself removes.

    Complaints about an attribute's value do not count: `ifreload -a` ignores them.
    """
    for line in messages.splitlines():
        if not (line.startswith("error:") or re.search(r": line\d+: ", line)) or "nother instance" in line:
            continue
        iface, quoted = re.search(r": iface (\S+):", line), re.search(r"(?:line '|source file )([^']+)", line)
        corrected = iface is not None and _stanzas(before, iface[1]) != _stanzas(after, iface[1])
        if not corrected and (quoted is None or quoted[1].strip() in str(after)):
            yield line


def _stanzas(file: InterfacesFile, iface: str) -> list[str]:
    return ["".join(line.text for line in (stanza.head, *stanza.body)) for stanza in file.of(iface)]


def _missing(file: InterfacesFile, present: frozenset[str]) -> Iterator[str]:
    """A sentence for each bridge port and VLAN lower device that neither exists nor is created by the file."""
    there = present | by_ifupdown2(file)
    for iface in (name for name in file.ifaces() if name in file.autos()):
        lower = file.get(iface, "vlan-raw-device") or ((iface.rpartition(".")[0],) if "." in iface else ())
        for port in dict.fromkeys((*_ports(" ".join(file.get(iface, "bridge-ports"))), *lower)):
            names = {port, port.rpartition(".")[0]} - {""}
            if not (names & there or any(may_be_by_command(file, name) for name in names)):
                yield f"{iface} needs {port}, which does not exist"


def _ports(words: str) -> Iterable[str]:
    """The ports in a value; none for a pattern."""
    if set(PATTERNS) & set(words.split()):
        return ()
    return (word for word in words.split() if word not in ("none", "all") and "[" not in word)
