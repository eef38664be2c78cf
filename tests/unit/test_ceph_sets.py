"""How long the change sets of Ceph wait."""

from cases import case_of

from tasks.core.model.check import judge
from tasks.storage.ceph.sets import ceph


def test_set_of_a_pool_does_not_wait_for_the_next_pool() -> None:
    case = case_of("ceph_pool", "already-right")
    assert case.site.ceph is not None
    pools = {**case.site.ceph.pools, "later": case.site.ceph.pools["vm-storage"]}
    site = case.site.model_copy(update={"ceph": case.site.ceph.model_copy(update={"pools": pools})})
    (first, later) = (one for one in ceph(site) if one.name.startswith("ceph pool "))
    verdicts = judge(first.checks, site, case.facts, first.hosts)
    assert all(one.finding.ok for one in verdicts if first.concerns(one))
    assert not all(one.finding.ok for one in verdicts if later.concerns(one))
