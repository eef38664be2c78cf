"""The memory of each machine: the proportional set size, summed over its processes."""

import re
from pathlib import Path


def pss_by_group(proc: Path = Path("/proc")) -> dict[int, int]:
    """Process group -> proportional set size in bytes."""
    groups: dict[int, int] = {}
    for folder in proc.glob("[0-9]*"):
        try:
            # The fields after the name in parentheses: state, parent, group.
            group = int((folder / "stat").read_text().rpartition(")")[2].split()[2])
            rollup = (folder / "smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
        if found := re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE):
            groups[group] = groups.get(group, 0) + int(found[1]) * 1024
    return groups
