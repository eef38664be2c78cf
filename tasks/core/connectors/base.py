"""Links to hosts, as nornir tasks: the same verbs for a host over SSH, a device through NAPALM and a device with an API.

A link raises LinkError (not reached), Refused (nothing touched) and TransactionError (the host did not keep the change).
"""

import errno
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from nornir.core.task import Result, Task

from inventory.models import LinkKind
from inventory.site import Host
from tasks.core.connectors.agent_session import Owner
from tasks.core.connectors.api import ApiLink
from tasks.core.connectors.connection import NAMES, alone, disconnect
from tasks.core.connectors.host_agent import SshLink
from tasks.core.connectors.napalm_link import NapalmLink
from tasks.core.connectors.open_files import too_many
from tasks.core.model.errors import BadAnswer, BurrowError, Deadline, LinkError, Refused
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.plan import HostPlan


class Link(Protocol):
    """The verbs that the engine uses on every host. A verb that a link does not have is refused."""

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """Read all facts, in as few round trips as the link allows."""

    def prepare(self, plan: HostPlan) -> None:
        """Take the lease and install packages; not undone."""

    def begin(self, plan: HostPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Arm the timer and apply."""

    def outcome(self, plan: HostPlan) -> dict[str, Any]:
        """The state of the transaction on the host."""

    def confirm(self, plan: HostPlan) -> None:
        """Confirm the transaction."""

    def revert(self, plan: HostPlan, reason: str) -> None:
        """Revert the transaction."""

    def release(self) -> None:
        """Release the lease."""


class Serviceable(Link, Protocol):
    """A link to a host that can be in maintenance."""

    def renew(self, plan: HostPlan) -> None:
        """Restart its timer."""

    def reboot(self) -> None:
        """Reboot the host, a moment from now."""


def link(task: Task, owner: Owner) -> Link:
    """The link that the inventory gives the task's host."""
    intent: Host = task.host["intent"]
    links: dict[LinkKind, Callable[[Task, Owner], Link]] = {LinkKind.NAPALM: NapalmLink, LinkKind.API: ApiLink}
    return links.get(intent.link, SshLink)(task, owner)


def step(task: Task, owner: Owner, verb: str, **arguments: Any) -> Result:
    """One step on one host: a verb of its link; the result is the verb's answer.

    An error that is understood is in a failed result. Nornir would format its traceback, which helps nobody, and which costs the most where
    many hosts are unreachable. Raises only BadAnswer.
    """
    with alone(task):
        try:
            return Result(host=task.host, result=_repeated(task, owner, verb, arguments))
        except BadAnswer:
            raise
        except BurrowError as error:
            return Result(host=task.host, result=str(error), exception=error, failed=True)


def _repeated(task: Task, owner: Owner, verb: str, arguments: Mapping[str, Any]) -> Any:
    """The verb's answer. It is asked once more where the connection was an old one."""
    stale = bool(set(NAMES) & set(task.host.connections))
    try:
        return _asked(task, owner, verb, arguments)
    except LinkError as error:
        disconnect(task)
        # A path that was cut broke the old connection. Every verb except `begin` can safely be repeated.
        if not stale or verb == "begin" or isinstance(error, Deadline):
            raise
    return _asked(task, owner, verb, arguments)


def _verb(task: Task, owner: Owner, verb: str) -> Callable[..., Any]:
    """The method of the host's link. Raises Refused where the link has none."""
    of = link(task, owner)
    if not hasattr(of, verb):
        raise Refused(f"{task.host.name}: its link ({task.host['intent'].link}) cannot {verb}")
    return cast("Callable[..., Any]", getattr(of, verb))


def _asked(task: Task, owner: Owner, verb: str, arguments: Mapping[str, Any]) -> Any:
    """The verb's answer. Any unexpected exception fails this host alone, as a BadAnswer: what the host did is unknown."""
    host = task.host.name
    try:
        if verb == "read":
            facts = (fact.on(task.host["site"], host) for fact in arguments["facts"])
            arguments = {"facts": tuple(fact for fact in facts if fact.command)}
        return _verb(task, owner, verb)(**arguments)
    except LinkError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            raise too_many(host) from error
        raise
    except (BurrowError, KeyboardInterrupt):
        raise
    except OSError as error:
        raise (too_many(host) if error.errno in (errno.EMFILE, errno.ENFILE) else LinkError(f"{host}: {error}")) from error
    except BaseException as error:  # a driver may even raise SystemExit
        raise BadAnswer(f"{host}: `{verb}` failed in a way that is not understood: {type(error).__name__}: {error}") from error
