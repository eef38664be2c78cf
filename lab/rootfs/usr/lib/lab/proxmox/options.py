"""The command line of Proxmox's commands: subcommands, positional arguments and options, all checked first."""

import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn

Values = Mapping[str, str]
FAILED = 255


class PveError(Exception):
    """An error of a Proxmox command, which prints the message and exits with 255."""


@contextmanager
def task_without_exit_code() -> Iterator[None]:
    """A task whose result Proxmox's command ignores: if it fails, its error goes to standard error, and the exit code is 0.

    All else that it reports goes to standard output (pve-common, PVE::RESTEnvironment::fork_worker).
    """
    try:
        with _errors_on_standard_output():
            yield
    except PveError as problem:
        print(str(problem).replace("\n", " "), file=sys.stderr)


@contextmanager
def _errors_on_standard_output() -> Iterator[None]:
    """Send standard error to standard output, also that of the commands that are run."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(1, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


@dataclass(frozen=True)
class Option:
    """An option --NAME, or a positional argument with the same checks.

    A value is at most `longest` characters long and matches `pattern`; of another one it is said that it is `unlike` what is wanted.
    """

    name: str
    kind: str = "string"
    lowest: int | None = None
    highest: int | None = None
    choices: tuple[str, ...] = ()
    required: bool = False
    longest: int | None = None
    pattern: str = ""
    unlike: str = ""

    def complaint(self, value: str) -> str:
        """The error of a value, empty if it is valid."""
        if self.kind in ("integer", "boolean"):
            return self._complaint_about_number(value)
        if self.longest is not None and len(value) > self.longest:
            return f"value may only be {self.longest} characters long"
        if self.pattern and not re.fullmatch(self.pattern, value):
            return f"invalid format - {self.unlike.replace('VALUE', value)}"
        if self.choices and value not in self.choices:
            return f"value '{value}' does not have a value in the enumeration '{', '.join(self.choices)}'"
        return ""

    def _complaint_about_number(self, value: str) -> str:
        if not value.lstrip("-").isdigit() or (self.kind == "boolean" and value not in ("0", "1")):
            return f"type check ('{self.kind}') failed - got '{value}'"
        if self.lowest is not None and int(value) < self.lowest:
            return f"value must have a minimum value of {self.lowest}"
        if self.highest is not None and int(value) > self.highest:
            return f"value must have a maximum value of {self.highest}"
        return ""


@dataclass(frozen=True)
class Command:
    """A subcommand: its function, its positional arguments and its options."""

    run: Callable[[Values], int | None]
    places: tuple[str | Option, ...] = ()
    options: tuple[Option, ...] = field(default=())

    @property
    def named(self) -> tuple[str, ...]:
        """The names of its positional arguments."""
        return tuple(place if isinstance(place, str) else place.name for place in self.places)


def main(program: str, commands: Mapping[str, Command], argv: list[str]) -> int:
    """Run one of the commands, and return its exit code."""
    words = next((count for count in (2, 1) if " ".join(argv[:count]) in commands), 0)
    if not words:
        print(f"ERROR: unknown command '{' '.join((program, *argv[:1]))}', or one that the lab does not have", file=sys.stderr)
        print("\n".join(f"       {program} {name}" for name in commands), file=sys.stderr)
        return FAILED
    name = " ".join(argv[:words])
    command = commands[name]
    try:
        return command.run(_values(command, argv[words:])) or 0
    except _UsageError as problem:
        usage = " ".join((program, name, *(f"<{place}>" for place in command.named), "[OPTIONS]"))
        print(f"{problem}\n{usage}", file=sys.stderr)
    except PveError as problem:
        print(problem, file=sys.stderr)
    return FAILED


def leave(code: int) -> NoReturn:
    """Flush the output and exit with `code`, without Python's cleanup.

    Threads of librados race with the end of their process, and can abort it (ceph/ceph#33950: `ceph` exits this way too).
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class _UsageError(Exception):
    pass


def _values(command: Command, argv: list[str]) -> Values:
    known = {option.name: option for option in command.options}
    checked = {**known, **{place.name: place for place in command.places if isinstance(place, Option)}}
    given: dict[str, str] = {}
    places = list(command.named)
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            if not places:
                raise _UsageError("400 too many arguments")
            given[places.pop(0)] = word
            continue
        name, has_value, value = word.lstrip("-").partition("=")
        if name not in known:
            raise _UsageError(f"Unknown option: {name}\n400 unable to parse option")
        if not has_value:
            value = _next(known[name], rest)
        given[name] = value
    if places:
        raise _UsageError("400 not enough arguments")
    _check(checked, given)
    return given


def _next(option: Option, rest: list[str]) -> str:
    """The value after an option. A boolean needs none."""
    if option.kind == "boolean" and (not rest or rest[0] not in ("0", "1")):
        return "1"
    if not rest:
        raise _UsageError(f"Option {option.name} requires an argument\n400 unable to parse option")
    return rest.pop(0)


def _check(known: Mapping[str, Option], given: Values) -> None:
    wrong = [f"{name}: {error}" for name, value in given.items() if name in known and (error := known[name].complaint(value))]
    missing = [name for name, option in known.items() if option.required and name not in given]
    wrong += [f"{name}: property is missing and it is not optional" for name in missing]
    if wrong:
        raise _UsageError("\n".join(("400 Parameter verification failed.", *wrong)))
