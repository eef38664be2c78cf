"""What the host agent offers beyond NAPALM's methods: a lease over several commits, and the record of a commit."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from napalm.base.exceptions import CommitError, LockError

from tasks.core.connectors.agent_session import HostSession, Owner


class Agent:
    """The host's lease and records, for a caller that changes several hosts in one run.

    The driver has it as `host_agent`: NAPALM's own tests allow a driver no public methods besides NAPALM's.
    """

    def __init__(self, owner: Owner, session: Callable[[type[Exception]], AbstractContextManager[HostSession]]) -> None:
        self.owner, self._session = owner, session
        self.locked = False

    def lock(self) -> None:
        """Take the host's lease. Raises LockError with the holder's name if another run has it."""
        with self._session(LockError) as session:
            session.prepare(self.owner)
        self.locked = True

    def release(self) -> None:
        """Release the lease. Raises CommitError with the host's reason if it refuses."""
        with self._session(CommitError) as session:
            session.release(self.owner)
        self.locked = False

    def outcome(self, token: str) -> dict[str, Any]:
        """The host's record of the commit with this token: `state` and `reason`; the state is `unknown` if there is none."""
        with self._session(CommitError) as session:
            kept: dict[str, Any] = session.outcome(token)
        return kept
