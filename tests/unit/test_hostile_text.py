"""Text from hosts controls no terminal, is not parsed as markup, and can always be written: on screen, in the record, in the drawing."""

import json
import re
from dataclasses import replace
from html import unescape
from xml.etree import ElementTree as ET

import pytest
from cases import case_of
from engine import Alias, host_is_well
from test_topology import found

from inventory.errors import Place, Problem
from inventory.printable import LINES, printable
from tasks.core.cli.report import Screen
from tasks.core.engine.events import Event
from tasks.core.engine.record import write_record
from tasks.core.model.change import ChangeSet, Member
from tasks.core.model.check import Finding, Verdict
from tasks.core.model.errors import LinkError
from tasks.core.model.fact import HostFacts, Reading
from tasks.network.links.facts import NEIGHBOURS
from tasks.topology.view import FORMATS, view

SHOWN = {
    "title of the window": ("\x1b]0;evil\x07", "\\x1b]0;evil\\x07"),
    "screen wiped": ("\x1b[2J", "\\x1b[2J"),
    "clipboard": ("\x1b]52;c;aGk=\x1b\\", "\\x1b]52;c;aGk=\\x1b\\"),
    "C1": ("\x9b2J", "\\x9b2J"),
    "back to the line's begin": ("ok\rno", "ok\\x0dno"),
    "nothing": ("\x00", "\\x00"),
    "right to left": ("\u202eevil\u2066", "\\u202eevil\\u2066"),
    "no width": ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
    "line of its own": ("a\u2028b\x85c", "a\\u2028b\\x85c"),
    "closing markup": ("evil[/x]", "evil[/x]"),
    "opening markup": ("[bold red]evil", "[bold red]evil"),
    "emoji by name": ("eno1:warning:", "eno1:warning:"),
    "half a character": ("\ud800", "\\ud800"),
    "byte that is not UTF-8": ("B\udcfcro", "B\\xfcro"),
    "beyond the first plane": ("\U000e0001", "\\U000e0001"),
    "words": ("Büro, 東京", "Büro, 東京"),
}
EVIL, SEEN = ("".join(each) for each in zip(*SHOWN.values(), strict=True))


@pytest.mark.parametrize(("text", "shown"), SHOWN.values(), ids=SHOWN)
def test_unprintable_characters_are_shown_as_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown
    assert printable(f"{text}\n\tb", keep=LINES) == f"{shown}\n\tb"


def test_messages_findings_and_events_are_printable_wherever_they_go() -> None:
    assert str(LinkError(f"alvin: {EVIL}\nno")) == f"alvin: {SEEN}\nno"
    assert Event("failed", "alvin", "", EVIL).text == SEEN
    finding = Finding("alvin:eno1", "well", EVIL)
    assert (finding.got, finding.ok) == (SEEN, False)


def test_problem_of_an_inventory_is_one_printable_line(tmp_path) -> None:
    assert str(Problem(Place(tmp_path / "hosts.yaml", 3), "alvin\n", "a name", EVIL, "correct it")).count("\n") == 0


def screened(result, terminal: bool, capsys) -> str:
    screen = Screen()
    screen.console._force_terminal = terminal
    for stage in result.stages:
        screen.plan(stage)
    for event in result.run.events:
        screen.watch(event)
    screen.results(result)
    screen.error(EVIL)
    printed = capsys.readouterr()
    return printed.out + printed.err


@pytest.mark.parametrize("terminal", [False, True])
def test_screen_and_record_contain_no_control_characters(world, terminal: bool, capsys, tmp_path, monkeypatch) -> None:
    """In a diff, an event, a reason, a finding, the error of an unreachable host, and the record of an earlier run."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    world["alvin"].answers["health"] = lambda _: EVIL
    world["alvin"].files["/etc/network/interfaces"] += f"# {EVIL.replace(chr(13), '')}\n"
    world["simon"].reachable = False
    one = ChangeSet("name alvin", (Member("alvin", (Alias("alvin", "eth0"),), safe_alone=True),), (host_is_well,), by_hand=(EVIL,))
    result = world.execute(one, checks=(host_is_well,))
    result.run.unreachable["simon"] = EVIL
    result.stages[0].verdicts += (Verdict(host_is_well, "alvin", Finding(EVIL, EVIL, EVIL, passed=False)),)
    printed = screened(result, terminal, capsys)
    for evil in ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "\ud800", "\udcfc", "\x00", "⚠"):
        assert evil not in printed
    for shown in ("\\x1b]0;evil", "evil[/x]", "[bold red]evil", "eno1:warning:"):
        assert shown in printed.replace("\n", "")
    record = write_record(result, "Try the engine.").read_bytes().decode()
    assert json.loads(record)["unreachable"]["simon"] == SEEN
    assert "\\ud800" not in record.replace("\\\\ud800", "")


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("half", [0, 1])
def test_neighbours_of_any_name_are_drawn(suffix: str, half: int) -> None:
    """As many as the switch has ports."""
    one = found(case_of("topology", "neighbour-of-no-inventory"))
    interfaces = [
        {f"swp{number}": {"chassis": {name: {}}, "port": {"id": {"type": "ifname", "value": name}}}}
        for number, (name, _) in enumerate(list(SHOWN.values())[half::2], start=1)
    ]
    # As lldpd writes it (1.0.16): quotes and backslashes escaped, control characters as they are.
    answer = re.sub(r"\\u([01][0-9a-f])", lambda found: chr(int(found[1], 16)), json.dumps({"lldp": {"interface": interfaces}}))
    rack = one.facts["sw-rack"]
    facts = {**one.facts, "sw-rack": HostFacts("sw-rack", {**rack.readings, NEIGHBOURS.name: Reading(0, answer)})}
    drawn = view(replace(one, facts=facts), suffix)
    text = drawn.text.encode().decode()
    ET.fromstring(text[text.index("<svg") : text.index("</svg>") + 6])
    assert printable(text, keep="\n\t") == text
    names = [one.name for heard in NEIGHBOURS.parse(answer).values() for one in heard]
    assert [name for name in names if printable(name) not in unescape(text)] == []


def test_markup_in_a_finding_is_text(capsys) -> None:
    Screen().findings([Verdict(host_is_well, "alvin", Finding("alvin:eno1", "sw-rack:swp1", "evil[/x]:p1"))])
    assert "evil[/x]:p1" in capsys.readouterr().out
