"""One file of a host's network configuration as data. A platform of another package adds files of its own."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tasks.core.model.fact import Fact
from tasks.core.model.operation import Action, Unit


@dataclass(frozen=True)
class ConfigurationFile:
    """A file in its own language, and how it is read, changed, checked and applied.

    Attributes:
    fact: reads the file.
    merge: (text, part of a candidate) -> text with that part as in the candidate, and everything else unchanged.
    impact: (old text, new text, all present files by path) -> a sentence for each consequence for traffic.
    validate: the command that checks a new file; {candidate} stands for its path.
    actions: the commands that apply the file.
    units: the units that have to run once it is applied.
    saved: live values that applying it may change.
    """

    path: str
    fact: Fact[str]
    merge: Callable[[str, str], str]
    impact: Callable[[str, str, Mapping[str, str]], Iterable[str]]
    mode: int = 0o644
    validate: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    units: tuple[Unit, ...] = ()
    saved: tuple[str, ...] = ()
