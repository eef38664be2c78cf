"""The shape of what a host answers, judged once, before anybody uses it. Pure.

Every function raises BadAnswer, which names the host, where the answer is of another shape.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from tasks.core.model.errors import BadAnswer
from tasks.core.model.fact import Reading

# So much of an answer that cannot be understood is shown.
SHOWN_CHARACTERS = 120


def odd(host: str, wanted: str, found: object) -> BadAnswer:
    """The error that says what was wanted and what was found."""
    shown = repr(found)
    shown = shown if len(shown) <= SHOWN_CHARACTERS else f"{shown[:SHOWN_CHARACTERS]}..."
    return BadAnswer(f"{host}: it answered what cannot be understood: wanted {wanted}, found {shown}")


def mapping(host: str, wanted: str, found: object) -> Mapping[str, Any]:
    """The answer, which is an object of JSON."""
    if not isinstance(found, Mapping):
        raise odd(host, wanted, found)
    return found


def outcome(host: str, found: object) -> dict[str, Any]:
    """What a host holds of a transaction: `state` and `reason` are texts, `troubles` and `deferred` lists of texts."""
    wanted = "an outcome with a state and a reason"
    kept = mapping(host, wanted, found)
    state, reason = kept.get("state"), kept.get("reason") or ""
    lists = {name: kept.get(name) or [] for name in ("troubles", "deferred")}
    texts = all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists.values())
    if not isinstance(state, str) or not isinstance(reason, str) or not texts:
        raise odd(host, wanted, found)
    return {**kept, "state": state, "reason": reason, **lists}


def reverting(kept: Mapping[str, Any]) -> str:
    """What a host says, as the rest of a sentence, that cannot restore everything yet."""
    reason, troubles = kept.get("reason") or "", kept.get("troubles") or ()
    why = "; ".join([*([reason] if reason else []), *(one for one in troubles if one not in reason)])
    return f"is reverting: {why or 'no reason given'}; it goes on by itself"


def readings(host: str, names: Iterable[str], found: object) -> dict[str, Reading]:
    """{fact: its reading}. A reading that is missing or odd is a failed one: that is the trouble of those who need it alone."""
    facts = mapping(host, "readings by the names of facts", mapping(host, "an object with facts", found).get("facts"))
    return {name: _reading(facts.get(name)) for name in names}


def _reading(found: object) -> Reading:
    one = found if isinstance(found, Mapping) else {}
    code, out, err = one.get("rc"), one.get("out"), one.get("err", "")
    if isinstance(code, int) and isinstance(out, str) and isinstance(err, str):
        return Reading(code, out, err)
    return Reading(-1, "", "the host answered what cannot be understood")


def performed(host: str, found: object) -> tuple[int, str, str]:
    """Exit code, output and standard error of a command."""
    wanted = "an exit code and two outputs"
    said = mapping(host, wanted, found)
    code, out, err = said.get("rc"), said.get("out"), said.get("err")
    if not isinstance(code, int) or not isinstance(out, str) or not isinstance(err, str):
        raise odd(host, wanted, found)
    return code, out, err


def texts(host: str, names: Iterable[str], found: object) -> dict[str, str]:
    """{name: text} of a device that answers in a mapping of texts."""
    said = mapping(host, "texts by their names", found)
    wanted = {name: said.get(name) for name in names}
    if bad := [name for name, text in wanted.items() if not isinstance(text, str)]:
        raise odd(host, f"a text of {bad[0]!r}", said.get(bad[0]))
    return {name: str(text) for name, text in wanted.items()}
