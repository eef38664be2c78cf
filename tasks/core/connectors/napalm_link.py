"""The link to a device through NAPALM: its driver's candidate, and its commit timer."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nornir.core.task import Result, Task

from tasks.core.agent.process import called
from tasks.core.connectors import answer
from tasks.core.connectors.agent_session import Owner
from tasks.core.connectors.connection import disconnect
from tasks.core.connectors.host_agent import expect
from tasks.core.connectors.napalm_connection import device
from tasks.core.model.errors import LinkError, Refused, TransactionError
from tasks.core.model.fact import Fact, HostFacts, Reading
from tasks.core.model.operation import TimedTransaction
from tasks.core.model.plan import TargetPlan
from tasks.platforms.candidate import split
from tasks.platforms.configuration import configuration

# Commit timers of NAPALM's drivers: granularity and minimum in seconds. IOS rounds down to minutes.
TIMERS = {"ifupdown2": (1, 1), "eos": (1, 1), "ios": (60, 60), "junos": (60, 60)}


class NapalmLink:
    """Devices with a NAPALM driver, through nornir-napalm's tasks."""

    performs: tuple[type, ...] = ()

    def __init__(self, task: Task, owner: Owner) -> None:
        self.task, self.owner = task, owner

    @staticmethod
    def effective_revert_s(platform: str, wanted_s: int) -> int:
        """Rounded up to the platform's granularity. Raises Refused where it has no timer."""
        if platform not in TIMERS:
            raise Refused(f"platform {platform} has no commit timer in NAPALM, so it cannot take part in a change set")
        unit_s, least_s = TIMERS[platform]
        return max(least_s, math.ceil(wanted_s / unit_s) * unit_s)

    def _run(self, work: Callable[..., Result], **arguments: Any) -> Result:
        with _ours(self.task.host.name):
            return work(self.task, **arguments)

    def _device(self, token: str | None = None) -> Any:
        """The open device; with a token, one opened for that transaction."""
        host = self.task.host
        extras = host.connection_options["napalm"].extras or {}
        arguments = extras["optional_args"]
        wanted = {"run": self.owner.run, "holder": self.owner.holder, **({"token": token} if token else {})}
        if any(arguments.get(key) != value for key, value in wanted.items()):
            arguments.update(wanted)
            disconnect(self.task)
        with _ours(host.name):
            return device(host, self.task.nornir.config)

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """Read the configuration by its getter, all else by the driver's `cli`."""
        from nornir_napalm.plugins.tasks import napalm_cli  # noqa: PLC0415 (NAPALM takes a second to import)

        self._device()
        readings = {}
        files = {path: file.fact for path, file in configuration().items() if file.fact in facts}
        if files:
            running = self._running()
            readings = {fact.name: Reading(0, running.get(path, "")) for path, fact in files.items()}
        commands = {fact.name: fact.command for fact in facts if fact not in files.values()}
        if commands:
            output = self._run(napalm_cli, commands=list(commands.values())).result
            answers = answer.texts(self.task.host.name, commands.values(), output)
            readings |= {name: Reading(0, answers[command]) for name, command in commands.items()}
        return HostFacts(self.task.host.name, readings)

    def _running(self) -> dict[str, str]:
        """The present network configuration, by file."""
        from nornir_napalm.plugins.tasks import napalm_get  # noqa: PLC0415

        getters = self._run(napalm_get, getters=["config"], getters_options={"config": {"retrieve": "running"}}).result
        config = answer.mapping(self.task.host.name, "the getter `config`", getters).get("config")
        return split(answer.texts(self.task.host.name, ["running"], config)["running"])

    def prepare(self, plan: TargetPlan) -> None:
        """Refuse what NAPALM cannot apply; lock the device where its driver can before the candidate is loaded."""
        transaction = plan.transaction or TimedTransaction("nothing")
        self.effective_revert_s(self.task.host.platform or "", 1)
        others = [file.path for file in transaction.files if file.path not in configuration()]
        own = {step for file in configuration().values() for step in (*file.actions, *file.units)}
        others += [called(list(action.argv)) for action in transaction.actions if action not in own]
        others += [*transaction.sysctls, *(unit.name for unit in transaction.units if unit not in own)]
        if others or plan.packages:
            raise Refused(
                f"{plan.host}: the NAPALM link can only change the network configuration, not {', '.join([*others, *plan.packages])}"
            )
        device = self._device(transaction.token)
        if hasattr(device, "host_agent"):
            with _ours(plan.host):
                device.host_agent.lock()

    def begin(self, plan: TargetPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:
        """Load the candidate and commit it with a timer."""
        from nornir_napalm.plugins.tasks import napalm_configure  # noqa: PLC0415

        assert plan.transaction is not None
        device = self._device(plan.transaction.token)
        device.timeout = deadline_s
        running = self._running()
        if any(running.get(file.path, "") != (file.before or "") for file in plan.transaction.files):
            raise Refused(f"{plan.host}: its configuration was changed since it was read; run again to see the new difference")
        platform = self.task.host.platform or ""
        message = plan.transaction.why if platform not in ("eos", "ios") else None  # these raise NotImplementedError on any message
        self._run(
            napalm_configure,
            configuration=plan.candidate,
            replace=False,
            commit_message=message,
            revert_in=self.effective_revert_s(platform, revert_s),
        )
        on_event("armed")

    def outcome(self, plan: TargetPlan) -> dict[str, Any]:
        """The state of the transaction; a driver without its own record knows only whether a commit is pending."""
        device = self._device(plan.token)
        with _ours(self.task.host.name):
            if hasattr(device, "host_agent"):
                return answer.outcome(plan.host, device.host_agent.outcome(plan.token))
            pending = device.has_pending_commit()
            if not isinstance(pending, bool):
                raise answer.odd(plan.host, "whether a commit is pending", pending)
            return {"state": "applied" if pending else "unknown", "reason": "no commit is pending"}

    def confirm(self, plan: TargetPlan) -> None:
        """Confirm the transaction."""
        from nornir_napalm.plugins.tasks import napalm_confirm_commit  # noqa: PLC0415

        self._device(plan.token)
        if not self._run(napalm_confirm_commit).changed:
            expect("confirmed", plan.host, self.outcome(plan))

    def revert(self, plan: TargetPlan, reason: str) -> None:  # noqa: ARG002 (NAPALM's rollback takes no reason)
        """Revert the transaction."""
        from nornir_napalm.plugins.tasks import napalm_rollback  # noqa: PLC0415

        # Without a pending commit NAPALM would roll back the one before, which may be another operator's.
        kept = self.outcome(plan)
        if kept["state"] == "confirmed":
            raise TransactionError(f"{plan.host}: it is confirmed and cannot be reverted")
        if kept["state"] in ("armed", "applying", "applied", "reverting"):
            self._run(napalm_rollback)
            kept = self.outcome(plan)
        if kept["state"] != "unknown":
            expect("reverted", plan.host, kept)

    def release(self) -> None:
        """Release the lease, where the driver has one."""
        device = self._device()
        if hasattr(device, "host_agent"):
            with _ours(self.task.host.name):
                device.host_agent.release()


@contextmanager
def _ours(host: str) -> Iterator[None]:
    """Turn NAPALM's exceptions into the suite's."""
    from napalm.base.exceptions import (  # noqa: PLC0415
        CommitError,
        ConnectionException,
        LockError,
        MergeConfigException,
        NapalmException,
        ReplaceConfigException,
    )

    try:
        yield
    except (LockError, MergeConfigException, ReplaceConfigException) as error:
        raise Refused(str(error)) from error
    except CommitError as error:
        raise TransactionError(str(error)) from error
    except ConnectionException as error:
        raise LinkError(str(error)) from error
    except NapalmException as error:
        raise TransactionError(f"{host}: {error}") from error
    except NotImplementedError as error:
        raise Refused(f"{host}: its NAPALM driver has no such method; it cannot take part in a timed change") from error
