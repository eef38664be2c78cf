"""The mutation gate: do the unit tests catch small mistakes in the steps that hosts receive, and in the engine's decisions?

    python tests/mutation/gate.py [--draw N] [--seed S] [--all] [--only PATTERN]

It draws mutants, spread over the files, and runs the unit tests on each (trials.py). At most 5 % of the drawn mutants may survive. A mutant
that no test can catch, because it does the same, is listed in equivalent.yaml with the reason. The seed comes from the commit, so each
commit draws other mutants. The gate prints its seed, with which a run can be repeated. --only selects the mutants whose `FILE FUNCTION`
matches the pattern (fnmatch).
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
# Mistakes that the tests must catch, or the trials prove nothing: a step that writes another file, and a failed set that counts as done.
KNOWN_BAD = {STEPS: ("tasks/host/base/change.py", "HostName.steps"), ENGINE: ("tasks/core/model/outcome.py", "Outcome.failed")}


def key(mutant: Mutant) -> tuple[str, str, str, str]:
    """The identity of a mutant, which does not depend on its line number."""
    return mutant.file, mutant.function, mutant.was, mutant.now


def listed() -> dict[tuple[str, str, str, str], str]:
    """{mutant: why no test can catch it}."""
    rows = yaml.safe_load(EQUIVALENT.read_text()) or []
    return {(row["file"], row["function"], row["old"], row["new"]): row["why"] for row in rows}


def interleaved(lists: Iterable[Sequence[Mutant]]) -> Iterator[Mutant]:
    """The first of each list, then the second of each, and so on."""
    return (one for row in zip_longest(*lists) for one in row if one is not None)


def drawn(mutants: Sequence[Mutant], seed: int) -> list[Mutant]:
    """All mutants in the order of the draw: one of each file in turn, and within a file one of each function in turn."""
    order = random.Random(seed)
    functions: dict[tuple[str, str], list[Mutant]] = {}
    for one in order.sample(mutants, len(mutants)):
        functions.setdefault((one.file, one.function), []).append(one)
    files: dict[str, list[list[Mutant]]] = {}
    for (file, _), found in functions.items():
        files.setdefault(file, []).append(found)
    return list(interleaved([list(interleaved(found)) for found in files.values()]))


def commit_seed() -> int:
    """The first eight digits of the commit, 0 outside a repository."""
    commit = subprocess.run(["git", "rev-parse", "--short=8", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    return int(commit[:8], 16) if commit else 0


def trials(pool: ProcessPoolExecutor, mutants: dict[str, list[Mutant]], to_try: Sequence[Mutant]) -> Iterator[Trial]:
    """The result of each trial, as soon as it ends.

    Raises SystemExit where the tests fail without a mutant, or do not catch a known bad one.
    """
    kinds = {(one.start, one.file): kind for kind, found in mutants.items() for one in found}
    untouched = pool.submit(try_out, None, STEPS)
    for kind, where in KNOWN_BAD.items():
        bad = next(one for one in mutants[kind] if (one.file, one.function) == where)
        if not pool.submit(try_out, bad, kind).result().caught_by:
            raise SystemExit(f"the tests do not catch a known bad mutant: {bad}")
    for ended in as_completed([untouched, *(pool.submit(try_out, one, kinds[one.start, one.file]) for one in to_try)]):
        trial = ended.result()
        if trial.mutant:
            print(f"{'caught by ' + trial.caught_by if trial.caught_by else 'SURVIVES'}: {trial.mutant}", flush=True)
            yield trial
        elif trial.caught_by:
            raise SystemExit(f"{trial.caught_by} fails without any mutant; fix that first")


def report(tried: Sequence[Trial], count: int, equivalent: int, began: float) -> int:
    """Print the survivors and the summary; returns the exit code."""
    survivors = [one.mutant for one in tried if not one.caught_by]
    percent = 100 * len(survivors) / count if count else 0
    for one in sorted(survivors, key=str):
        print(one)
    print(
        f"{count} drawn: {count - equivalent - len(survivors)} caught, {equivalent} listed as equivalent, {len(survivors)} survived"
        f" ({percent:.1f} %, at most {MOST_PERCENT} % may); {(time.monotonic() - began) / 60:.0f} minutes"
    )
    return int(percent > MOST_PERCENT)


def main(words: Sequence[str]) -> int:
    """Run the gate; returns the exit code: 1 where too many mutants survive."""
    parser = argparse.ArgumentParser(description="Do the unit tests catch small mistakes?")
    parser.add_argument("--draw", type=int, default=DRAW, help=f"the number of mutants ({DRAW})")
    parser.add_argument("--seed", type=int, default=commit_seed(), help="the seed of the draw; by default from the commit")
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--only", default="*", help="only mutants whose `FILE FUNCTION` matches this pattern")
    options = parser.parse_args(words)
    began, known, mutants = time.monotonic(), listed(), all_mutants(ROOT)
    chosen = [one for found in mutants.values() for one in found if fnmatchcase(f"{one.file} {one.function}", f"*{options.only}*")]
    chosen = drawn(chosen, options.seed)[: None if options.all else options.draw]
    to_try = [one for one in chosen if key(one) not in known]
    print(f"{len(chosen)} of {sum(map(len, mutants.values()))} mutants, seed {options.seed}", flush=True)
    with TemporaryDirectory(prefix="burrow-mutants-") as folder:
        pool = ProcessPoolExecutor(WORKERS, mp_context=get_context("fork"), initializer=start, initargs=(folder,))
        try:
            tried = list(trials(pool, mutants, to_try))
        finally:
            pool.shutdown(cancel_futures=True)
    return report(tried, len(chosen), len(chosen) - len(to_try), began)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
