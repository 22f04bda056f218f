"""Imports run one way: by the contracts of import-linter in ``pyproject.toml``, and in short chains."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import grimp
import pytest

import migrator

ROOT = Path(migrator.__file__).parent
pytestmark = pytest.mark.system
LINTER = (Path(sys.executable).with_name("lint-imports"), "--no-cache")
LONGEST = 20
SOLE_IMPORTERS = {
    "click": ("cli", "report.terminal"),
    "distributed": ("batch.dask_cluster",),
    "git": ("git.checkout",),
    "github": ("remotes.github",),
    "gitlab": ("remotes.gitlab",),
    "hcl2": ("syntax.hcl",),
    "jinja2": ("report.html",),
    "libcst": ("syntax.python",),
    "markupsafe": ("report.html",),
    "rich": ("batch.progress",),
    "subprocess": ("git.command", "git.network", "spacelift.inventory.session", "verify.programs"),
    "yaml": ("syntax.yaml.parse",),
}
"""The modules and folders that may import a library: by no other way does the program come to it."""
BEFORE_ANY_COMMAND = ("__main__", "cli.main", "config.config", "errors", "model.findings", "model.results", "span")
HEAVY = {"git", "hcl2", "libcst", "yaml", "migrator.migrate.pipeline", "migrator.migrate.planning", "migrator.cli.run"}


def linted(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(LINTER, cwd=folder, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept() -> None:
    done = linted(ROOT.parent)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("syntax/yaml/tree", "migrator.cli.run"),
        ("decide/roles", "migrator.rules.registry"),
        ("span", "migrator.syntax.source"),
    ],
)
def test_an_import_that_runs_up_breaks_a_contract(tmp_path: Path, module: str, imported: str) -> None:
    shutil.copytree(ROOT, tmp_path / "migrator", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT.parent / "pyproject.toml", tmp_path)
    with (tmp_path / "migrator" / f"{module}.py").open("a") as file:
        file.write(f"import {imported}\n")
    done = linted(tmp_path)
    assert done.returncode == 1
    assert "BROKEN" in done.stdout


def test_no_annotation_looks_up() -> None:
    """The contracts are on what is run; from room to room, imports for annotations keep the same order."""
    contracts = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract.get("containers") == ["migrator"])
    floor = {room.strip(" ()"): number for number, layer in enumerate(layers) for room in layer.split("|")}
    graph = grimp.build_graph("migrator", cache_dir=None)
    for module in graph.modules - {"migrator"}:
        for imported in graph.find_modules_directly_imported_by(module) - {"migrator"}:
            upper, lower = module.split(".")[1], imported.split(".")[1]
            assert upper == lower or floor[upper] < floor[lower], f"{module} imports {imported}"


def test_no_chain_of_imports_is_long() -> None:
    """Imports for the sake of annotations alone are not run, and do not count."""
    graph = grimp.build_graph("migrator", exclude_type_checking_imports=True, cache_dir=None)

    @cache
    def chain(module: str) -> tuple[str, ...]:
        return (module, *max(map(chain, graph.find_modules_directly_imported_by(module)), key=len, default=()))

    longest = max(map(chain, sorted(graph.modules)), key=len)
    print(f"{len(longest)} modules: {' > '.join(name.removeprefix('migrator.') for name in longest)}")
    assert 5 < len(longest) < LONGEST, longest


def test_a_library_has_one_importer() -> None:
    graph = grimp.build_graph("migrator", include_external_packages=True, cache_dir=None)
    for library, importers in SOLE_IMPORTERS.items():
        found = {name.removeprefix("migrator.") for name in graph.find_modules_that_directly_import(library)}
        strangers = {
            name for name in found if not f"{name}.".startswith(tuple(f"{importer}." for importer in importers))
        }
        assert found, library
        assert not strangers, library


def test_the_command_line_loads_nothing_heavy() -> None:
    """What ``--version`` and ``--help`` load."""
    for module in BEFORE_ANY_COMMAND:
        top = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text()).body
        assert not {name for node in top for name in _names(node)} & HEAVY, module


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module} if isinstance(node, ast.ImportFrom) and node.module else set()


def test_the_first_look_shows_few_rooms() -> None:
    rooms = [path for path in ROOT.iterdir() if not path.name.startswith("__")]
    assert len(rooms) <= 25
    assert len([room for room in rooms if room.is_file()]) <= 6


def test_modules_and_functions_stay_small() -> None:
    for file in ROOT.rglob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 400, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{file}:{node.lineno}"
