"""Rules of OSPF: its timers, and the routers' authentication key."""

from collections.abc import Iterator
from pathlib import Path

from pydantic import SecretStr

from inventory.at_home import at_home
from inventory.draft import Draft
from inventory.errors import Place, Problem
from inventory.secret_file import UnusableSecret, read_secret

# FRR (ospfd): a key for message-digest authentication has at most 16 characters.
KEY_CHARACTERS = 16


def dead_interval_outlives_a_hello(draft: Draft) -> Iterator[Problem]:
    """The dead interval is longer than one hello interval (RFC 2328, section C.3)."""
    if draft.defaults is not None and (ospf := draft.defaults.ospf).dead_s < 2 * ospf.hello_s:
        wanted = f"at least two hellos ({2 * ospf.hello_s} s)"
        yield Problem(_place(draft, "dead_s"), "ospf dead_s", wanted, f"{ospf.dead_s} s", "make it longer, or hello_s shorter")


def key_file_holds_a_key(draft: Draft) -> Iterator[Problem]:
    """The file of the OSPF key exists, holds one word, and only its owner can read it."""
    if (path := _key_path(draft)) is None:
        return
    place, what = _place(draft, "key_file"), "ospf key_file"
    if not path.exists():
        yield Problem(place, what, "a file", f"no {path}", f"write a key of at most {KEY_CHARACTERS} characters into it")
        return
    wanted = f"one key of at most {KEY_CHARACTERS} characters in {path}"
    try:
        key = read_secret(path)
    except UnusableSecret as error:
        yield Problem(place, what, wanted, error.found, error.remedy)
        return
    if len(key) > KEY_CHARACTERS:
        yield Problem(place, what, wanted, f"{len(key)} characters", "correct the file")


def ospf_key(draft: Draft) -> SecretStr | None:
    """The key of a valid draft, None if the routers do not authenticate."""
    path = _key_path(draft)
    return SecretStr(read_secret(path)) if path is not None else None


def _place(draft: Draft, key: str) -> Place:
    return draft.files["defaults"].place("ospf", key)


def _key_path(draft: Draft) -> Path | None:
    if draft.defaults is None or draft.defaults.ospf.key_file is None:
        return None
    return draft.files["defaults"].path.parent / at_home(draft.defaults.ospf.key_file)
