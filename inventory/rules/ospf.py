"""Rules of OSPF: its timers, and the key that its routers sign with."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from inventory.at_home import at_home
from inventory.draft import Draft
from inventory.errors import Place, Problem
from inventory.secret_file import UnusableSecret, read_secret

# FRR (ospfd): a key of message-digest authentication has at most 16 letters.
KEY_LETTERS = 16


def dead_interval_outlives_a_hello(draft: Draft) -> Iterator[Problem]:
    """A neighbour is gone only after more than one hello is missing (RFC 2328, section C.3)."""
    if draft.defaults is not None and (ospf := draft.defaults.ospf).dead_s < 2 * ospf.hello_s:
        wanted = f"at least two hellos ({2 * ospf.hello_s} s)"
        yield Problem(_place(draft, "dead_s"), "ospf dead_s", wanted, f"{ospf.dead_s} s", "make it longer, or hello_s shorter")


def key_file_holds_a_key(draft: Draft) -> Iterator[Problem]:
    """The file of the OSPF key is there, holds one word, and is nobody else's to read."""
    if (path := _key_path(draft)) is None:
        return
    place, what = _place(draft, "key_file"), "ospf key_file"
    if not path.exists():
        yield Problem(place, what, "a file", f"no {path}", f"write one word of at most {KEY_LETTERS} letters into it")
        return
    wanted = f"one word of at most {KEY_LETTERS} letters in {path}"
    try:
        key = read_secret(path)
    except UnusableSecret as error:
        yield Problem(place, what, wanted, error.found, error.remedy)
        return
    if len(key) > KEY_LETTERS:
        yield Problem(place, what, wanted, f"{len(key)} letters", "correct the file")


def ospf_key(draft: Draft) -> SecretStr | None:
    """The key of a sound draft, None where the routers do not sign."""
    path = _key_path(draft)
    return SecretStr(read_secret(path)) if path is not None else None


def _place(draft: Draft, key: str) -> Place:
    return draft.files["defaults"].place("ospf", key)


def _key_path(draft: Draft) -> Path | None:
    if draft.defaults is None or draft.defaults.ospf.key_file is None:
        return None
    return draft.files["defaults"].path.parent / at_home(draft.defaults.ospf.key_file)
