"""The drills that a change affects: those that ran a changed function, or a function that names the changed part."""

import importlib
import subprocess
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
from cases import ROOT

FILES = {
    "tasks/uplink/change.py": """\
        from tasks.uplink.words import SPEED
        from tasks.platforms.templates import render

        class Uplink:
            order = 1

            def steps(self):
                return render("uplink_bond", SPEED)

            def observe(self):
                return self.order
        """,
    "tasks/uplink/words.py": """\
        SPEED = FAST = 10

        def unused():
            return SPEED
        """,
    "tasks/platforms/templates.py": """\
        def render(name, *values):
            return name
        """,
    "tasks/run.py": """\
        from tasks.uplink import change

        def everything():
            return change.Uplink().steps()
        """,
    "templates/uplink_bond/ifupdown2.j2": "bond\n",
    "tests/lab/deeds.py": "def kill():\n    return 1\n",
    "tests/lab/test_kills.py": "from deeds import kill\n\ndef test_kill():\n    kill()\n",
    "lab/keeper.py": "KEEP = 1\n",
    "docs/lab.md": "The lab.\n",
}
RAN = {
    "tasks/uplink/change.py": {"Uplink.steps": ["test_bond.py"], "Uplink.observe": ["test_bond.py", "test_audit.py"]},
    "tasks/uplink/words.py": {"unused": []},
    "tasks/platforms/templates.py": {"render": ["test_bond.py", "test_nfs.py"]},
    "tasks/run.py": {"everything": ["test_audit.py"]},
}
UNITS = ("test_audit.py", "test_bond.py", "test_kills.py", "test_nfs.py", "mutation")


@pytest.fixture
def since(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / "tests" / "lab")
    module = importlib.import_module("since")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    who = ("-c", "user.name=kim", "-c", "user.email=kim@desk")
    for words in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return module


CHANGES = {
    "a method that was measured": ("tasks/uplink/change.py", "return self.order", "return -self.order", "test_audit.py test_bond.py"),
    "a comment": ("tasks/uplink/change.py", "    def observe(self):\n", "    # It is live.\n    def observe(self):\n", ""),
    "a docstring": ("tasks/uplink/change.py", "observe(self):\n", 'observe(self):\n        """Live."""\n', ""),
    "a function that no drill ran": ("tasks/uplink/words.py", "return SPEED", "return -SPEED", ""),
    "a constant": ("tasks/uplink/words.py", "10", "40", "test_bond.py"),
    "what an import binds": ("tasks/uplink/change.py", "import SPEED", "import FAST as SPEED", "test_bond.py"),
    "a field of a class": ("tasks/uplink/change.py", "order = 1", "order = 2", "test_audit.py test_bond.py"),
    "a method that is new": (
        "tasks/uplink/change.py",
        "order = 1\n",
        "order = 1\n\n    def undo(self):\n        pass\n",
        "test_audit.py test_bond.py",
    ),
    "a template": ("templates/uplink_bond/ifupdown2.j2", "bond", "bond0", "test_bond.py"),
    "a step of drills": ("tests/lab/deeds.py", "return 1", "return 2", "test_kills.py"),
    "a drill": ("tests/lab/test_kills.py", "    kill()", "    assert kill()", "test_kills.py"),
    "the lab": ("lab/keeper.py", "1", "2", "test_audit.py test_bond.py test_kills.py test_nfs.py mutation"),
    "a page": ("docs/lab.md", "lab", "labs", ""),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_selects_the_drills_that_ran_it(since: ModuleType, tmp_path: Path, name: str) -> None:
    file, was, now, wanted = CHANGES[name]
    path = tmp_path / file
    assert was in path.read_text()
    path.write_text(path.read_text().replace(was, now, 1))
    found = since.touched("HEAD", RAN, UNITS, UNITS, "mutation")
    gate = {"mutation"} if file.startswith("tasks/") and name not in ("a comment", "a docstring") else set()
    assert set(found) == {*wanted.split(), *gate}
    assert all(why.startswith((file, "tasks/uplink/change.py")) for why in found.values())


def test_an_untracked_file_counts(since: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "lab" / "new.py").write_text("NEW = 1\n")
    assert since.touched("HEAD", RAN, UNITS, UNITS, "mutation") == dict.fromkeys(UNITS, "lab/new.py")


def test_a_missing_commit_is_named(since: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"SINCE: `git diff .* nowhere --` ended with 128: fatal: bad revision 'nowhere'"):
        since.touched("nowhere", RAN, UNITS, UNITS, "mutation")


def test_measurements_are_kept_by_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "lab")
    measure = importlib.import_module("measure")
    text = textwrap.dedent(FILES["tasks/uplink/change.py"])
    lines = {line: ["test_bond.py"] for line in (1, 4, 5, 7, 10)} | {8: ["test_frr.py", "test_bond.py", ""]}
    assert measure.by_function(text, lines) == {"Uplink.steps": ["test_bond.py", "test_frr.py"], "Uplink.observe": []}


def test_a_file_of_drills_that_was_never_measured_is_touched(since: ModuleType) -> None:
    assert since.touched("HEAD", RAN, ["test_bond.py", "test_nfs.py", "test_kills.py"], UNITS, "mutation") == {
        "test_audit.py": "never measured"
    }


def test_a_part_is_kept_beside_what_the_others_ran(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "lab")
    measure = importlib.import_module("measure")
    first = measure.merged({"drills": [], "ran": {}}, {"m.py": {"f": ["test_a.py"], "gone": ["test_a.py"]}}, {"test_a.py"})
    assert first == {"drills": ["test_a.py"], "ran": {"m.py": {"f": ["test_a.py"], "gone": ["test_a.py"]}}}
    second = measure.merged(first, {"m.py": {"f": ["test_b.py"], "new": ["test_b.py"]}}, {"test_b.py"})
    assert second == {"drills": ["test_a.py", "test_b.py"], "ran": {"m.py": {"f": ["test_a.py", "test_b.py"]}}}
    again = measure.merged(second, {"m.py": {"f": []}}, {"test_a.py"})
    assert again["ran"] == {"m.py": {"f": ["test_b.py"]}}
