"""Every error of the suite, one tree; each message says which host, what was wanted, what was found, and what to do next.

BurrowError
├── Refused            nothing was touched, and why (exit 3)
├── LinkError          a host could not be reached, or did not answer in time
│   ├── Deadline       the channel was closed because its step's deadline passed
│   └── BadAnswer      it answered what cannot be understood, so it is not known what it did
├── TransactionError   a host did not keep what was asked of it: it reverted, or holds something else
│   └── Reverting      it could not restore everything yet, and goes on trying by itself
└── CheckFailed        what must be true after a change is not, and the change was undone
"""

from inventory.printable import LINES, printable

# What a pure function raises over an answer of another shape than it knows: that is the trouble of one check or set, not of the run.
UNEXPECTED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    StopIteration,
    TypeError,
    ValueError,
)


class BurrowError(Exception):
    """The root: catch it to catch all of ours. A host's own words are in many messages, so each is shown without what steers a terminal."""

    def __str__(self) -> str:
        return printable(super().__str__(), keep=LINES)


class Refused(BurrowError):
    """Nothing was touched, and why."""


class LinkError(BurrowError):
    """A host could not be reached, or did not answer in time."""


class Deadline(LinkError):
    """The channel was closed because its step's deadline passed."""


class BadAnswer(LinkError):
    """A host answered what cannot be understood."""


class TransactionError(BurrowError):
    """A host did not keep what was asked of it."""


class Reverting(TransactionError):
    """A host could not restore everything yet, and goes on trying by itself."""


class CheckFailed(BurrowError):
    """What must be true after a change is not."""
