"""Reasons to refuse a candidate for FRR's files: FRR's reload would delete running statements that are in no file."""

from collections.abc import Callable, Mapping
from typing import Any

from tasks.platforms.frr.files import FRR_CONF, FRR_DAEMONS
from tasks.platforms.frr.running import NO_ANSWER, READ_LAYOUT, READ_RUNNING, split_files, unsaved


def reload_problems(read: Callable[[list[str]], Any], before: Mapping[str, str], after: Mapping[str, str], sent: str) -> list[str]:
    """The reasons, by FRR's present state; none if the candidate leaves FRR's files unchanged. `sent` is the author's text for frr.conf."""
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
