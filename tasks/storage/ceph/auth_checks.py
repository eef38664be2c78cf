"""Access to Ceph: daemons and clients authenticate, and only root and Ceph can read the keys."""

from collections.abc import Iterator

from inventory import targets
from inventory.site import Site
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.fact import Facts
from tasks.storage.ceph.conf_file import AUTH, ceph_setting
from tasks.storage.ceph.facts import CEPH, CEPH_CONF, known
from tasks.storage.ceph.health_checks import TAGS
from tasks.storage.ceph.host_facts import CEPH_KEYS, KeyFile
from tasks.virtualization.proxmox_cluster.facts import members

OWNERS = ("root", "ceph")
# Proxmox lets its own web server read the files here (the key that may only report crashes).
OF_PROXMOX = "/etc/pve/ceph/"
RECLAIM = "auth_allow_insecure_global_id_reclaim"


@check(
    of=targets.CEPH,
    needs=(CEPH, CEPH_CONF),
    severity=Severity.CRITICAL,
    remediation="See cephx in Ceph's documentation; remove what overrides it with `ceph config rm`.",
    tags=TAGS,
)
def everybody_proves_who_they_are(_: Site, facts: Facts, ceph: str) -> Iterator[Finding]:
    """Daemons and clients authenticate with cephx, and no client can reclaim a session without proof of its global id."""
    if state := known(facts, ceph):
        rows = state["config dump"] or ()
        for name in AUTH:
            written = ceph_setting(facts[ceph][CEPH_CONF], name)
            found = [written] if written else [row["value"] for row in rows if row["name"] == name] or ["cephx"]
            yield Finding(f"ceph:{name}", "cephx", ", ".join(dict.fromkeys(found)))
        written = ceph_setting(facts[ceph][CEPH_CONF], RECLAIM)
        rows = ({"name": RECLAIM, "section": "global", "value": written},) if written else rows
        allowed = [f"{row['value']} for {row['section']}" for row in rows if row["name"] == RECLAIM and row["value"] != "false"]
        configured = any(row["name"] == RECLAIM and row["section"] in ("mon", "global") for row in rows)
        yield Finding(f"ceph:{RECLAIM}", "false", ", ".join(allowed) or ("false" if configured else "true, Ceph's default"))


@check(needs=(CEPH_KEYS,), severity=Severity.CRITICAL, remediation="`chmod o= FILE`; consider who could have read it.", tags=TAGS)
def keys_are_readable_by_root_and_ceph_alone(site: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """Only root and Ceph itself can read a key of Ceph."""
    if host in members(site):
        open_ = [f"{one.path} {one.owner}:{one.group} {one.mode:04o}" for one in facts[host][CEPH_KEYS] if _is_open(one)]
        yield Finding(f"{host}:keys", "only root and ceph", "; ".join(open_) or "only root and ceph", host)


def _is_open(key: KeyFile) -> bool:
    group = bool(key.mode & 0o070) and key.group not in OWNERS and not key.path.startswith(OF_PROXMOX)
    return key.owner not in OWNERS or bool(key.mode & 0o007) or group


AUTH_CHECKS = (everybody_proves_who_they_are, keys_are_readable_by_root_and_ceph_alone)
