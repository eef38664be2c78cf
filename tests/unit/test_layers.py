"""Imports point down: cli, engine, connectors, model, agent; features, platforms, model. Checks and changes do not import each other."""

from pathlib import Path

import pytest
from cases import ROOT
from test_architecture import SOURCES, imports, name_of

# What the modules below a package may import of the project, besides what is below the package itself.
AGENT = ("tasks.core.agent",)
MODEL = ("inventory", "tasks.core.model", *AGENT)
LAYERS = {
    "inventory": (),
    "tasks.core.agent": (),
    "tasks.core.model": ("inventory", *AGENT),
    "tasks.platforms": MODEL,
    "tasks.core.connectors": (*MODEL, "tasks.platforms"),
    "tasks.core.engine": (*MODEL, "tasks.platforms", "tasks.core.connectors"),
    "tasks.core.cli": (*MODEL, "tasks.platforms", "tasks.core.connectors", "tasks.core.engine"),
    **dict.fromkeys(
        ("tasks.host", "tasks.network", "tasks.storage", "tasks.virtualization"),
        (*MODEL, "tasks.platforms", "tasks.host", "tasks.network", "tasks.storage", "tasks.virtualization"),
    ),
    "tasks.checks": (*MODEL, "tasks.host", "tasks.network", "tasks.storage", "tasks.virtualization"),
}
FEATURES = ("host", "network", "storage", "virtualization")
# They define change sets with the checks that verify them, so they import both.
COMPOSE = ("sets", "fabric", "maintenance")


def module_of(path: Path) -> str:
    return name_of(path).removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def within(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def ours(module: str) -> bool:
    return within(module, ("inventory", "tasks", "lab", "runbooks"))


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_down(package: str) -> None:
    allowed = (package, *LAYERS[package])
    own = [path for path in SOURCES if within(module_of(path), (package,))]
    assert own
    parents = {"tasks", "tasks.core"}
    wrong = {
        module_of(path): sorted(one for one in imports(path) if ours(one) and one not in parents and not within(one, allowed))
        for path in own
    }
    assert {module: up for module, up in wrong.items() if up} == {}


def feature_files() -> list[Path]:
    return [path for path in SOURCES if name_of(path).startswith(tuple(f"tasks/{area}/" for area in FEATURES))]


def test_checks_and_changes_do_not_import_each_other() -> None:
    changes = {module_of(path) for path in feature_files() if "Change[" in path.read_text()}
    checks = {module_of(path) for path in feature_files() if path.stem.endswith("checks")}
    assert changes
    assert checks
    for path in feature_files():
        if path.stem not in COMPOSE:
            module = module_of(path)
            assert module not in checks or imports(path) & changes == set(), module
            assert module in checks or imports(path) & checks == set(), module


def test_a_feature_is_a_folder_with_the_same_names() -> None:
    """Its checks are in modules whose names end in `checks`, its facts in `facts`."""
    for path in feature_files():
        if "@check(" in path.read_text():
            assert path.stem.endswith("checks"), name_of(path)
    assert [name_of(path) for path in (ROOT / "tasks" / "checks").glob("*.py") if path.stem not in ("__init__", "catalog")] == []
