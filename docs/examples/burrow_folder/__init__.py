"""A platform and a link of a package of its own: an appliance whose configuration is a folder of this machine.

The folder of an appliance is ROOT/HOST. A line of its one file is a key and a value.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nornir.core.task import Task

from tasks.core.connectors.agent_session import Owner
from tasks.core.model.errors import LinkError, Refused, TransactionError
from tasks.core.model.fact import Fact, HostFacts, Reading, text
from tasks.core.model.plan import TargetPlan
from tasks.platforms.configuration_file import ConfigurationFile

SETTINGS = text("folder_settings", "/etc/settings")
# The timer takes the change back in a process of its own, which outlives the controller.
TIMER = 'echo $$ >timer; trap "kill \\$!; exit" TERM; sleep "$1" & wait $!; mv -f "$2" settings'


def rows(settings: str) -> dict[str, str]:
    """{key: value}."""
    return {key: value for key, _, value in (line.partition(" ") for line in settings.splitlines()) if key}


def merge(settings: str, part: str) -> str:
    """The settings with the rows of a candidate."""
    return "".join(f"{key} {value}\n" for key, value in {**rows(settings), **rows(part)}.items())


def impact(old: str, new: str, _: Mapping[str, str]) -> Iterator[str]:
    """A new speed interrupts the ports."""
    if rows(old).get("speed") != rows(new).get("speed"):
        yield "the ports go down and come up with the new speed"


@dataclass(frozen=True)
class FolderOs:
    """The platform: its links, its templates (FEATURE/PLATFORM.j2) and the files of its configuration."""

    links: tuple[str, ...] = ("folder",)
    templates: Path = Path(__file__).parent / "templates"
    files: tuple[ConfigurationFile, ...] = (ConfigurationFile("/etc/settings", SETTINGS, merge, impact),)


FOLDER_OS = FolderOs()


class FolderLink:
    """The link: the verbs of `tasks.core.connectors.base.Committer`. What outlasts one step is on the appliance."""

    performs: tuple[type, ...] = ()

    def __init__(self, task: Task, owner: Owner) -> None:
        self.host, self.owner = task.host.name, owner
        self.folder = Path(os.environ["FOLDER_OS"]) / self.host

    @staticmethod
    def effective_revert_s(platform: str, wanted_s: int) -> int:  # noqa: ARG004
        """`sleep` takes any number of seconds."""
        return wanted_s

    @property
    def _file(self) -> Path:
        return self.folder / "settings"

    def read(self, facts: tuple[Fact[Any], ...]) -> HostFacts:
        """The settings. What else is asked for is left out: it counts as not known."""
        if not self.folder.is_dir():
            raise LinkError(f"{self.host}: there is no {self.folder}: mount the appliance, then run again")
        return HostFacts(self.host, {fact.name: Reading(0, self._file.read_text()) for fact in facts if fact == SETTINGS})

    def prepare(self, plan: TargetPlan) -> None:
        """Take the lease, a folder that one run alone can make. Refuse what the appliance cannot do."""
        done = plan.transaction
        if plan.procedure or plan.packages or (done and (done.actions or done.units or done.sysctls)):
            raise Refused(f"{self.host}: a folder accepts only its settings")
        lease = self.folder / "lease"
        if not lease.exists():
            lease.write_text(self.owner.run)
        if lease.read_text() != self.owner.run:
            raise Refused(f"{self.host}: another run has it; run again after that")

    def begin(self, plan: TargetPlan, revert_s: int, deadline_s: float, on_event: Callable[[str], None]) -> None:  # noqa: ARG002
        """Save the old settings, arm the timer, write the new ones."""
        assert plan.transaction is not None
        (file,) = plan.transaction.files
        backup = self.folder / f"before-{plan.token}"
        backup.write_text(self._file.read_text())
        if backup.read_text() != (file.before or ""):
            backup.unlink()
            raise Refused(f"{self.host}: its settings were changed since they were read; run again")
        subprocess.run(("setsid", "-f", "sh", "-c", TIMER, "timer", str(revert_s), backup.name), cwd=self.folder, check=True)
        on_event("armed")
        self._file.write_text(file.text or "")
        (self.folder / "state").write_text(f"{plan.token} applied")

    def outcome(self, plan: TargetPlan) -> dict[str, Any]:
        """The state of the transaction: applied while its backup is there."""
        token, _, state = (self.folder / "state").read_text().partition(" ")
        if token != plan.token:
            return {"state": "unknown", "reason": "it never began"}
        backup = (self.folder / f"before-{token}").exists()
        return {"state": "reverted" if state == "applied" and not backup else state, "reason": ""}

    def confirm(self, plan: TargetPlan) -> None:
        """Keep the new settings."""
        self._end_timer()
        (self.folder / "state").write_text(f"{plan.token} confirmed")
        (self.folder / f"before-{plan.token}").unlink()

    def revert(self, plan: TargetPlan, reason: str) -> None:
        """Restore the old settings."""
        if self.outcome(plan)["state"] == "confirmed":
            raise TransactionError(f"{self.host}: it is confirmed and cannot be reverted: {reason}")
        self._end_timer()
        (self.folder / f"before-{plan.token}").replace(self._file)
        (self.folder / "state").write_text(f"{plan.token} reverted")

    def _end_timer(self) -> None:
        os.kill(int((self.folder / "timer").read_text()), signal.SIGTERM)

    def release(self) -> None:
        """Release the lease."""
        (self.folder / "lease").unlink(missing_ok=True)
