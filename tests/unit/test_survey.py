"""A survey's command line: what it refuses, reads, writes and returns."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from cases import ROOT
from engine import FOLDER, HEALTH

from tasks.core.cli.survey import Found, Survey, View, main, survey
from tasks.core.engine.runbook import FAILED, OK, REFUSED, Options
from tasks.core.model.errors import Refused


def view_of(found: Found, suffix: str) -> View:
    """One line with the hosts that are well."""
    text = " ".join(f"{host}={one[HEALTH] or 'well'}" for host, one in sorted(found.facts.items()))
    return View(f"{suffix} {text}\n", (text,), all("ill" not in one[HEALTH] for one in found.facts.values()))


HEALTHS = Survey("Say who is well.", (HEALTH,), view_of, (".txt",), "health.txt")


def surveyed(world, output: str = "health.txt", managed: bool = True, **options):
    run = world.run()
    run.site = run.site.model_copy(
        update={"hosts": {name: one.model_copy(update={"managed": managed}) for name, one in run.site.hosts.items()}}
    )
    result, view = survey(HEALTHS, Options(**options), run, output)
    return run, result, view


def test_all_hosts_are_read_once_and_nothing_else_is_asked(world) -> None:
    run, result, view = surveyed(world)
    assert (result.exit_code, view.text) == (OK, ".txt alvin=well simon=well sw-rack=well sw-vendor=well\n")
    assert {verb for _, verb in world.journal} == {"read"}
    assert len(world.journal) == len(run.facts) == 4


def test_limit_reads_the_selected_hosts_and_their_neighbours(world) -> None:
    _, _, view = surveyed(world, limit=("alvin",))
    assert "simon" not in view.text
    assert "alvin=well" in view.text


def test_what_is_not_as_intended_fails(world) -> None:
    world["alvin"].answers["health"] = lambda _: "ill"
    _, result, view = surveyed(world)
    assert (result.exit_code, view.as_intended) == (FAILED, False)


def test_a_host_that_does_not_answer_fails_and_the_rest_is_shown(world) -> None:
    world["simon"].reachable = False
    run, result, view = surveyed(world)
    assert result.exit_code == FAILED
    assert view.as_intended
    assert list(run.unreachable) == ["simon"]


@pytest.mark.parametrize(
    ("options", "output", "message"),
    [({}, "health.pdf", "ends in .txt, found health.pdf"), ({"managed": False}, "health.txt", "no host is selected")],
)
def test_refused_before_any_host_is_asked(world, options: dict, output: str, message: str) -> None:
    with pytest.raises(Refused, match=message):
        surveyed(world, output, **options)
    assert world.journal == []


def test_an_unknown_site_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    output = tmp_path / "health.txt"
    assert main(HEALTHS, ("--site", "cellar", "--output", str(output))) == REFUSED
    assert "no site cellar" in capsys.readouterr().err
    assert not output.exists()


def test_an_invalid_inventory_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = tmp_path / "attic"
    folder.mkdir()
    for path in FOLDER.iterdir():
        (folder / path.name).write_text(path.read_text().replace("172.16.0.12/16", "172.16.0.11/16"))
    (folder / "site.yaml").write_text("ssh_config: none\n")
    assert main(HEALTHS, ("--site", str(folder))) == REFUSED
    assert "hosts.yaml:3: " in capsys.readouterr().err


def test_an_unknown_flag_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(HEALTHS, ("--force",)) == REFUSED
    assert "No such option" in capsys.readouterr().err


def test_the_topology_has_its_flags_and_starts_without_its_libraries() -> None:
    program = (
        "import sys, runpy\nsys.argv = ['topology.py', '--help']\n"
        "try: runpy.run_path('runbooks/topology.py', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "print('loaded:', [name for name in ('networkx', 'numpy', 'nornir', 'jinja2') if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    printed = " ".join(done.stdout.split())
    assert all(flag in printed for flag in ("--site NAME", "--limit HOST", "--output FILE", "[default: topology.html]"))
    assert printed.endswith("loaded: []")
