"""A host's network configuration: its files, the impact of changing them, and the transaction that applies the change."""

from collections.abc import Mapping

from tasks.core.model.operation import FileWrite, Transaction
from tasks.platforms.frr.files import CHECK_FRR, CONF_FACT, DAEMONS_FACT, FRR_CONF, FRR_DAEMONS, FRR_FLIPS, FRR_RELOAD, FRR_UNIT, MODES
from tasks.platforms.frr.impact import daemons_impact, frr_impact
from tasks.platforms.ifupdown2.files import CHECK_INTERFACES, IFRELOAD, INTERFACES, INTERFACES_FACT, INTERFACES_STAGED
from tasks.platforms.ifupdown2.impact import interfaces_impact

# The files that one candidate may name.
CONFIGURATION = {INTERFACES: INTERFACES_FACT, FRR_CONF: CONF_FACT, FRR_DAEMONS: DAEMONS_FACT}
VALIDATE = {INTERFACES: CHECK_INTERFACES, FRR_CONF: CHECK_FRR}


def network_impact(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each consequence of new files, {path: text}; empty if the change does not affect traffic.

    `before` may have more files than `after`: its frr.conf determines which ports run OSPF.
    """
    frr_conf = before.get(FRR_CONF, "")
    rules = {INTERFACES: lambda old, new: interfaces_impact(old, new, frr_conf), FRR_CONF: frr_impact, FRR_DAEMONS: daemons_impact}
    files = ((path, before.get(path, ""), text) for path, text in after.items())
    return tuple(sentence for path, old, new in files if path in rules for sentence in rules[path](old, new))


def network_transaction(why: str, before: Mapping[str, str], after: Mapping[str, str], token: str) -> Transaction:
    """The transaction that writes the files of a network configuration, {path: text} in `after`, and applies them."""
    changed = [path for path, text in after.items() if text != before.get(path, "")]
    frr = {FRR_CONF, FRR_DAEMONS} & set(changed)
    return Transaction(
        why=why,
        files=tuple(FileWrite(p, before.get(p) or None, after[p], MODES.get(p, 0o644), VALIDATE.get(p, ())) for p in changed),
        actions=(*([IFRELOAD] if INTERFACES in changed else []), *([FRR_RELOAD] if frr else [])),
        # A new daemons file starts daemons, so FRR has to run.
        units=(FRR_UNIT,) if FRR_DAEMONS in changed else (),
        saved=FRR_FLIPS if frr else (),
        absent=(INTERFACES_STAGED,),
        token=token,
    )
