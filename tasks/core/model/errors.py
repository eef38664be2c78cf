"""Every error of the suite, one tree; each message says which host, what was wanted, what was found, and what to do next.

BurrowError
├── Refused            nothing was touched, and why (exit 3)
├── LinkError          a host could not be reached, or did not answer in time
│   ├── Deadline       the channel was closed because its step's deadline passed
│   └── BadAnswer      its answer could not be understood, so what it did is unknown
├── TransactionError   a host did not keep the change: it reverted, or is in another state
│   └── Reverting      it has not restored everything yet, and keeps trying
└── CheckFailed        a check failed after the change, and the change was undone
"""

from tasks.core.model.shown import shown

# What a pure function raises on an answer of unexpected shape. It fails one check or one change set, never the run.
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
    """The root of all errors of the suite. Messages quote hosts, so each is shown without secrets and control characters."""

    def __str__(self) -> str:
        return shown(super().__str__())


class Refused(BurrowError):
    """Nothing was touched, and why."""


class LinkError(BurrowError):
    """A host could not be reached, or did not answer in time."""


class Deadline(LinkError):
    """The channel was closed because its step's deadline passed."""


class BadAnswer(LinkError):
    """A host's answer could not be understood."""


class TransactionError(BurrowError):
    """A host did not keep the change."""


class Reverting(TransactionError):
    """A host has not restored everything yet, and keeps trying."""


class CheckFailed(BurrowError):
    """A check failed after a change."""
