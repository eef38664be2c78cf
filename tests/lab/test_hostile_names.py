"""A neighbor with a hostile LLDP name: the audit completes, the drawing is valid, and no terminal interprets the name."""

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from rehearsal import Lab

pytestmark = pytest.mark.lab

# A name that a switch's administrator can set: markup, and the escape sequence that sets a terminal's window title.
NAME = "evil[/x][bold]\x1b]0;mine\x07"
SHOWN = r"evil[/x][bold]\x1b]0;mine\x07"


def neighbors(lab: Lab) -> str:
    return lab.sh("alvin", "lldpcli -f keyvalue show neighbors", check=False)


def test_neighbour_with_an_odd_name_is_a_finding(lab: Lab, tmp_path: Path) -> None:
    lab.runbook("bootstrap", "--stage", "host", "--limit", "alvin", "--limit", "sw-rack")
    quoted = NAME.replace("\x1b", "\\033").replace("\x07", "\\007")
    lab.sh("sw-rack", f"lldpcli configure system hostname \"$(printf '{quoted}')\"; lldpcli update")
    lab.wait("alvin lists it", lambda: "evil" in neighbors(lab), 60)
    done = lab.runbook("audit", "--tags", "lldp", "--limit", "alvin")
    assert done.code == 1, done.err
    assert "evil[/x]" in done.out
    assert "\x1b" not in done.out + done.err
    _, report = lab.report("audit", "--tags", "lldp", "--limit", "alvin")
    assert [one["got"] for one in report["stages"][0]["findings"] if SHOWN in one["got"]], report["stages"]
    page = tmp_path / "topology.svg"
    assert lab.runbook("topology", "--output", str(page)).code == 1
    text = page.read_text(encoding="utf-8")
    assert SHOWN in text
    ET.fromstring(text)
