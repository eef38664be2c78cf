"""Validates the shape of every answer of a host, once, before it is used. Pure.

Every function raises BadAnswer, which names the host, where the shape is unexpected.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.core.agent.secrets import last, redact
from tasks.core.model.errors import BadAnswer
from tasks.core.model.fact import Reading
from tasks.core.model.operation import Progress

# How much of an answer that cannot be understood is shown.
SHOWN_CHARACTERS = 120


def odd(host: str, wanted: str, found: object) -> BadAnswer:
    """The error, with what was wanted and what was found."""
    shown = repr(found)
    shown = shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}..."
    return BadAnswer(f"{host}: its answer cannot be understood: wanted {wanted}, found {shown}")


def mapping(host: str, wanted: str, found: object) -> Mapping[str, Any]:
    """The answer, a JSON object."""
    if not isinstance(found, Mapping):
        raise odd(host, wanted, found)
    return found


def outcome(host: str, found: object) -> dict[str, Any]:
    """The state of a transaction on a host: `state` and `reason` are texts, `troubles` and `deferred` lists of texts."""
    wanted = "an outcome with a state and a reason"
    kept = mapping(host, wanted, found)
    state, reason = kept.get("state"), kept.get("reason") or ""
    lists = {name: kept.get(name) or [] for name in ("troubles", "deferred")}
    texts = all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists.values())
    if not isinstance(state, str) or not isinstance(reason, str) or not texts:
        raise odd(host, wanted, found)
    return {**kept, "state": state, "reason": redact(reason), **{name: [redact(text) for text in one] for name, one in lists.items()}}


def reverting(kept: Mapping[str, Any]) -> str:
    """The state of a host that has not restored everything yet, as the rest of a sentence."""
    reason, troubles = kept.get("reason") or "", kept.get("troubles") or ()
    why = "; ".join([*([reason] if reason else []), *(one for one in troubles if one not in reason)])
    return f"is reverting: {why or 'no reason given'}; it keeps trying"


def readings(host: str, names: Iterable[str], found: object) -> dict[str, Reading]:
    """{fact: its reading}. A missing or malformed reading counts as failed, which concerns only what needs that fact."""
    facts = mapping(host, "readings by the names of facts", mapping(host, "an object with facts", found).get("facts"))
    return {name: _reading(facts.get(name)) for name in names}


def _reading(found: object) -> Reading:
    one = found if isinstance(found, Mapping) else {}
    code, out, err = one.get("rc"), one.get("out"), one.get("err", "")
    if isinstance(code, int) and isinstance(out, str) and isinstance(err, str):
        return Reading(code, out, err)
    return Reading(-1, "", "the host's answer cannot be understood")


def progress(host: str, command: str, found: object) -> Progress:
    """The progress of a command, from the host agent's answer.

    `pvecm create`, `pvecm add` and `pveceph pool` end with 0 even if their task failed. Standard error then has the task's last line, and
    standard output all that it reported before (pve-common, PVE::RESTEnvironment::fork_worker). Both are kept for when the checks fail.
    """
    wanted = "the state of a command"
    now = mapping(host, wanted, found)
    state, code, out, err = now.get("state"), now.get("rc"), now.get("out", ""), now.get("err", "")
    known = state in {"absent", "running", "lost"} or (state == "ended" and isinstance(code, int))
    if not isinstance(state, str) or not known or not isinstance(out, str) or not isinstance(err, str):
        raise odd(host, wanted, found)
    words = _last_words(out, err)
    if state == "lost":
        why = f"{host}: `{command}` has no exit code: it was killed after its time, or the host restarted: {words or 'it printed nothing'}"
        return Progress("ended", error=why)
    if code:
        return Progress("ended", error=f"{host}: `{command}` ended with {code}: {words or 'it printed nothing'}")
    line = (out or err).strip().rpartition("\n")[2]
    return Progress(state, line=line, reported=words if state == "ended" and err.strip() else "")


def _last_words(out: str, err: str) -> str:
    """The end of both outputs, each in one line."""
    ends = (last("\n".join(line.strip() for line in text.splitlines() if line.strip()), 600) for text in (out, err))
    return " / ".join(line for end in ends for line in end.splitlines())


def texts(host: str, names: Iterable[str], found: object) -> dict[str, str]:
    """{name: text} from a device that answers with an object of texts."""
    answers = mapping(host, "texts by their names", found)
    wanted = {name: answers.get(name) for name in names}
    if bad := [name for name, text in wanted.items() if not isinstance(text, str)]:
        raise odd(host, f"a text of {bad[0]!r}", answers.get(bad[0]))
    return {name: str(text) for name, text in wanted.items()}
