"""Reads /etc/pve/ceph.conf, and writes it in Proxmox's format."""

import re
from collections.abc import Mapping
from pathlib import Path

from . import cluster_fs

PATH = cluster_fs.PVE / "ceph.conf"
LINK = Path("/etc/ceph/ceph.conf")
ADMIN_KEYRING = cluster_fs.PRIVATE / "ceph.client.admin.keyring"
MON_KEYRING = cluster_fs.PRIVATE / "ceph.mon.keyring"
# The order of the sections in the file.
ORDER = ("global", "client", "mds", "mon", "osd", "mgr")

Sections = dict[str, dict[str, str]]


def read() -> Sections:
    """The sections of the file, empty if there is none."""
    sections: Sections = {}
    section: dict[str, str] = {}
    for line in PATH.read_text().splitlines() if PATH.exists() else ():
        text = re.split(r"(?<!\\)[#;]", line, maxsplit=1)[0].strip()
        if text.startswith("["):
            section = sections.setdefault(text[1:-1], {})
        elif text:
            key, _, value = text.partition("=")
            section[re.sub(r"\s+", "_", key.strip())] = value.strip()
    return sections


def write(sections: Mapping[str, Mapping[str, str]]) -> None:
    """Write the file."""
    text = ""
    for name in sorted(sections, key=_place):
        lines = "".join(f"\t{key} = {value}\n" for key, value in sorted(sections[name].items()))
        text += f"[{name}]\n{lines}\n"
    cluster_fs.write(PATH, text)


def _place(name: str) -> tuple[int, bool, str]:
    kind, _, instance = name.partition(".")
    return (ORDER.index(kind) if kind in ORDER else len(ORDER), bool(instance), name)
