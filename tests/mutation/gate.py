"""The mutation gate: do the unit tests see small mistakes in what is sent to hosts, and in what the engine decides?

    python tests/mutation/gate.py [--draw N] [--seed S] [--all] [--only PATTERN]

It draws mutants, spread over the files, and tries each one out (trials.py). At most 5 % of the drawn ones may live. One that no test can
see, because it does the same, is listed in equivalent.yaml with the reason. The seed is the commit's, so each commit draws others; a run
is repeated with the seed that it prints. --only takes those whose `FILE FUNCTION` has the pattern (fnmatch).
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from fnmatch import fnmatchcase
from itertools import zip_longest
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from mutants import Mutant
from places import ENGINE, STEPS, all_mutants
from trials import ROOT, Trial, start, try_out

EQUIVALENT = Path(__file__).with_name("equivalent.yaml")
DRAW = 150
MOST_PERCENT = 5
WORKERS = 2
# Mistakes that must be seen, or the trials are worth nothing: another file, and a set that failed and is not said to have.
KNOWN_BAD = {STEPS: ("tasks/host/base/change.py", "HostName.steps"), ENGINE: ("tasks/core/model/outcome.py", "Outcome.failed")}


def key(mutant: Mutant) -> tuple[str, str, str, str]:
    """What a mutant is known by, wherever its line has moved to."""
    return mutant.file, mutant.function, mutant.was, mutant.now


def listed() -> dict[tuple[str, str, str, str], str]:
    """{mutant: why no test can see it}."""
    rows = yaml.safe_load(EQUIVALENT.read_text()) or []
    return {(row["file"], row["function"], row["old"], row["new"]): row["why"] for row in rows}


def in_turn(lists: Iterable[Sequence[Mutant]]) -> Iterator[Mutant]:
    """The first of each list, then the second of each."""
    return (one for row in zip_longest(*lists) for one in row if one is not None)


def drawn(mutants: Sequence[Mutant], seed: int) -> list[Mutant]:
    """All of them in the order in which they are drawn: file after file, and in a file function after function."""
    order = random.Random(seed)
    functions: dict[tuple[str, str], list[Mutant]] = {}
    for one in order.sample(mutants, len(mutants)):
        functions.setdefault((one.file, one.function), []).append(one)
    files: dict[str, list[list[Mutant]]] = {}
    for (file, _), found in functions.items():
        files.setdefault(file, []).append(found)
    return list(in_turn([list(in_turn(found)) for found in files.values()]))


def commit_seed() -> int:
    """The commit's own."""
    said = subprocess.run(["git", "rev-parse", "--short=8", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return int(said[:8], 16) if said else 0


def trials(pool: ProcessPoolExecutor, mutants: dict[str, list[Mutant]], to_try: Sequence[Mutant]) -> Iterator[Trial]:
    """What became of each, as soon as it is known.

    Raises SystemExit where the tests fail without a mutant, or let one live that is known to be bad.
    """
    kinds = {(one.start, one.file): kind for kind, found in mutants.items() for one in found}
    untouched = pool.submit(try_out, None, STEPS)
    for kind, where in KNOWN_BAD.items():
        bad = next(one for one in mutants[kind] if (one.file, one.function) == where)
        if not pool.submit(try_out, bad, kind).result().caught_by:
            raise SystemExit(f"a mistake that is known to be bad is not seen: {bad}")
    for ended in as_completed([untouched, *(pool.submit(try_out, one, kinds[one.start, one.file]) for one in to_try)]):
        trial = ended.result()
        if trial.mutant:
            print(f"{'caught by ' + trial.caught_by if trial.caught_by else 'LIVES'}: {trial.mutant}", flush=True)
            yield trial
        elif trial.caught_by:
            raise SystemExit(f"without any mutant {trial.caught_by} fails; mend that first")


def told(tried: Sequence[Trial], count: int, equivalent: int, began: float) -> int:
    """Say how it went; the exit code."""
    living = [one.mutant for one in tried if not one.caught_by]
    percent = 100 * len(living) / count if count else 0
    for one in sorted(living, key=str):
        print(one)
    print(
        f"{count} drawn: {count - equivalent - len(living)} caught, {equivalent} listed as equivalent, {len(living)} live ({percent:.1f} %,"
        f" at most {MOST_PERCENT} % may); {(time.monotonic() - began) / 60:.0f} minutes"
    )
    return int(percent > MOST_PERCENT)


def main(words: Sequence[str]) -> int:
    """The exit code: 1 where too many live."""
    parser = argparse.ArgumentParser(description="Do the unit tests see small mistakes?")
    parser.add_argument("--draw", type=int, default=DRAW, help=f"how many mutants are drawn ({DRAW})")
    parser.add_argument("--seed", type=int, default=commit_seed(), help="which ones: by default the commit says")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--only", default="*", help="those whose `FILE FUNCTION` has this pattern")
    said = parser.parse_args(words)
    began, known, mutants = time.monotonic(), listed(), all_mutants(ROOT)
    chosen = [one for found in mutants.values() for one in found if fnmatchcase(f"{one.file} {one.function}", f"*{said.only}*")]
    chosen = drawn(chosen, said.seed)[: None if said.all else said.draw]
    to_try = [one for one in chosen if key(one) not in known]
    print(f"{len(chosen)} of {sum(map(len, mutants.values()))} mutants, seed {said.seed}", flush=True)
    with TemporaryDirectory(prefix="burrow-mutants-") as folder:
        pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("fork"), initializer=start, initargs=(folder,))
        try:
            tried = list(trials(pool, mutants, to_try))
        finally:
            pool.shutdown(cancel_futures=True)
    return told(tried, len(chosen), len(chosen) - len(to_try), began)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
