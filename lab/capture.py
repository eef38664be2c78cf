"""The operator's side of a capture: writes the keeper's data to a file that tcpdump and Wireshark read."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from lab import control
from lab.errors import LabError
from lab.folders import Folders


def capture(folders: Folders, host: str, port: str, path: Path, for_s: float | None) -> None:
    """Capture a cable's frames for `for_s` seconds, or until Ctrl-C."""
    with control.call(folders) as line, line.makefile("rb") as answers:
        line.sendall(json.dumps({"do": "capture", "host": host, "port": port, "for_s": for_s}).encode() + b"\n")
        _answer(answers)
        with _new(path) as file:
            click.echo(f"capturing at {host}:{port}; press Ctrl-C to stop", err=True)
            end = _wait(line, answers)
            file.write(answers.read(end["bytes"]))
    click.echo("\n".join([f"{path}: {end['bytes']} bytes", *end["output"]]), err=True)


@contextmanager
def _new(path: Path) -> Iterator[BinaryIO]:
    """A new file, removed again if the capture fails."""
    try:
        file = path.open("wb")
    except OSError as problem:
        raise LabError(f"cannot write the capture to {path}: {problem.strerror}") from problem
    try:
        with file:
            yield file
    except LabError:
        path.unlink()
        raise


def _wait(line: socket.socket, answers: BinaryIO) -> control.Answer:
    try:
        return _answer(answers)
    except KeyboardInterrupt:
        line.shutdown(socket.SHUT_WR)
        return _answer(answers)


def _answer(answers: BinaryIO) -> control.Answer:
    answer: control.Answer = json.loads(answers.readline() or b'{"error": "the keeper ended; see its log in the run folder"}')
    if "error" in answer:
        raise LabError(answer["error"])
    return answer
