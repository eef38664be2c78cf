"""The options of a line of authorized_keys, as sshd evaluates them (openssh, auth-options.c, sshauthopt_parse)."""

import re
from collections.abc import Iterator
from datetime import datetime

CA = "cert-authority"
# A quote after a backslash belongs to the value; any other backslash is itself.
QUOTED = r'(?:\\"|[^"\\]|\\(?!"))*'
ITEM = re.compile(rf'(?P<name>[^=",]*)(?:="(?P<value>{QUOTED})")?(?:,|\Z)')
# What `restrict` switches off, and a later word switches on again.
RESTRICTED = ("port-forwarding", "agent-forwarding", "x11-forwarding", "pty", "user-rc")
DEFAULTS = {**dict.fromkeys(RESTRICTED, True), "touch-required": True, "verify-required": False}
# Options with any value, each once a line.
ONCE = ("command", "principals", "from")
PERMIT = re.compile(r"((?:\[[^\]]*\]|[^:/]*)[:/])(\*|[A-Za-z][\w-]*|\d+)", re.ASCII)
EXPIRY = re.compile(r"(\d{8}(?:\d{4}(?:\d\d)?)?)(Z|UTC)?", re.ASCII)


def effective(options: str) -> frozenset[str] | None:
    """The options that are in effect, in one spelling each, whatever their order; None where sshd ignores the line because of them."""
    found = list(_items(options))
    names = [name for name, _ in found]
    if None in names or any(names.count(name) > 1 for name in ONCE):
        return None
    switches, restricted = dict(DEFAULTS), False
    for name, value in found:
        if name == "restrict":
            switches, restricted = {**switches, **dict.fromkeys(RESTRICTED, False)}, True
        elif name and value is None and name != CA:
            switches[name.removeprefix("no-")] = not name.startswith("no-")
    return frozenset({*_switched(switches, restricted), *_valued(found), *({CA} & set(names))})


def _items(options: str) -> Iterator[tuple[str | None, str | None]]:
    """(name in lower case, value) of each option; no name where sshd does not know the option or its value. Names ignore case."""
    place = 0
    while place < len(options):
        item = ITEM.match(options, place)
        if not item:
            yield None, None
            return
        place = item.end()
        name, value = item["name"].lower(), item["value"]
        if value is not None:
            value = _value(name, value.replace('\\"', '"'))
            yield None if value is None else name, value
        elif name:
            yield name if name in (CA, "restrict") or name.removeprefix("no-") in DEFAULTS else None, None


def _value(name: str, value: str) -> str | None:
    """A value in one spelling; None where sshd does not accept it."""
    if name in ONCE:
        return value
    if name == "environment":
        return value if re.match(r"\w+=", value, re.ASCII) else None
    if name == "tunnel":
        return value.lower() if re.fullmatch(r"any|\d+", value, re.ASCII | re.IGNORECASE) else None
    if name in ("permitopen", "permitlisten"):
        return _permitted(f"*:{value}" if name == "permitlisten" and ":" not in value else value)
    return _expiry(value) if name == "expiry-time" else None


def _permitted(value: str) -> str | None:
    found = PERMIT.fullmatch(value)
    return value if found and (not found[2].isdecimal() or 0 < int(found[2]) < 2**16) else None


def _expiry(value: str) -> str | None:
    """A time to the second, in UTC with `Z`, else in the host's zone."""
    found = EXPIRY.fullmatch(value)
    try:
        time = datetime.strptime(found[1].ljust(14, "0"), "%Y%m%d%H%M%S") if found else None  # noqa: DTZ007
    except ValueError:
        return None
    return f"{time:%Y%m%d%H%M%S}{'Z' if found[2] else ''}" if found and time else None


def _switched(switches: dict[str, bool], restricted: bool) -> Iterator[str]:
    """The switches that differ from sshd's defaults, or from what `restrict` says of them."""
    if restricted:
        yield "restrict"
    for name, on in switches.items():
        if on != (DEFAULTS[name] and not (restricted and name in RESTRICTED)):
            yield name if on else f"no-{name}"


def _valued(found: list[tuple[str | None, str | None]]) -> Iterator[str]:
    """The options with a value. The first of two variables of one name counts, the last of two tunnels, and the earliest expiry."""
    values: dict[tuple[str, str], str] = {}
    for name, value in found:
        if name is None or value is None:
            continue
        if name == "environment":
            values.setdefault((name, value.partition("=")[0]), value)
        elif name == "expiry-time":
            values[name, value[14:]] = min(value, values.get((name, value[14:]), value))
        else:
            values[name, value if name in ("permitopen", "permitlisten") else ""] = value
    for (name, _), value in values.items():
        yield '{}="{}"'.format(name, value.replace('"', '\\"'))
