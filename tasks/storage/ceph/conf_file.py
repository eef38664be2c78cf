"""ceph.conf, as Ceph reads it."""

import re

from tasks.platforms.text_lines import raw_lines

AUTH = ("auth_cluster_required", "auth_service_required", "auth_client_required")


def ceph_setting(text: str, key: str) -> str:
    """A setting of ceph.conf, empty where it is not set. Ceph accepts `_`, `-` or spaces between the words of a name."""
    lines = (re.split(r"[#;]", line)[0].partition("=") for line in raw_lines(text))
    return next((value.strip().strip("\"'") for name, _, value in lines if re.sub(r"[\s_-]+", "_", name.strip()) == key), "")
