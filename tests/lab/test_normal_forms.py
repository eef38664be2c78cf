"""Normal forms against the tools' own parsers: what we read in random texts is what the tool reads in them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from random_exports import exports
from random_interfaces import interfaces
from rehearsal import FOLDER, Lab

from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, attribute_name, with_prefix
from tasks.platforms.ifupdown2.port_words import expanded
from tasks.storage.nfs.exports_file import rows, served_rows

pytestmark = pytest.mark.lab

TEXTS, ENTRIES = 5000, 1000
# ifupdown2 says of a range of interfaces only by name whether it comes up at boot, which differs between its versions.
RANGE = "swp"


def theirs(name: str, config: dict[str, list[str]]) -> tuple[str, dict[str, list[str]]]:
    """An interface as ifupdown2 read it: canonical names, and each address with the netmask at its position."""
    masks, found = config.pop("netmask", []), dict[str, list[str]]()
    for attribute, values in config.items():
        found.setdefault(attribute_name(attribute), []).extend(" ".join(value.split()) for value in values)
    if "address" in found:
        found["address"] = [with_prefix(one, masks[place] if place < len(masks) else "") for place, one in enumerate(found["address"])]
    return name, {attribute: sorted(values) for attribute, values in found.items()}


def ours(text: str) -> tuple[list[Any], set[str]]:
    """The interfaces of a text in order, and those that come up at boot, as the suite reads them."""
    file, found = InterfacesFile(text), []
    for stanza in file.stanzas:
        names = {line.key for line in stanza.body if line.key not in ("", "netmask") and line.value}
        found += [(one, {key: sorted(stanza.values(key)) for key in names}) for one in (expanded(stanza.iface) if stanza.iface else ())]
    return found, {one for one in file.autos() if file.of(one) and not one.startswith(RANGE)}


def over_ssh(host: str, script: str, stdin: str) -> str:
    """The output of a shell script on a host. In-band, because the serial line is not made for megabytes."""
    words = ["ssh", "-F", str(FOLDER / "ssh_config"), host, script]
    done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_interfaces_are_read_as_ifupdown2_reads_them(lab: Lab) -> None:  # noqa: ARG001
    texts = [interfaces(seed) for seed in range(TEXTS)]
    over_ssh("alvin", "cat > /run/parser.py", Path(__file__).with_name("ifupdown2_parser.py").read_text())
    read = json.loads(over_ssh("alvin", "python3 /run/parser.py", json.dumps(texts)))
    assert len(read) == TEXTS
    for text, (ifaces, autos) in zip(texts, read, strict=True):
        wanted = ([theirs(*one) for one in ifaces], {one for one in autos if not one.startswith(RANGE)})
        assert ours(text) == wanted, text


def test_exports_are_read_as_exportfs_reads_them(lab: Lab) -> None:
    text = "".join(exports(seed, "/srv/random") for seed in range(ENTRIES))
    file = "/etc/exports.d/random.exports"
    over_ssh("vault", f"mkdir -p /etc/exports.d && cat > {file}", text)
    try:
        shown = over_ssh("vault", "exportfs -ra 2>/dev/null; exportfs -s", "")
    finally:
        lab.sh("vault", f"rm {file}; exportfs -ra")
    theirs = {(row.path, row.client): row.options for row in served_rows(shown)}
    ours = {(row.path, row.client): row.options for row in rows(text)}
    assert ours.keys() == theirs.keys()
    assert [(place, sorted(words - theirs[place])) for place, words in ours.items() if not words <= theirs[place]] == []
