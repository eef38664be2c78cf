"""The units of drills that a change affects, each with a reason.

A changed function affects the files of drills that ran it when they were last measured (measure.py). A name that was not measured, such as
a constant, a class, an import or a new function, affects the names that use it, up to measured functions (names.py). A file that is not
Python affects the names with a string of its name. What every drill uses, such as the lab, affects all.
"""

import subprocess
from collections.abc import Collection, Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from measure import ROOT, SUITE, Ran
from names import Name, Names, changed

# What a path affects, by the first matching pattern: units by name, ALL or NAMED. `*` also matches slashes.
ALL, NAMED = "all", "named"
KINDS = (
    ("tasks/core/agent/*", ALL),
    ("inventory/editors/*", ""),
    ("inventory/*.yaml", ALL),
    ("tests/lab/drills.py", ""),
    ("tests/lab/*.json", ""),
    ("tests/lab/conftest.py", ALL),
    ("tests/unit/agent_machine.py", "test_disks.py test_kills.py mutation"),
    ("tests/unit/*", "mutation"),
    ("tests/cases/*", "mutation"),
    ("tests/mutation/*", "mutation"),
    ("lab/*", ALL),
    ("pyproject.toml", ALL),
    ("requirements.lock", ALL),
    ("nornir_config.yaml", ALL),
    *((f"{folder}/*", NAMED) for folder in (*SUITE, "templates", "tests/lab")),
)
# The folder that the mutation gate mutates.
MUTATED = "tasks/"


def git(*words: str) -> str:
    """The output of git. Raises SystemExit with its error."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"SINCE: `git {' '.join(words)}` ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def changed_paths(ref: str) -> list[str]:
    """The files that differ from a commit, including untracked and deleted files."""
    known = git("diff", "--name-only", "--no-renames", ref, "--").splitlines()
    return sorted({*known, *git("ls-files", "--others", "--exclude-standard").splitlines()})


def text_at(ref: str, path: str) -> str:
    """A file's text in a commit, empty if it did not exist."""
    return git("show", f"{ref}:{path}") if git("ls-tree", "--name-only", ref, path) else ""


def text_now(path: str) -> str:
    """A file's text, empty if it does not exist."""
    return (ROOT / path).read_text() if (ROOT / path).is_file() else ""


def kind(path: str) -> str:
    """What a file affects: unit names, ALL, NAMED or nothing."""
    return next((what for pattern, what in KINDS if fnmatchcase(path, pattern)), "")


def drills_of(names: Names, start: Name, ran: Ran, files: Iterable[str]) -> set[str]:
    """The files of drills that a changed name affects."""
    found: set[str] = set()
    seen: set[Name] = set()
    ahead = [start]
    while ahead:
        path, name = ahead.pop()
        if (path, name) in seen:
            continue
        seen.add((path, name))
        if Path(path).name in files and path.startswith("tests/lab/"):
            found.add(Path(path).name)
        elif name in ran.get(path, {}):
            found.update(ran[path][name])
        else:
            ahead += names.users((path, name))
    return found


def starts(path: str, names: Names, ref: str) -> Iterator[Name]:
    """The names that a change of a file changes."""
    if path.endswith(".py") and path in names.modules:
        new = changed(text_at(ref, path), text_now(path))
        # A statement that defines no name may affect every name of its module.
        yield from ((path, name) for name in (names.modules[path].uses if "" in new else new))
    elif not path.endswith(".py"):
        here = Path(path)
        naming = list(names.with_string({here.name, here.stem, here.parent.name}))
        siblings = [(one, name) for one, module in names.modules.items() if Path(one).parent == here.parent for name in module.uses]
        yield from naming or siblings


def touched(ref: str, ran: Ran, measured: Collection[str], units: Collection[str], mutation: str) -> dict[str, str]:
    """{unit: why it is touched} of what changed since a commit. One that was never measured is always touched."""
    texts = {str(path.relative_to(ROOT)): path.read_text() for folder in (*SUITE, "tests/lab") for path in (ROOT / folder).rglob("*.py")}
    names = Names(texts)
    found = {unit: "never measured" for unit in units if unit not in (*measured, mutation)}
    for path in changed_paths(ref):
        what = kind(path)
        if what != NAMED:
            found |= {unit: path for unit in units if unit not in found and (what == ALL or unit in what.split())}
            continue
        for start in starts(path, names, ref):
            reason = f"{start[0]} {start[1]}".strip()
            drills = drills_of(names, start, ran, units)
            found |= {unit: reason for unit in sorted(drills) if unit not in found and unit in units}
            if path.startswith(MUTATED) and mutation in units:
                found.setdefault(mutation, reason)
    return found
