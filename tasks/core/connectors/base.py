"""Links to hosts, as nornir tasks: the same verbs over SSH, through NAPALM, for a device with an API, and for other packages' links.

A link raises LinkError (not reached), Refused (nothing touched) and TransactionError (the host did not keep the change).
"""

import errno
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from nornir.core.task import Result, Task

from inventory import plugins
from inventory.models import LinkKind
from inventory.site import Host
from tasks.core.connectors.agent_session import Owner
from tasks.core.connectors.api import ApiLink
from tasks.core.connectors.connection import alone, disconnect
from tasks.core.connectors.host_agent import SshLink
from tasks.core.connectors.napalm_link import NapalmLink
from tasks.core.connectors.open_files import too_many
from tasks.core.model.errors import BadAnswer, BurrowError, Deadline, LinkError, Refused
from tasks.core.model.fact import Fact, HostFacts
from tasks.core.model.operation import Operation, Procedure, Progress
from tasks.core.model.plan import TargetPlan


class Link(Protocol):
    """The verbs of every link. It `performs` operations of these kinds: Command, Call. A verb that a link does not have is refused."""

    performs: tuple[type, ...]

    def __init__(self, task: Task, owner: Owner) -> None:
        """A link lasts for one step; what outlasts it is in the host's connections and its `data`."""

    @staticmethod
    def effective_revert_s(platform: str, wanted_s: int) -> int:
        """The timer that a device of this platform sets for a wanted one, in seconds: never shorter. Raises Refused where it has none."""

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """Read all facts, in as few round trips as the link allows."""

    def prepare(self, plan: TargetPlan) -> None:
        """Take the lease and install packages; not undone."""

    def release(self) -> None:
        """Release the lease."""


class Committer(Link, Protocol):
    """A link that applies transactions, which their host takes back by its own timer."""

    def begin(self, plan: TargetPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Arm the timer and apply."""

    def outcome(self, plan: TargetPlan) -> dict[str, Any]:
        """The state of the transaction on the host."""

    def confirm(self, plan: TargetPlan) -> None:
        """Confirm the transaction."""

    def revert(self, plan: TargetPlan, reason: str) -> None:
        """Revert the transaction."""


class Performer(Link, Protocol):
    """A link that performs operations: each is started, then polled. A short one may have ended when it was started."""

    def start(self, operation: Operation, do: Any, handle: str, procedure: Procedure) -> Progress:
        """Start what the operation does, or what undoes it. The handle names it on the host; the progress may have another one."""

    def poll(self, do: Any, handle: str, wait_s: float) -> Progress:
        """Its progress, once it has ended or `wait_s` have passed."""

    def finish(self, procedure: Procedure, outcome: str, reason: str) -> None:
        """Record on the host how the procedure ended: confirmed or reverted."""


class Serviceable(Committer, Protocol):
    """A link to a host that can be in maintenance."""

    def renew(self, plan: TargetPlan) -> None:
        """Restart its timer."""

    def reboot(self) -> None:
        """Reboot the host, a moment from now."""


LINKS: Mapping[str, type[Link]] = {LinkKind.SSH: SshLink, LinkKind.NAPALM: NapalmLink, LinkKind.API: ApiLink}


def link_of(host: Host) -> type[Link]:
    """The link that the inventory gives a host, also one of another package."""
    return LINKS.get(host.link) or cast("type[Link]", plugins.loaded(plugins.LINKS, host.link))


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
    stale = bool(task.host.connections)
    try:
        return _asked(task, owner, verb, arguments)
    except LinkError as error:
        disconnect(task)
        # A path that was cut broke the old connection. Every verb except these can safely be repeated.
        if not stale or verb in {"begin", "start"} or isinstance(error, Deadline):
            raise
    return _asked(task, owner, verb, arguments)


def _verb(task: Task, owner: Owner, verb: str) -> Callable[..., Any]:
    """The method of the host's link. Raises Refused where the link has none."""
    of = link_of(task.host["intent"])(task, owner)
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
