"""The draft of a transaction: validates its files, and prepares all that the transaction and its revert need before anything changes."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from tasks.core.agent import deferred, disk, process
from tasks.core.agent.refusal import Refused, mount_of
from tasks.core.agent.secrets import redact
from tasks.core.agent.state import PATHS, File, Saved, Transaction, identity

# The space reserved for one more line of the record.
RECORD_LINE_BYTES = 16384
# ifupdown2's check is wrong about these: every Proxmox node has bridges without ports, a Thunderbolt link has an MTU of 65520, and a bridge
# without an MTU is reset to 1500, whatever its ports have.
FALSE_ALARMS = ('bridge-ports: invalid value "none"', "valid attribute range: 552-9216", "bridge inherits mtu from its ports")


def refuse_if_not_mounted(item: File) -> None:
    """Refuse a file whose file system is not mounted. A file below the bare mount point would keep it from being mounted again."""
    mount = item.get("mount")
    if mount and not os.path.ismount(mount):
        raise Refused(f"{item['path']} was not written: {mount} is not mounted; start the service that mounts it, then run again")


def unchanged(item: File) -> bytes | None:
    """The content of a file. Refuses a file that changed since the controller read it, whose fact is the same if it is empty or absent."""
    refuse_if_not_mounted(item)
    path = Path(item["path"])
    if path.is_file() and path.stat().st_nlink > 1:
        names = f"{path} has {path.stat().st_nlink} hard links, and replacing it would separate it from its other names"
        raise Refused(f"{names}; list them with `find / -xdev -samefile {path}`, delete all but one, and run again")
    found = disk.content(path)
    if (found or b"") != (item["before"] or "").encode(errors="surrogateescape"):
        raise Refused(f"{item['path']} was changed since it was read; run again to see the new difference")
    return found


def validate(item: File, deadline_s: float) -> None:
    """Refuse a candidate that the tool which reads it rejects. Complaints about the file as it is now do not count."""
    if item["validate"] and item["text"] is not None:
        complaints = complaints_of(item["text"], item, deadline_s)
        if complaints and item["before"] is not None:
            complaints -= complaints_of(item["before"], item, deadline_s)
        if complaints:
            raise Refused(f"{item['path']} would not be accepted: {'; '.join(map(redact, sorted(complaints)))[:900]}")


def complaints_of(text: str, item: File, deadline_s: float) -> set[str]:
    """The lines of the tool's complaints about a text. ifupdown2's exit code is 1 for a mere warning, and 0 for some errors."""
    with tempfile.TemporaryDirectory() as folder:
        candidate = Path(folder) / "candidate"
        candidate.write_text(text, errors="surrogateescape")
        code, out, err = process.run([word.replace("{candidate}", str(candidate)) for word in item["validate"]], deadline_s)
    lines = {line.replace(str(candidate), item["path"]).strip() for line in (err + out).splitlines() if line.strip()}
    serious = {line for line in lines if not any(alarm in line for alarm in FALSE_ALARMS)}
    if code:
        return serious if lines else {f"exit code {code}"}
    return {line for line in serious if "error" in line.lower()}


def back_up(request: dict[str, Any]) -> None:
    """Write the pending folder, whole and synced, before the first byte changes. Then apply and revert need no new space."""
    draft = PATHS.draft
    draft.mkdir(mode=0o700)
    for folder in (PATHS.backups, PATHS.deferred):
        disk.make_folders(folder)
    meta: Transaction = {
        **identity(request),
        "files": request["files"],
        "actions": request["actions"],
        "units": request["units"],
        "sysctls": request["sysctls"],
        "revert_s": request["revert_s"],
        "saved": [save_file(index, item, request["token"]) for index, item in enumerate(request["files"])],
        "live": {name: PATHS.sysctl(name).read_text() for name in (*request["sysctls"], *request["saved"]) if PATHS.sysctl(name).exists()},
        "boot": process.boot_id(),
        "until": process.now() + request["revert_s"],
        "armed_at": time.strftime("%F %T"),
        "owed": False,
    }
    for unit in meta["units"]:
        unit["was_enabled"] = not process.systemctl("is-enabled", unit["name"])
        unit["was_active"] = not process.systemctl("is-active", unit["name"])
    if undo := deferred.undo_of(meta):
        disk.create(draft / "owed.json", disk.encoded(undo))
        meta["owed"] = True
    for text in ("applying", "applied", "reverting", "reverting armed"):
        disk.create(draft / f"state.{text.replace(' ', '-')}", text.encode())
    disk.create(draft / "record", b"", length=(PATHS.record.stat().st_size if PATHS.record.exists() else 0) + RECORD_LINE_BYTES)
    disk.create(draft / "meta.json", disk.encoded(meta))
    disk.create(draft / "state", b"armed")
    disk.sync_folder(draft)
    disk.rename(draft, PATHS.pending)


def save_file(index: int, item: File, token: str) -> Saved:
    """Back up a file: a copy, a link to its old inode, and the new inode, prepared where a rename can put them in place."""
    path, draft = Path(item["path"]), PATHS.draft
    mount = mount_of(path)
    saved: Saved = {"path": item["path"], "mount": mount, "mode": None, "made": [str(one) for one in path.parents if not one.exists()]}
    found = unchanged(item)
    if found is not None:
        stat = path.stat()
        disk.create(draft / str(index), found)
        saved["mode"], saved["owner"] = stat.st_mode & 0o7777, [stat.st_uid, stat.st_gid]
        saved["attributes"] = disk.attributes_of(path)
    place = draft if mount == mount_of(PATHS.home) else PATHS.shelf if mount == mount_of(PATHS.shelf) else None
    disk.create(draft / f"{index}.untouched", b"")
    if place is None:  # such as /etc/pve, where only the file itself may be created
        return saved
    disk.make_folders(place)
    stem = str(index) if place is draft else str(PATHS.shelf / f"{token}-{index}")
    if found is not None:
        with contextlib.suppress(OSError):  # an immutable file cannot be linked: its copy is enough
            os.link(path, draft / f"{stem}.old")
            saved["old"] = f"{stem}.old"
    if item["text"] is not None:
        disk.create(draft / f"{stem}.new", item["text"].encode(errors="surrogateescape"), access_of(saved, item))
        saved["new"] = f"{stem}.new"
    if place is not draft:
        disk.sync_folder(place)
    return saved


def access_of(saved: Saved, item: File) -> Saved:
    """The access of the new file: that of the old file or, if there was none, the requested mode."""
    return {**saved, "mode": item["mode"]} if saved["mode"] is None else saved


def clean_up() -> None:
    """Delete what killed processes left in the state. A temporary file next to another file goes with that file's transaction."""
    for path in PATHS.home.glob(".*"):
        path.unlink()
    drop_draft()
    if PATHS.home.stat().st_mode & 0o077:
        PATHS.home.chmod(0o700)


def drop_draft() -> None:
    """Delete a draft that did not become pending."""
    if not PATHS.pending.exists():
        shutil.rmtree(PATHS.draft, ignore_errors=True)
        shutil.rmtree(PATHS.shelf, ignore_errors=True)
