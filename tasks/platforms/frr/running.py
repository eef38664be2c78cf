"""Statements that FRR runs but that are in none of its files: a reload deletes them without a message (FRR: tools/frr-reload.py)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.core.agent.secrets import redact
from tasks.platforms.frr.files import FRR_CONF
from tasks.platforms.frr.form import Statement, beyond, context_form, normal_form, statement_form
from tasks.platforms.frr.frr_file import FrrFile, Path, key_of

# Lines that a reload leaves alone, that describe FRR itself, or that are kernel values (frr-reload.py, ignore_unconfigurable_lines; zebra).
NOT_LOST = re.compile(
    r"(frr (version|defaults)|hostname|line vty|(no )?service integrated-vtysh-config|username|password|agentx|Building configuration"
    r"|Current configuration|end|(no )?(ip|ipv6) forwarding)\b"
)
VTYSH_CONF = "/etc/frr/vtysh.conf"
# Each daemon has a file of its own if vtysh.conf says so, or if there is no common file (lib/vty.c, vty_read_config).
READ_LAYOUT = (
    f"[ ! -e {VTYSH_CONF} ] || grep -E '^[[:space:]]*no[[:space:]]+service[[:space:]]+integrated' {VTYSH_CONF} || [ $? = 1 ] || exit 1;"
    f" [ -e {FRR_CONF} ] || [ ! -d /etc/frr ] || find /etc/frr -maxdepth 1 -name '*.conf'"
)
# A stopped FRR leaves its sockets and PID files behind, so only an existing process proves that a daemon runs.
READ_RUNNING = (
    "alive=; for file in /run/frr/*.pid; do"
    ' [ ! -e "$file" ] || [ ! -d "/proc/$(cat "$file")" ] || alive=yes;'
    " done; [ -z \"$alive\" ] || vtysh -c 'show running-config'"
)
NO_ANSWER = (
    "`vtysh -c 'show running-config'` shows no configuration: a reload could delete statements that are in no file;"
    " repair FRR there, then run again"
)
KEEP = "save them with `vtysh -c 'write memory'`, or remove them with `vtysh`; then run again"


def split_files(layout: str) -> str:
    """The reason for a refusal if FRR's configuration is split over its daemons' files; empty if frr.conf has all of it."""
    lines = [line.strip() for line in layout.splitlines() if line.strip()]
    paths = [line for line in lines if re.fullmatch(r"/\S*/(zebra|[a-z0-9]+d)\.conf", line)]
    if any(not line.startswith("/") for line in lines):
        found = f"{VTYSH_CONF} has `no service integrated-vtysh-config`"
    elif paths:
        found = f"there is no {FRR_CONF}, and {', '.join(paths)} contain FRR's configuration"
    else:
        return ""
    return (
        f"{found}: each daemon of FRR has a file of its own, and a reload from {FRR_CONF} would delete their configuration;"
        f" set `service integrated-vtysh-config` in {VTYSH_CONF}, write {FRR_CONF} with `vtysh -w`, then run again"
    )


@dataclass(frozen=True)
class Unsaved:
    """Statements that FRR runs and that its file has neither now nor after a change, each with its context and without keys.

    A reload deletes all of them. The candidate replaces or removes those in `corrected`; those in `lost` are unmanaged configuration.
    """

    lost: tuple[str, ...] = ()
    corrected: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """The reason for a refusal, with each statement; empty if nothing would be lost."""
        named = ", ".join(f"`{one}`" for one in self.lost)
        return f"FRR runs statements that are not in {FRR_CONF}, and its reload would delete them: {named}; {KEEP}" if named else ""

    @property
    def impact(self) -> tuple[str, ...]:
        """A sentence for each running statement that the candidate replaces or removes."""
        return tuple(f"FRR runs `{one}`, which is not in {FRR_CONF}: it is removed" for one in self.corrected)


def unsaved(running: str, before: str, after: str, candidate: str) -> Unsaved:
    """The statements that a reload from `after` deletes in addition to the difference between the two files.

    A candidate corrects a statement if it sets another value for its key, or removes the statement's context.
    """
    in_files = normal_form(before) | normal_form(after)
    gone = {one for one in beyond(normal_form(running), in_files) if not NOT_LOST.match(one[0][0] if one[0] else one[1])}
    lines = [line for line in FrrFile(candidate).lines if line.key]
    set_keys = {_key(*statement_form(context_form(line.path), " ".join(line.words))) for line in lines}
    removed = {(*context_form(line.path), line.key) for line in lines if line.words[0] == "no"}
    corrected = {one for one in gone if _key(*one) in set_keys or any(one[0][:depth] in removed for depth in range(1, len(one[0]) + 1))}
    return Unsaved(_shown(gone - corrected), _shown(corrected))


def _key(path: Path, words: str) -> tuple[Path, str]:
    return path, key_of(tuple(words.split()))


def _shown(statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(redact(" / ".join((*path, words))) for path, words in sorted(statements))
