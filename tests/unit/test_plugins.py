"""A platform and a link of another package, by entry points: the documentation's example is built, installed and used."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from cases import ROOT
from engine import FOLDER
from nornir.core import Nornir
from nornir.plugins.runners import SerialRunner

from inventory import plugins
from inventory.errors import InventoryError
from inventory.load import BurrowInventory, load
from inventory.site import Site
from tasks.core.engine.one_change import apply_change
from tasks.core.model.change import Candidate, Change, Step
from tasks.core.model.check import Finding, Severity, check
from tasks.core.model.errors import Refused
from tasks.core.model.fact import Facts, text
from tasks.platforms.candidate import join
from tasks.platforms.configuration import configuration
from tasks.platforms.templates import render

EXAMPLE = ROOT / "docs" / "examples" / "burrow_folder"
SETTINGS = text("folder_settings", "/etc/settings")


def forget() -> None:
    for cached in (plugins.named, plugins.loaded, configuration):
        cached.cache_clear()
    sys.modules.pop("burrow_folder", None)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which pip installed the package."""
    folder = tmp_path_factory.mktemp("package")
    source = shutil.copytree(EXAMPLE, folder / "source")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        str(folder / "site"),
    )
    subprocess.run((*pip, str(source)), check=True)
    return folder / "site"


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(package))
    forget()
    yield
    forget()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The inventory of a site with one appliance, whose folder is there."""
    folder = shutil.copytree(FOLDER, tmp_path / "attic")
    with (folder / "hosts.yaml").open("a") as file:
        file.write("box: {groups: [], platform: folder-os, link: folder, management: eth0, address: 172.16.0.9/16}\n")
    monkeypatch.setenv("FOLDER_OS", str(tmp_path / "appliances"))
    box = tmp_path / "appliances" / "box"
    box.mkdir(parents=True)
    (box / "settings").write_text("speed 10\nowner sam\n")
    return folder


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Banner(Change[Text]):
    """The appliance shows a banner, at 40 Gb."""

    needs: ClassVar = (SETTINGS,)
    host: str

    def intend(self, *_: object) -> Text:
        return Text("hello")

    def observe(self, _: Site, facts: Facts) -> Text:
        found = re.search(r"^banner (.*)$", facts[self.host][SETTINGS], re.MULTILINE)
        return Text(found[1] if found else "")

    def steps(self, site: Site, _: Facts, want: Text) -> tuple[Step, ...]:
        banner = render("banner", site.hosts[self.host].platform, self.host, text=want.text)
        return (Candidate(join({"/etc/settings": f"{banner}speed 40\n"})),)


@check(needs=(SETTINGS,), severity=Severity.MINOR, remediation="Wait.", tags=())
def banner_is_gone(_: Site, facts: Facts, host: str) -> Iterator[Finding]:
    """There is no banner."""
    yield Finding(host, "none", "one" if "banner" in facts[host][SETTINGS] else "none")


def nornir(site: Path) -> Nornir:
    inventory = BurrowInventory(str(site), ssh_config="none").load()
    return Nornir(inventory, runner=SerialRunner())


def settings(site: Path) -> str:
    return (site.parent / "appliances" / "box" / "settings").read_text()


@pytest.mark.usefixtures("installed")
def test_change_is_planned_in_the_language_of_the_package_and_applied_by_its_link(site: Path) -> None:
    events: list[str] = []
    outcome = apply_change(nornir(site), Banner("box"), watchers=(lambda event: events.append(event.kind),))
    assert (outcome.state, outcome.reasons) == ("done", [])
    (plan,) = outcome.plan.changes
    assert plan.impact == ("the ports go down and come up with the new speed",)
    assert "+banner hello" in plan.diff()
    assert settings(site) == "speed 40\nowner sam\nbanner hello\n"
    assert [kind for kind in events if kind in ("armed", "confirmed")] == ["armed", "confirmed"]
    assert apply_change(nornir(site), Banner("box")).state == "unchanged"
    assert not (site.parent / "appliances" / "box" / "lease").exists()


@pytest.mark.usefixtures("installed")
def test_failed_check_is_reverted_by_its_link(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.core.engine.verify.HOLD_S", 0)
    run = nornir(site)
    run.inventory.defaults.data["settings"] = run.inventory.defaults.data["settings"].model_copy(update={"verify_s": 1})
    outcome = apply_change(run, Banner("box"), (banner_is_gone,))
    assert outcome.state == "reverted"
    assert "banner is gone" in outcome.reasons[0]
    assert settings(site) == "speed 10\nowner sam\n"


@pytest.mark.usefixtures("installed")
def test_its_appliance_that_is_not_there_is_unreachable(site: Path) -> None:
    shutil.rmtree(site.parent / "appliances" / "box")
    outcome = apply_change(nornir(site), Banner("box"))
    assert (outcome.state, outcome.reasons) == ("refused", ["box did not answer"])


@pytest.mark.usefixtures("installed")
def test_link_that_the_platform_does_not_have_is_a_problem_of_the_inventory(site: Path) -> None:
    path = site / "hosts.yaml"
    path.write_text(path.read_text().replace("link: folder", "link: ssh"))
    with pytest.raises(InventoryError, match=r"box link: wanted link folder for platform folder-os, found ssh"):
        load(site)


def test_without_the_package_its_words_are_unknown(site: Path) -> None:
    with pytest.raises(InventoryError) as raised:
        load(site)
    assert "box platform: wanted 'ifupdown2'" in str(raised.value)
    assert "box link: wanted 'ssh'" in str(raised.value)


def a_package(folder: Path, name: str, points: str, module: str = "") -> None:
    """A package as pip would install it."""
    (folder / f"{name}-1.dist-info").mkdir(parents=True)
    (folder / f"{name}-1.dist-info" / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (folder / f"{name}-1.dist-info" / "entry_points.txt").write_text(points)
    (folder / f"{name}.py").write_text(module)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("points", "message"),
    [
        ("[burrow.links]\nfolder = other:Link\n", r"burrow.links: (other and burrow-folder|burrow-folder and other) both have folder"),
        ("[burrow.platforms]\nfolder-os = other:X\n", r"burrow.platforms: (other and burrow-folder|burrow-folder and other) both have"),
    ],
)
def test_name_that_two_packages_have_is_refused(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, points: str, message: str
) -> None:
    a_package(tmp_path / "others", "other", points)
    monkeypatch.syspath_prepend(str(tmp_path / "others"))
    forget()
    with pytest.raises(plugins.PluginError, match=message):
        load(site)


def test_package_that_cannot_be_imported_is_named(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = "[burrow.platforms]\nfolder-os = broken:X\n[burrow.links]\nfolder = broken:Y\n"
    a_package(tmp_path / "others", "broken", points, "raise RuntimeError('out of order')")
    monkeypatch.syspath_prepend(str(tmp_path / "others"))
    forget()
    with pytest.raises(plugins.PluginError, match=r"burrow.links: folder of broken cannot be loaded: RuntimeError\('out of order'\)"):
        load(site)
    forget()


@pytest.mark.usefixtures("installed")
def test_template_that_the_package_lacks_is_refused() -> None:
    with pytest.raises(Refused, match=r"box: no templates/uplink_bond/folder-os.j2"):
        render("uplink_bond", "folder-os", "box")
