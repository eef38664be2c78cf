"""What must hold between the rows of an inventory: every rule in one table."""

from collections.abc import Callable, Iterator

from inventory.draft import Draft
from inventory.errors import Problem

Rule = Callable[[Draft], Iterator[Problem]]

RULES: tuple[Rule, ...] = ()
