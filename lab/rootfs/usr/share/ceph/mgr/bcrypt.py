# ruff: noqa: INP001 - is in the folder where Ceph's manager looks for modules
"""A shim of the rehearsal lab. Debian 13's bcrypt cannot be loaded twice in one process, and Ceph's manager loads it for each module.

In the lab, the manager hashes no password.
"""


def hashpw(password: bytes, salt: bytes) -> bytes:
    """Raises NotImplementedError."""
    raise NotImplementedError("the rehearsal lab's manager has no bcrypt")


def gensalt() -> bytes:
    """Raises NotImplementedError."""
    raise NotImplementedError("the rehearsal lab's manager has no bcrypt")
