"""The time of `bootstrap.py --help`, compared with an interpreter that does nothing."""

import statistics
import sys

from timing import median, table, wall_s

TIMES = 9


def main() -> None:
    """Print the table."""
    shown = [wall_s([sys.executable, "runbooks/bootstrap.py", "--help"]) for _ in range(TIMES)]
    bare = [wall_s([sys.executable, "-c", "pass"]) for _ in range(TIMES)]
    ratio = statistics.median(shown) / statistics.median(bare)
    table(
        [
            ["what", f"median of {TIMES} (range)"],
            ["`bootstrap.py --help`", median(shown)],
            ["`python -c pass`", median(bare)],
            ["ratio", f"{ratio:.1f}"],
        ]
    )


if __name__ == "__main__":
    main()
