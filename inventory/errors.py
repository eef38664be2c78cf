"""What is wrong with an inventory: every problem of every file at once, each with its file and line.

InventoryError      the files cannot be a site; `problems` holds all that is wrong
  SiteError         there is no such site
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
    """One thing that is wrong: where it stands, what it is about, what was wanted, what was found, what to do next."""

    place: Place
    what: str
    wanted: str
    found: str
    remedy: str

    def __str__(self) -> str:
        return printable(f"{self.place}: {self.what}: wanted {self.wanted}, found {self.found}; {self.remedy}")


class InventoryError(Exception):
    """The files of an inventory folder cannot be a site; one line a problem.

    What is wrong with a row by itself comes before what does not fit together, each in the order of the files' names and lines.
    """

    def __init__(self, problems: Iterable[Problem], between: Iterable[Problem] = ()) -> None:
        # A group's word is each of its hosts': what is wrong with it is said once, of the first of them.
        once: dict[tuple[object, ...], Problem] = {}
        for problem in (*sorted(problems), *sorted(between)):
            once.setdefault((problem.place, problem.wanted, problem.found, problem.remedy), problem)
        self.problems = tuple(once.values())
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SiteError(InventoryError):
    """There is no site of a name; the message says which there are."""

    def __init__(self, message: str) -> None:
        super().__init__(())
        self.args = (message,)
