"""The lab's exception."""


class LabError(Exception):
    """The message says what was wanted, what was found, and what to do."""
