"""Errors of an inventory: every problem of every file at once, each with its file and line.

InventoryError      the files do not describe a valid site; `problems` holds every problem
  SiteError         no site has that name
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from inventory.printable import printable


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file; prints as FILE:LINE, which terminals and editors open."""

    file: Path
    line: int

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}")


@dataclass(frozen=True, order=True)
class Problem:
    """One problem: its line, its subject, the wanted value, the value found, and what to do next."""

    place: Place
    what: str
    wanted: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.what}: wanted {self.wanted}, found {self.found}; {self.remedy}")


class InventoryError(Exception):
    """The files of an inventory folder do not describe a valid site. The message has one line for each problem.

    Problems of single rows (`problems`) come before problems between rows (`between`), each sorted by file name and line.
    """

    def __init__(self, problems: Iterable[Problem], between: Iterable[Problem] = ()) -> None:
        # All hosts of a group share the group's values: report a wrong value once, for the first host.
        once: dict[tuple[object, ...], Problem] = {}
        for problem in (*sorted(problems), *sorted(between)):
            once.setdefault((problem.place, problem.wanted, problem.found, problem.remedy), problem)
        self.problems = tuple(once.values())
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SiteError(InventoryError):
    """No site has that name. The message lists the sites."""

    def __init__(self, message: str) -> None:
        super().__init__(())
        self.args = (message,)
