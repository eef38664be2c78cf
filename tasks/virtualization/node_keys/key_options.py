"""The options of a line of authorized_keys, as sshd evaluates them (openssh, auth-options.c, sshauthopt_parse)."""

import re
from collections.abc import Iterator

CA = "cert-authority"
# A quote after a backslash belongs to the value; any other backslash is itself.
QUOTED = r'(?:\\"|[^"\\]|\\(?!"))*'
ITEM = re.compile(rf'(?P<name>[^=",]*)(?:="(?P<value>{QUOTED})")?(?:,|\Z)')
# What `restrict` switches off, and a later word switches on again.
RESTRICTED = ("port-forwarding", "agent-forwarding", "x11-forwarding", "pty", "user-rc")
DEFAULTS = {**dict.fromkeys(RESTRICTED, True), "touch-required": True, "verify-required": False}
# Options with a value, and the values that sshd accepts.
ONCE = {"command": "", "principals": "", "from": ""}
PORT = r"(?:\*|(?!0+\Z)[\w-]+)"
ADDRESSED = rf"(?:\[[^\]]*\]|[^:/]*)[:/]{PORT}"
REPEATED = {
    "environment": r"\w+=.*",
    "permitopen": ADDRESSED,
    "permitlisten": rf"{ADDRESSED}|{PORT}",
    "tunnel": r"(?i:any)|\d+",
    "expiry-time": r"\d{8}(?:\d{4}(?:\d\d)?)?(?:Z|UTC)?",
}


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
            value = value.replace('\\"', '"')
            yield name if _takes(name, value) else None, value
        elif name:
            yield name if name in (CA, "restrict") or name.removeprefix("no-") in DEFAULTS else None, None


def _takes(name: str, value: str) -> bool:
    return name in ONCE or (name in REPEATED and re.fullmatch(REPEATED[name], value, re.ASCII | re.DOTALL) is not None)


def _switched(switches: dict[str, bool], restricted: bool) -> Iterator[str]:
    """The switches that differ from sshd's defaults, or from what `restrict` says of them."""
    if restricted:
        yield "restrict"
    for name, on in switches.items():
        if on != (DEFAULTS[name] and not (restricted and name in RESTRICTED)):
            yield name if on else f"no-{name}"


def _valued(found: list[tuple[str | None, str | None]]) -> Iterator[str]:
    """The options with a value. The first of two variables of one name counts, and the last of two tunnels."""
    values: dict[tuple[str, str], str] = {}
    for name, value in found:
        if name is None or value is None:
            continue
        if name == "environment":
            values.setdefault((name, value.partition("=")[0]), value)
        elif name == "permitlisten" and ":" not in value:
            values[name, value] = f"*:{value}"
        else:
            values[name, value if name in REPEATED and name != "tunnel" else ""] = value
    for (name, _), value in values.items():
        yield '{}="{}"'.format(name, value.replace('"', '\\"'))
