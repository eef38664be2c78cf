"""Normal forms against the tools' own parsers: what we read in random texts is what the tool reads in them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from random_exports import exports
from random_frr import statements, text, undone
from random_interfaces import interfaces
from rehearsal import FOLDER, Lab

from tasks.platforms.frr.form import beyond, is_repeated, normal_form
from tasks.platforms.ifupdown2.interfaces_file import InterfacesFile, attribute_name, with_prefix
from tasks.platforms.ifupdown2.port_words import expanded
from tasks.storage.nfs.exports_file import rows, served_rows

pytestmark = pytest.mark.lab

TEXTS, ENTRIES, CONFIGURATIONS = 5000, 1000, 250
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
    for one, (ifaces, autos) in zip(texts, read, strict=True):
        wanted = ([theirs(*iface) for iface in ifaces], {name for name in autos if not name.startswith(RANGE)})
        assert ours(one) == wanted, one


def test_exports_are_read_as_exportfs_reads_them(lab: Lab) -> None:
    entries = "".join(exports(seed, "/srv/random") for seed in range(ENTRIES))
    file = "/etc/exports.d/random.exports"
    over_ssh("vault", f"mkdir -p /etc/exports.d && cat > {file}", entries)
    try:
        shown = over_ssh("vault", "exportfs -ra 2>/dev/null; exportfs -s", "")
    finally:
        lab.sh("vault", f"rm {file}; exportfs -ra")
    theirs = {(row.path, row.client): row.options for row in served_rows(shown)}
    ours = {(row.path, row.client): row.options for row in rows(entries)}
    assert ours.keys() == theirs.keys()
    assert [(place, sorted(words - theirs[place])) for place, words in ours.items() if not words <= theirs[place]] == []


# Daemons of their own, in a network of their own, with one vtysh for all texts. A text is typed, because `copy FILE running-config` leaves
# out what mgmtd keeps; a tab would complete a word.
FRR = """exec unshare --net sh -c '
mkdir -p /run/frr/forms /etc/frr/forms; touch /etc/frr/forms/vtysh.conf; chown -R frr:frr /run/frr/forms
for daemon in mgmtd zebra staticd bfdd ospfd bgpd; do /usr/lib/frr/$daemon -d -N forms >/dev/null 2>&1; done
timeout 30 sh -c "until vtysh -N forms -c \\"show mgmt backend-adapter all\\" | grep -q staticd; do :; done"
vtysh -N forms
kill $(cat /run/frr/forms/*.pid); rm -rf /run/frr/forms /etc/frr/forms
'"""


def test_frr_shows_what_the_suite_reads_in_its_file(lab: Lab) -> None:  # noqa: ARG001
    """5,000 statements and more, of which FRR shows each one whose value is not the default, and no other."""
    made = [statements(seed) for seed in range(CONFIGURATIONS)]
    texts = [text(found, seed) for seed, found in enumerate(made)]
    assert sum(len(found) for found in made) >= TEXTS
    typed = [
        f"configure terminal\n{one}\nend\nshow running-config\nconfigure terminal\n{undone(found)}end\n"
        for one, found in zip(texts, made, strict=True)
    ]
    output = over_ssh("theodore", FRR, "".join([*typed, "show running-config\n"]).replace("\t", " "))
    *shown, empty = [normal_form(part.partition("\nend\n")[0]) for part in output.split("Current configuration:\n")[1:]]
    assert len(shown) == CONFIGURATIONS
    for one, runs in zip(texts, shown, strict=True):
        file = normal_form(one)
        assert {said for said in beyond(file, runs) if is_repeated(said)} == set(), one
        assert beyond(runs, file) - empty == set(), one
