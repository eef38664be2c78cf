"""Sites for drills: copies of the shipped inventory with edits, reached over the lab's SSH configuration."""

import re
import shutil
from pathlib import Path

from rehearsal import FOLDER, ROOT

# The lab's timers (nornir_config.yaml), shorter timers for drills that wait until they expire, and the default timers of a site.
LAB = {"revert_s": 24, "verify_s": 16, "apply_s": 12}
SHORT = {"revert_s": 16, "verify_s": 10, "apply_s": 8}
BY_ITSELF: dict[str, int] = {}


def variant(folder: Path, *, rehearsal: bool = True, ceph: bool = False, timers: dict[str, int] = LAB, **edits: dict[str, str]) -> str:
    """The path of a site like the lab's, with texts replaced in FILE.yaml: variant(tmp, cables={"old": "new"}).

    The site has no Proxmox cluster and no Ceph unless `ceph` is set, because they take minutes to come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in (ROOT / "inventory").glob("*.yaml"):
        shutil.copy(source, folder)
    if not ceph:
        defaults = folder / "defaults.yaml"
        defaults.write_text(re.sub(r"^ceph:\n(?: .*\n)+", "", defaults.read_text(), flags=re.MULTILINE))
    for name, changes in edits.items():
        path = folder / f"{name}.yaml"
        text = path.read_text()
        for old, new in changes.items():
            assert old in text, f"{name}.yaml has no {old!r} to replace"
            text = text.replace(old, new)
        path.write_text(text)
    settings = {"rehearsal": str(rehearsal).lower(), "ssh_config": f"{FOLDER}/ssh_config", **timers}
    (folder / "site.yaml").write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    return str(folder)
