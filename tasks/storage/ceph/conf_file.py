"""ceph.conf, as Ceph reads it."""

import re

AUTH = ("auth_cluster_required", "auth_service_required", "auth_client_required")


def ceph_setting(text: str, key: str) -> str:
    """A setting of ceph.conf, empty where it is not said. Words of a name are apart by `_`, `-` or spaces (Ceph takes all of them)."""
    lines = (re.split(r"[#;]", line)[0].partition("=") for line in text.splitlines())
    return next((value.strip().strip("\"'") for name, _, value in lines if re.sub(r"[\s_-]+", "_", name.strip()) == key), "")
