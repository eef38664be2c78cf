"""The driver's configuration methods. NAPALM's base class documents each of them."""

import json
import secrets
import shlex
from pathlib import Path
from typing import Any

from napalm.base import models
from napalm.base.exceptions import CommitError, LockError, MergeConfigException, ReplaceConfigException

from napalm_ifupdown2.candidates import daemon_problems, problems_of
from napalm_ifupdown2.difference import difference
from napalm_ifupdown2.frr import reload_problems
from napalm_ifupdown2.getters import Getters
from tasks.core.agent.secrets import redact
from tasks.platforms.candidate import join, merge, split
from tasks.platforms.configuration import BUILT_IN, network_transaction
from tasks.platforms.frr.files import FRR_CONF, FRR_DAEMONS
from tasks.platforms.ifupdown2.files import INTERFACES
from tasks.platforms.precheck import PRESENT
from tasks.platforms.proxmox.sdn import READ_SDN, generated_by_sdn

# The timer of a commit without `revert_in`, which is also armed while it is applied. The same session confirms it.
UNATTENDED_REVERT_S = 60
PATHS = tuple(file.path for file in BUILT_IN)
READ_FILES = {f"cat {path}": path for path in PATHS}
NO_PORTS = frozenset({"bonding_masters"})  # a file beside the interfaces of /sys/class/net
BACKUP = 'cat "$(ls -d /var/lib/burrow/backups/*-{token} | tail -1)/meta.json"'


