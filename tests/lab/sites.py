"""Sites for drills: the shipped inventory with something changed, reached as the lab is."""

import shutil
from pathlib import Path

from rehearsal import FOLDER, ROOT


def variant(folder: Path, *, rehearsal: bool = True, **edits: dict[str, str]) -> str:
    """The name (a path) of a site like the lab's, with texts replaced in FILE.yaml: variant(tmp, cables={"old": "new"})."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in (ROOT / "inventory").glob("*.yaml"):
        shutil.copy(source, folder)
    for name, changes in edits.items():
        path = folder / f"{name}.yaml"
        text = path.read_text()
        for old, new in changes.items():
            assert old in text, f"{name}.yaml has no {old!r} to replace"
            text = text.replace(old, new)
        path.write_text(text)
    settings = f"rehearsal: {str(rehearsal).lower()}\nssh_config: {FOLDER}/ssh_config\nrevert_s: 24\nsettle_s: 16\napply_s: 12\n"
    (folder / "site.yaml").write_text(settings)
    return str(folder)
