"""What keeps a candidate for FRR's files from being loaded or committed: its reload deletes what runs and no file holds."""

from collections.abc import Callable, Mapping
from typing import Any

from tasks.platforms.frr.files import FRR_CONF, FRR_DAEMONS
from tasks.platforms.frr.running import NO_ANSWER, READ_LAYOUT, READ_RUNNING, split_files, unsaved


def reload_problems(read: Callable[[list[str]], Any], before: Mapping[str, str], after: Mapping[str, str], sent: str) -> list[str]:
    """The reasons, as FRR is now; none where the candidate leaves FRR's files as they are. `sent` is what the author wrote of frr.conf."""
    if all(after.get(path, "") == before.get(path, "") for path in (FRR_CONF, FRR_DAEMONS)):
        return []
    answers = read([READ_LAYOUT, READ_RUNNING])
    if answers[READ_RUNNING]["rc"]:
        return [f"FRR runs, but {NO_ANSWER}"]
    running = answers[READ_RUNNING]["out"]
    found = (
        split_files(answers[READ_LAYOUT]["out"]),
        unsaved(running, before.get(FRR_CONF, ""), after.get(FRR_CONF, ""), sent).refusal,
    )
    return [reason for reason in found if reason]
