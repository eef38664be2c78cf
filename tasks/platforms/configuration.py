"""A host's network configuration: its files, the impact of changing them, and the transaction that applies the change."""

from collections.abc import Mapping
from functools import cache

from inventory import plugins
from tasks.core.model.operation import FileWrite, TimedTransaction
from tasks.platforms.configuration_file import ConfigurationFile
from tasks.platforms.frr.files import CHECK_FRR, CONF_FACT, DAEMONS_FACT, FRR_CONF, FRR_DAEMONS, FRR_FLIPS, FRR_RELOAD, FRR_UNIT, MODE
from tasks.platforms.frr.frr_file import merge as merge_frr
from tasks.platforms.frr.frr_file import merge_daemons
from tasks.platforms.frr.impact import daemons_impact, frr_impact
from tasks.platforms.ifupdown2.files import CHECK_INTERFACES, IFRELOAD, INTERFACES, INTERFACES_FACT, INTERFACES_STAGED
from tasks.platforms.ifupdown2.impact import interfaces_impact
from tasks.platforms.ifupdown2.merge import merge as merge_interfaces

BUILT_IN = (
    ConfigurationFile(
        INTERFACES,
        INTERFACES_FACT,
        merge_interfaces,
        # frr.conf determines which ports run OSPF.
        lambda old, new, files: interfaces_impact(old, new, files.get(FRR_CONF, "")),
        validate=CHECK_INTERFACES,
        actions=(IFRELOAD,),
    ),
    ConfigurationFile(
        FRR_CONF,
        CONF_FACT,
        merge_frr,
        lambda old, new, _: frr_impact(old, new),
        MODE,
        validate=CHECK_FRR,
        actions=(FRR_RELOAD,),
        saved=FRR_FLIPS,
    ),
    ConfigurationFile(
        FRR_DAEMONS,
        DAEMONS_FACT,
        merge_daemons,
        lambda old, new, _: daemons_impact(old, new),
        MODE,
        actions=(FRR_RELOAD,),
        # A new daemons file starts daemons, so FRR has to run.
        units=(FRR_UNIT,),
        saved=FRR_FLIPS,
    ),
)


@cache
def configuration() -> Mapping[str, ConfigurationFile]:
    """{path: file}: the files that one candidate may name, also those of other packages' platforms."""
    others = (plugins.loaded(plugins.PLATFORMS, name) for name in plugins.named(plugins.PLATFORMS))
    return {file.path: file for file in (*BUILT_IN, *(file for platform in others for file in platform.files))}


def network_impact(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each consequence of new files, {path: text}; empty if the change does not affect traffic.

    `before` may have more files than `after`.
    """
    known = configuration()
    return tuple(sentence for path, new in after.items() for sentence in known[path].impact(before.get(path, ""), new, before))


def network_transaction(why: str, before: Mapping[str, str], after: Mapping[str, str], token: str) -> TimedTransaction:
    """The transaction that writes the files of a network configuration, {path: text} in `after`, and applies them."""
    changed = [file for path, file in configuration().items() if after.get(path, "") != before.get(path, "")]
    return TimedTransaction(
        why=why,
        files=tuple(FileWrite(one.path, before.get(one.path) or None, after[one.path], one.mode, one.validate) for one in changed),
        actions=tuple(dict.fromkeys(action for one in changed for action in one.actions)),
        units=tuple(dict.fromkeys(unit for one in changed for unit in one.units)),
        saved=tuple(dict.fromkeys(name for one in changed for name in one.saved)),
        absent=(INTERFACES_STAGED,),
        token=token,
    )
