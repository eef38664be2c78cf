"""Ceph's pools: the number of copies, their hosts, their application."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.facts import CEPH, known
from tasks.storage.ceph.health_checks import TAGS, placement_groups_are_clean
from tasks.storage.ceph.osd_map import other_kind

# The types of CRUSH bucket that are a host or hold whole hosts (ceph-osd's default types).
HOST_OR_WIDER = ("host", "chassis", "rack", "row", "pdu", "pod", "room", "datacenter", "zone", "region")


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="Run the storage stage: it sets size and min_size of a replicated pool.",
    tags=TAGS,
)
def pools_keep_their_copies(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Each pool has the inventory's size and min_size, and no pool accepts writes with one copy."""
    if site.ceph is None:
        return
    pools = facts[ceph][CEPH].pools
    for name, pool in site.ceph.pools.items():
        found = pools.get(name)
        kind = other_kind(found) if found else ""
        got = f"{found['size']}/{found['min_size']}{', ' if kind else ''}{kind}" if found else "no pool"
        yield Finding(f"ceph:{name}", f"{pool.size}/{pool.min_size}", got, name)
    for name in sorted(pools.keys() - site.ceph.pools.keys()):
        least = pools[name]["min_size"]
        yield Finding(f"ceph:{name}", "min_size 2 or more", f"min_size {least}", name, least >= 2)


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.MINOR,
    remediation="Run the storage stage: it sets application and autoscaler.",
    tags=TAGS,
)
def pools_are_used_as_intended(site: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Each pool has the inventory's application and autoscaler mode."""
    if site.ceph is not None and (state := known(facts, ceph)):
        for name, pool in site.ceph.pools.items():
            if found := state.pools.get(name):
                used = ", ".join(found["application_metadata"]) or "nothing"
                want = f"for {pool.application}, autoscaler {pool.autoscale}"
                yield Finding(f"ceph:{name}", want, f"for {used}, autoscaler {found['pg_autoscale_mode']}", name)


@check(
    of=targets.CEPH,
    needs=(CEPH,),
    severity=Severity.CRITICAL,
    remediation="`ceph osd pool set POOL crush_rule RULE` with a rule that chooses hosts; Ceph then copies its objects again.",
    tags=TAGS,
)
def copies_are_on_different_hosts(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """No two copies of an object are on one host."""
    if state := known(facts, ceph):
        rules = {rule["rule_id"]: [step["type"] for step in rule["steps"] if "type" in step] for rule in state["osd crush rule dump"] or ()}
        for name, pool in state.pools.items():
            kind = next(reversed(rules.get(pool["crush_rule"], [])), "a rule that does not exist")
            yield Finding(f"ceph:{name}", "by host, or wider", f"by {kind}", name, kind in HOST_OR_WIDER)


POOL_CHECKS = (pools_keep_their_copies, pools_are_used_as_intended, placement_groups_are_clean)
CEPH_POOL_CHECKS = (*POOL_CHECKS, copies_are_on_different_hosts)
