"""Merge of a candidate into /etc/network/interfaces, attribute by attribute.

A candidate has the file's grammar. Lines that it does not name stay unchanged, comments too. A candidate may also have `no ATTRIBUTE`
inside a stanza, and `no iface NAME` at the top level, to remove configuration.
"""

from tasks.platforms.ifupdown2.interfaces_file import (
    AUTO,
    IN_EVERY_STANZA,
    REPEATED,
    InterfacesFile,
    Line,
    Stanza,
    attribute_name,
    same_value,
    with_prefix,
)


def merge(text: str, candidate: str) -> str:
    """`text` with the candidate's attributes merged in and everything else unchanged; the same text if nothing differs."""
    # New lines after the last one must neither join nor continue it: a backslash at the end would take them, over blank lines too.
    ended = text.rstrip().rstrip("\\").rstrip() if text.rstrip().endswith("\\") else text
    ended += "" if ended.endswith("\n") or not ended else "\n"
    file, wanted = InterfacesFile(ended), InterfacesFile(candidate)
    for stanza in wanted.stanzas:
        if stanza.head.key == "no":
            _remove(file, stanza.head.words[2])
    for index, stanza in enumerate(wanted.stanzas):
        if stanza.iface:
            _merge_stanza(file, stanza, followers=[later.iface for later in wanted.stanzas[index + 1 :] if later.iface])
    for iface in sorted(wanted.autos() - file.autos()):
        _add_auto(file, iface)
    merged = str(file)
    return text if merged == ended else merged


def _remove(file: InterfacesFile, iface: str) -> None:
    """Removes its stanzas and its name in `auto` lines. Comments below its last attribute belong to the next stanza, and stay."""
    kept: list[Stanza] = []
    for stanza in file.stanzas:
        words = tuple(word for word in stanza.head.words if word != iface)
        if stanza.iface == iface or (stanza.head.key in AUTO and len(words) == 1):
            rest = stanza.body[_end_of_attributes(stanza) :]
            (kept[-1].body if kept else file.preamble).extend(rest if any(line.text.strip() for line in rest) else ())
            continue
        if stanza.head.key in AUTO and words != stanza.head.words:
            stanza.head = Line(" ".join(words) + "\n", words)
        kept.append(stanza)
    file.stanzas = kept


def _merge_stanza(file: InterfacesFile, wanted: Stanza, followers: list[str]) -> None:
    present = file.of(wanted.iface or "")
    family = wanted.head.words[2:3]
    named = [stanza for stanza in present if stanza.head.words[1] == wanted.head.words[1]]
    target = next((s for s in named if not family or s.head.words[2:3] in (family, ())), None)
    if target is None:
        # A second family: an attribute of one value stays where it is, because ifupdown2 uses the first value of both (iface.py, squash).
        kept = {line.key for stanza in present for line in stanza.body} - REPEATED
        _insert(file, Stanza(wanted.head, [line for line in wanted.body if line.key not in kept]), followers)
        wanted = Stanza(wanted.head, [line for line in wanted.body if line.key in kept or line.key == "no"])
        target = Stanza(wanted.head)
    elif family and target.head.words[:4] != wanted.head.words:
        words = (*wanted.head.words, *target.head.words[4:])
        target.head = Line(" ".join(words) + "\n", words)
    for line in wanted.body:
        if line.key == "no":
            attribute = attribute_name(line.words[1])
            for stanza in present:
                stanza.body = [old for old in stanza.body if old.key != attribute]
        elif line.key in IN_EVERY_STANZA:
            for stanza in [stanza for stanza in present if stanza.values(line.key)] or [target]:
                _set([stanza], stanza, line)
        elif line.key:
            _set(present, target, line)


def _set(present: list[Stanza], target: Stanza, wanted: Line) -> None:
    existing = [(stanza, line) for stanza in present for line in stanza.body if line.key == wanted.key]
    want = with_prefix(wanted.value) if wanted.key == "address" else wanted.value
    same = next((line for stanza, line in existing if same_value(wanted.key, stanza.value(line), want)), None)
    own = same or next((line for stanza, line in existing if _is_replaced(stanza, line, target, wanted)), None)
    if own is None:
        target.body.insert(_end_of_attributes(target), Line(f"{_indent(target)}{wanted.text.strip()}\n", wanted.words))
        return
    if own is not same:
        own.text = f"{own.text[: len(own.text) - len(own.text.lstrip())]}{own.words[0]} {wanted.value}\n"
        own.words = (own.words[0], *wanted.words[1:])
    if wanted.key not in REPEATED:
        _drop(existing, keep=own)


def _is_replaced(stanza: Stanza, line: Line, target: Stanza, wanted: Line) -> bool:
    """Whether the wanted line replaces this one. An address replaces only one of its own family and stanza; a command replaces none.

    A loopback has an address for each of its purposes, so none of them replaces another.
    """
    if wanted.key not in REPEATED:
        return True
    return (
        target.iface != "lo" and wanted.key in ("address", "gateway") and stanza is target and (":" in line.value) == (":" in wanted.value)
    )


def _drop(existing: list[tuple[Stanza, Line]], keep: Line) -> None:
    for stanza, line in existing:
        if line is not keep:
            stanza.body = [one for one in stanza.body if one is not line]


def _indent(stanza: Stanza) -> str:
    for line in stanza.body:
        if line.words:
            return line.text[: len(line.text) - len(line.text.lstrip())]
    return "\t"


def _end_of_attributes(stanza: Stanza) -> int:
    return max((index + 1 for index, line in enumerate(stanza.body) if line.words), default=0)


def _insert(file: InterfacesFile, new: Stanza, followers: list[str]) -> None:
    """Inserts the stanza before the first one that follows it in the candidate, and before that one's `auto` line.

    If there is none, inserts it at the end, before trailing `source` lines.
    """
    new.body = [line for line in new.body if line.words and line.key != "no"]
    new.body.append(Line("\n", ()))
    place = next((i for i, s in enumerate(file.stanzas) if s.iface in followers), None)
    if place is None:
        place = len(file.stanzas)
        while place and file.stanzas[place - 1].head.key.startswith("source"):
            place -= 1
    elif place and file.stanzas[place - 1].head.key in AUTO and file.stanzas[place].iface in file.stanzas[place - 1].head.words:
        place -= 1
    before = file.stanzas[place - 1].body if place else file.preamble
    tail = before[-1] if before else (file.stanzas[place - 1].head if place else None)
    if tail is not None and tail.words:
        before.append(Line("\n", ()))
    file.stanzas.insert(place, new)


def _add_auto(file: InterfacesFile, iface: str) -> None:
    place = next((i for i, s in enumerate(file.stanzas) if s.iface == iface), len(file.stanzas))
    file.stanzas.insert(place, Stanza(Line(f"auto {iface}\n", ("auto", iface))))
