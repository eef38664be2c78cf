"""A parser of storage.cfg as Proxmox's (pve-common, PVE::SectionConfig::parse_config; pve-storage, PVE::Storage::Plugin)."""

import re
from collections.abc import Mapping

from tasks.core.model.errors import BurrowError
from tasks.platforms.text_lines import bare_lines

STORAGE_CFG = "/etc/pve/storage.cfg"
HEADER = re.compile(r"(\S+):\s*(\S+)\s*", re.ASCII)
PROPERTY = re.compile(r"\s+(\S+)(?:\s+(.*\S))?\s*", re.ASCII)
COMMENT = re.compile(r"\s*#", re.ASCII)
# pve-common, PVE::JSONSchema::parse_id.
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]")
# Properties that have no meaning without a value. Any other one is a switch, which is on.
TEXTS = ("server", "export", "pool", "namespace", "monhost")
LOCAL = {"type": "dir", "path": "/var/lib/vz"}

Storage = dict[str, str]


def storages(text: str) -> Mapping[str, Mapping[str, str]]:
    """{name: {"type": ..., property: value}}. An empty line ends a storage; of two with one name, the last one counts.

    Raises BurrowError on a line that Proxmox would skip with a warning in its log, because somebody meant something by it.
    """
    found: dict[str, Storage] = {}
    storage: Storage | None = None
    for number, line in enumerate(bare_lines(text), 1):
        if not line:
            storage = None
        elif COMMENT.match(line) or not line.strip():
            continue
        elif storage is None:
            name, storage = _headed(number, line)
            found[name] = storage
        else:
            _set(storage, number, line)
    return _with_local(found)


def _headed(number: int, line: str) -> tuple[str, Storage]:
    header = HEADER.fullmatch(line)
    if not header or not NAME.fullmatch(header[2]):
        raise _fault(number, line, "`TYPE: NAME`")
    return header[2], {"type": header[1].lower()}


def _set(storage: Storage, number: int, line: str) -> None:
    entry = PROPERTY.fullmatch(line)
    if not entry:
        raise _fault(number, line, "an empty line or an indented property")
    key, value = entry.groups()
    if value is None and key in TEXTS:
        raise _fault(number, line, f"`{key} VALUE`")
    value = value or "1"
    if storage.setdefault(key, value) != value:
        raise _fault(number, line, f"one `{key}`, which is `{storage[key]}` already")


def _with_local(found: dict[str, Storage]) -> dict[str, Storage]:
    """Proxmox's own storage `local` is a folder of the node, whatever the file says."""
    local = found.get("local")
    if local and (local["type"] != "dir" or local.get("path", LOCAL["path"]) != LOCAL["path"]):
        found["local"] = dict(LOCAL)
    return found


def _fault(number: int, line: str, wanted: str) -> BurrowError:
    shown = line.strip(" \t").replace("\r", "\\r")
    return BurrowError(f"{STORAGE_CFG}, line {number}: wanted {wanted}, found `{shown}`: correct it, then run again")
