"""What can go wrong in the lab, as one kind of error with one clear message."""


class LabError(Exception):
    """Says what was wanted, what was found, and what to do."""
