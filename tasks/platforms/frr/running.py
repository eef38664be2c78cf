"""What running FRR has that no file of its own holds: a reload deletes it without a word (FRR: tools/frr-reload.py)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.core.agent.secrets import redact
from tasks.platforms.frr.files import FRR_CONF
from tasks.platforms.frr.form import Statement, beyond, context_form, normal_form, statement_form
from tasks.platforms.frr.frr_file import FrrFile, Path, key_of

# What a reload leaves alone, FRR says of itself, or is the kernel's own value (frr-reload.py, ignore_unconfigurable_lines; zebra).
NOT_LOST = re.compile(
    r"(frr (version|defaults)|hostname|line vty|(no )?service integrated-vtysh-config|username|password|agentx|Building configuration"
    r"|Current configuration|end|(no )?(ip|ipv6) forwarding)\b"
)
VTYSH_CONF = "/etc/frr/vtysh.conf"
# Whether each daemon has a file of its own: by FRR's word, or because there is no common one (lib/vty.c, vty_read_config).
READ_LAYOUT = (
    f"grep -Es '^[[:space:]]*no[[:space:]]+service[[:space:]]+integrated' {VTYSH_CONF};"
    f" [ -e {FRR_CONF} ] || ls /etc/frr/*.conf 2>/dev/null; true"
)
# A stopped FRR leaves its sockets and process ids behind, so a daemon counts while its process is there.
READ_RUNNING = (
    "alive=; for file in /run/frr/*.pid; do"
    ' [ ! -e "$file" ] || [ ! -d "/proc/$(cat "$file")" ] || alive=yes;'
    " done; [ -z \"$alive\" ] || vtysh -c 'show running-config'"
)
NO_WORD = "`vtysh -c 'show running-config'` does not say what: a reload could delete what no file holds; mend FRR there, then run again"
KEEP = "keep it with `vtysh -c 'write memory'`, or take it out with `vtysh`; then run again"


def split_files(layout: str) -> str:
    """The reason for a refusal where FRR's configuration is split over its daemons' files; empty where frr.conf is all of it."""
    lines = [line.strip() for line in layout.splitlines() if line.strip()]
    paths = [line for line in lines if re.fullmatch(r"/\S*/(zebra|[a-z0-9]+d)\.conf", line)]
    if any(not line.startswith("/") for line in lines):
        found = f"{VTYSH_CONF} says `no service integrated-vtysh-config`"
    elif paths:
        found = f"there is no {FRR_CONF}, and {', '.join(paths)} hold FRR's configuration"
    else:
        return ""
    return (
        f"{found}: each daemon of FRR has a file of its own, and a reload from {FRR_CONF} would delete what these hold;"
        f" say `service integrated-vtysh-config` in {VTYSH_CONF}, write {FRR_CONF} with `vtysh -w`, then run again"
    )


@dataclass(frozen=True)
class Unsaved:
    """Statements that FRR runs and that its file holds neither now nor after a change, each with its context and without keys.

    A reload deletes all of them: what is `lost` nobody asked for, what is `mended` the candidate itself names.
    """

    lost: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()

    @property
    def refusal(self) -> str:
        """The reason for a refusal, naming each statement; empty where nothing would be lost."""
        named = ", ".join(f"`{one}`" for one in self.lost)
        return f"FRR runs what {FRR_CONF} does not hold, and its reload would delete it: {named}; {KEEP}" if named else ""

    @property
    def impact(self) -> tuple[str, ...]:
        """A sentence for each statement that goes because the candidate puts it right."""
        return tuple(f"FRR runs `{one}`, which {FRR_CONF} does not hold: it goes" for one in self.mended)


def unsaved(running: str, before: str, after: str, candidate: str) -> Unsaved:
    """What a reload from `after` deletes beyond the difference between the two files.

    A candidate mends what it says something else in place of, and what stands in a context that it takes away.
    """
    held = normal_form(before) | normal_form(after)
    gone = {one for one in beyond(normal_form(running), held) if not NOT_LOST.match(one[0][0] if one[0] else one[1])}
    lines = [line for line in FrrFile(candidate).lines if line.key]
    said = {_key(*statement_form(context_form(line.path), " ".join(line.words))) for line in lines}
    taken = {(*context_form(line.path), line.key) for line in lines if line.words[0] == "no"}
    mended = {one for one in gone if _key(*one) in said or any(one[0][:depth] in taken for depth in range(1, len(one[0]) + 1))}
    return Unsaved(_shown(gone - mended), _shown(mended))


def _key(path: Path, words: str) -> tuple[Path, str]:
    return path, key_of(tuple(words.split()))


def _shown(statements: Iterable[Statement]) -> tuple[str, ...]:
    return tuple(redact(" / ".join((*path, words))) for path, words in sorted(statements))