class Ifupdown2Driver(Getters):
    """NAPALM for hosts with ifupdown2. `Connection` documents `optional_args`."""

    def __init__(self, hostname: str, username: str, password: str, timeout: int = 60, optional_args: dict[str, Any] | None = None) -> None:
        super().__init__(hostname, username, password, timeout, optional_args)
        self.token: str | None = self._arguments.get("token")
        self._before: dict[str, str] = {}
        self._ports: frozenset[str] = frozenset()
        self._sdn = ""
        self._candidate: dict[str, str] | None = None
        self._sent_frr = ""

    def get_config(self, retrieve: str = "all", full: bool = False, sanitized: bool = False, format: str = "text") -> models.ConfigDict:  # noqa: A002
        """The configuration as one candidate text: running and startup are the same files."""
        del full
        if format != "text":
            raise NotImplementedError(f"format: wanted text, found {format}")
        running = join(self._running()) if retrieve in ("all", "running", "startup") else ""
        candidate = join(self._candidate) if self._candidate and retrieve in ("all", "candidate") else ""
        if sanitized:
            running, candidate = redact(running), redact(candidate)
        return {
            "running": running if retrieve in ("all", "running") else "",
            "startup": running if retrieve in ("all", "startup") else "",
            "candidate": candidate,
        }

    def load_merge_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Set the candidate's attributes, leave all others. `no ATTRIBUTE` and `no iface NAME` remove. A second load adds to the first."""
        self._load(filename, config, MergeConfigException, replace=False)

    def load_replace_candidate(self, filename: str | None = None, config: str | None = None) -> None:
        """Load the candidate as the whole new content of each file that it names."""
        self._load(filename, config, ReplaceConfigException, replace=True)

    def _load(self, filename: str | None, config: str | None, refusal: type[Exception], *, replace: bool) -> None:
        try:
            text = Path(filename).read_text(errors="surrogateescape") if filename else config or ""
            wanted = {path: part for path, part in split(text).items() if part.strip() or path == INTERFACES}
        except (ValueError, OSError) as error:
            raise refusal(redact(f"{self.hostname}: the candidate cannot be read: {error}")) from error
        if replace or self._candidate is None:
            answers = self._read([*READ_FILES, PRESENT.command, READ_SDN])
            self._before, self._ports = _files(answers), PRESENT.parse(answers[PRESENT.command]["out"]) - NO_PORTS
            self._sdn = answers[READ_SDN]["err"].strip() if answers[READ_SDN]["rc"] else generated_by_sdn(answers[READ_SDN]["out"])
            self._sent_frr = ""
        start = self._candidate or self._before
        after = {**start, **wanted} if replace else merge(start, text)
        sent_frr = self._sent_frr + wanted.get(FRR_CONF, "")
        problems = self._problems(wanted, after) or reload_problems(self._read, self._before, after, sent_frr)
        if problems:
            raise refusal(redact(f"{self.hostname}: the candidate is refused: {'; '.join(problems)}"))
        self._candidate, self._sent_frr = after, sent_frr

    def _problems(self, wanted: dict[str, str], after: dict[str, str]) -> list[str]:
        known = self._arguments.get("attributes", ())
        problems = problems_of(wanted[INTERFACES], after[INTERFACES], self._ports, self._before[INTERFACES], known)
        changed = [path for path in PATHS[1:] if after.get(path, "") != self._before.get(path, "")]
        if changed and FRR_DAEMONS not in self._before:
            problems.append("it names FRR's files, but the host has no FRR; install frr and frr-pythontools")
        elif changed and self._sdn:
            problems.append(self._sdn)
        return problems + daemon_problems(wanted.get(FRR_DAEMONS, ""), self._before.get(FRR_DAEMONS, ""))

    def compare_config(self) -> str:
        """A unified diff from the present files to the candidate; empty if nothing differs or nothing is loaded."""
        if self._candidate is None:
            return ""
        return difference(self._running(), self._candidate)

    def commit_config(self, message: str = "", revert_in: int | None = None) -> None:
        """Arm the host's timer, apply and, without `revert_in`, confirm.

        Raises CommitError with the host's reason; the host is then as before. Raises LockError if another run changes the host.
        """
        if revert_in is not None and revert_in < 1:
            raise CommitError(f"{self.hostname}: revert_in: wanted whole seconds from 1 on, found {revert_in}")
        if self._candidate is None or self._candidate == self._before:
            if self.has_pending_commit():
                raise CommitError(f"{self.hostname}: a commit is pending already; confirm it or roll it back first")
            self.discard_config()
            return
        self._commit(message or "NAPALM commit", self._arguments.get("token") or secrets.token_hex(8), revert_in)
        self.discard_config()

    def _commit(self, why: str, token: str, revert_in: int | None) -> None:
        assert self._candidate is not None
        transaction = network_transaction(why, self._before, self._candidate, token)
        was_locked = self.host_agent.locked
        self._lock_to_commit()
        earlier, self.token = self.token, token
        try:
            self._refuse_a_loss()
            with self._agent_errors() as session:
                kept = session.begin(self.host_agent.owner, transaction.request(revert_in or UNATTENDED_REVERT_S), self.timeout)
                if kept["state"] == "applied" and revert_in is None:
                    kept = session.confirm(token)
        except CommitError:
            self.token = earlier
            raise
        finally:
            # A pending transaction guards the host by itself, so a lease that was taken for the commit only ends with it.
            if not (was_locked or self._of_a_run) and self.is_alive()["is_alive"]:
                self.host_agent.release()
        if kept["state"] not in ("applied", "confirmed"):
            raise CommitError(redact(f"{self.hostname}: not committed, it is {kept['state']}: {kept['reason']}"))

    def _refuse_a_loss(self) -> None:
        """Raises CommitError if FRR's reload would delete statements in no file, which may run only since the candidate was loaded."""
        assert self._candidate is not None
        if problems := reload_problems(self._read, self._before, self._candidate, self._sent_frr):
            raise CommitError(f"{self.hostname}: not committed, nothing was changed: {'; '.join(problems)}")

    def _lock_to_commit(self) -> None:
        if self.host_agent.locked:
            return
        try:
            self.host_agent.lock()
        except LockError as error:
            if self.has_pending_commit():
                raise CommitError(str(error)) from error
            raise

    def has_pending_commit(self) -> bool:
        """Whether a commit of any session waits for its confirmation on this host."""
        return self._ask([])["pending"] is not None

    def confirm_commit(self) -> None:
        """Keep the pending commit. Raises CommitError if it belongs to another session, or was reverted meanwhile."""
        with self._agent_errors() as session:
            kept = session.confirm(self._known_token("confirm"))
        if kept["state"] != "confirmed":
            raise CommitError(redact(f"{self.hostname}: not confirmed, it is {kept['state']}: {kept['reason']}"))

    def _known_token(self, verb: str) -> str:
        if self.token is None:
            raise CommitError(
                f"{self.hostname}: nothing to {verb}: this session committed nothing. To {verb} another session's commit, pass its token"
                " as optional_args token"
            )
        return self.token

    def discard_config(self) -> None:
        """Forget the candidate."""
        self._candidate = None

    def rollback(self) -> None:
        """Undo the pending commit, else the last one of this session or token. Raises CommitError if there is none."""
        token = self._known_token("roll back")
        with self._agent_errors() as session:
            kept = session.revert(token, "rolled back")
        if kept["state"] == "confirmed":
            self._undo_confirmed(token)
        elif kept["state"] != "reverted":
            raise CommitError(redact(f"{self.hostname}: not rolled back, it is {kept['state']}: {kept['reason']}"))
        self.discard_config()

    def _undo_confirmed(self, token: str) -> None:
        """Commits the files from the host's backup, unless they were changed since."""
        backup = BACKUP.format(token=shlex.quote(token))
        answers = self._read([*READ_FILES, backup])
        if answers[backup]["rc"]:
            raise CommitError(f"{self.hostname}: its backup of that commit is gone; load the wanted text instead")
        files = {item["path"]: item for item in json.loads(answers[backup]["out"])["files"]}
        self._before = _files(answers)
        if other_files := files.keys() - set(PATHS):
            raise CommitError(f"{self.hostname}: that transaction wrote {', '.join(other_files)}: NAPALM undoes only network configuration")
        old, new = ({path: item[side] or "" for path, item in files.items()} for side in ("before", "text"))
        now = {path: self._before.get(path, "") for path in files}
        if now == old:
            return
        if changed := [path for path in files if now[path] != new[path]]:
            raise CommitError(f"{self.hostname}: {' and '.join(changed)} was changed since that commit; load the wanted text instead")
        self._candidate, self._sent_frr = {**self._before, **old}, ""
        self._commit("NAPALM rollback", secrets.token_hex(8), None)
        self.token = token

    def _running(self) -> dict[str, str]:
        return _files(self._read(list(READ_FILES)))


def _files(answers: dict[str, Any]) -> dict[str, str]:
    """{path: text}; FRR's files only if the host has them."""
    return {path: answers[command]["out"] for command, path in READ_FILES.items() if path == INTERFACES or not answers[command]["rc"]}
