# ruff: noqa: INP001 - lies where Ceph's manager looks for modules
"""A shim of the rehearsal lab: Debian 13's bcrypt cannot be loaded twice in one process, and Ceph's manager loads it for each module.

Nothing in the lab hashes a password by the manager.
"""


def hashpw(password: bytes, salt: bytes) -> bytes:
    """Raises NotImplementedError."""
    raise NotImplementedError("the rehearsal lab's manager has no bcrypt")


def gensalt() -> bytes:
    """Raises NotImplementedError."""
    raise NotImplementedError("the rehearsal lab's manager has no bcrypt")
