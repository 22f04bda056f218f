"""Imports run one way: a module imports from lower floors only, and no sibling but the base module of its package."""

from __future__ import annotations

import ast
from pathlib import Path

import migrator

ROOT = Path(migrator.__file__).parent
FLOORS = (
    ("blobs", "choices", "errors", "line_diff", "partitions", "secret", "__init__"),
    ("engine", "known", "span", "source", "job"),
    ("module_source",),
    ("model",),
    ("lock", "undo"),
    ("diff", "discover", "fleet", "generators", "gitcommand", "gitimport", "giturl", "masking", "serial", "writer"),
    ("callers", "mapping"),
    ("config",),
    ("cluster", "history", "journal", "processes", "progress", "settings"),
    ("trust.__init__", "trust.subjects"),
    ("trust.policy",),
    ("trust.warnings",),
    ("pool", "spacelift.__init__", "spacelift.inventory.__init__"),
    ("spacelift.inventory.account", "spacelift.inventory.queries"),
    ("spacelift.inventory.file",),
    ("credentials", "sources"),
    ("clone",),
    ("forges.__init__", "forges.body"),
    ("forges.base", "forges.patience"),
    ("forges.*", "spacelift.inventory.session"),
    ("spacelift.inventory.read",),
    ("forges.registry",),
    ("gitrepo", "syntax.__init__", "syntax.python_items", "syntax.terraform", "syntax.scanner", "syntax.yaml_tree"),
    ("gitbranch", "syntax.program", "syntax.python_tree", "syntax.string_tokens"),
    ("syntax.hcl", "syntax.layout", "syntax.python", "syntax.tfjson"),
    ("syntax.hcl_comments", "syntax.hcl_new", "syntax.hcl_text", "syntax.hcl_tree", "syntax.yaml", "syntax.yaml_write"),
    (
        "syntax.hcl_edit",
        "syntax.python_edit",
        "syntax.strings",
        "syntax.tfjson_edit",
        "syntax.yaml_list",
        "syntax.yaml_verify",
    ),
    ("syntax.hcl_object", "syntax.yaml_edit", "syntax.yaml_remove"),
    ("syntax.yaml_set",),
    ("syntax.languages", "trust.module"),
    ("syntax.ignored",),
    ("document",),
    ("workspace",),
    ("analysis.terragrunt_values",),
    (
        "analysis.__init__",
        "analysis.commands",
        "analysis.decoded_files",
        "analysis.effort",
        "analysis.forms",
        "analysis.keys",
        "analysis.names",
        "analysis.outside_calls",
        "analysis.published",
        "analysis.secrets",
        "analysis.slugs",
        "analysis.unread",
        "analysis.values",
    ),
    ("analysis.declarations", "analysis.mentions", "analysis.references"),
    ("analysis.variable_values",),
    ("analysis.orphans",),
    ("analysis.endpoints", "analysis.terms", "analysis.written"),
    ("analysis.providers", "analysis.term_reader"),
    (
        "analysis.backends",
        "analysis.expressions",
        "analysis.identities",
        "analysis.objects",
        "analysis.other_providers",
        "analysis.residues",
        "analysis.versions",
    ),
    ("analysis.remote_states", "analysis.told_identities"),
    ("analysis.runtime_config", "analysis.yaml_stacks"),
    ("analysis.cdktf", "analysis.hooks", "analysis.partial_backends", "analysis.python_stacks", "analysis.stacks"),
    ("analysis.cdktf_scopes", "analysis.engines", "analysis.programs", "analysis.targets"),
    ("analysis.blueprints", "analysis.spaces"),
    ("analysis.attachments",),
    ("analysis.terragrunt_generated", "analysis.terragrunt_state"),
    ("analysis.definitions", "analysis.terragrunt_unit"),
    ("analysis.settings", "analysis.terragrunt"),
    ("analysis.reach",),
    (
        "analysis.integrations",
        "analysis.mounted_files",
        "analysis.own_runs",
        "analysis.stack_variables",
        "analysis.terraform_settings",
        "analysis.terragrunt_inputs",
        "analysis.yaml_settings",
    ),
    ("analysis.variable_settings",),
    ("analysis.root_values",),
    ("analysis.role_purpose",),
    ("analysis.facts", "analysis.origins"),
    ("analysis.signing",),
    (
        "edits.__init__",
        "edits.before_init",
        "edits.beside",
        "edits.given_roles",
        "edits.hook",
        "edits.interfaces",
        "edits.native",
        "edits.provider_versions",
        "edits.python_hook",
        "edits.role_variable",
        "edits.roles",
        "edits.rotation",
        "edits.stack_roles",
        "edits.target",
    ),
    ("edits.root_identities", "spacelift.inventory.keys"),
    ("spacelift.inventory.attach",),
    ("spacelift.inventory.attach_module",),
    ("edits.context", "edits.hook_lists", "edits.orphans", "edits.runtime_config"),
    ("edits.integration", "edits.python_native", "edits.variables"),
    ("edits.strategy",),
    ("edits.wanted",),
    ("edits.sign_in",),
    ("edits.ambient", "edits.hook_identity"),
    ("edits.leaving",),
    ("edits.python_identity", "edits.web_identity"),
    ("edits.signers", "edits.survey", "edits.terragrunt", "edits.terragrunt_objects", "edits.trusts"),
    ("rules.__init__",),
    ("rules.registry",),
    ("rules.hooks", "rules.variables"),
    ("rules.*",),
    ("options",),
    ("planner", "report.__init__", "report.difflines", "report.shown", "report.steps"),
    ("report.text",),
    ("report.totals",),
    ("report.colour", "report.html", "report.json", "report.junit", "report.markdown", "report.sarif"),
    ("report.rollout", "report.terminal"),
    ("report.registry",),
    ("explain", "pipeline"),
    ("attach_cli", "inventory_cli"),
    ("preload",),
    ("trust.known",),
    ("trust.grants",),
    ("run",),
    ("batch", "pull_requests"),
    ("plan_file",),
    ("batch_run",),
    ("batch_cli", "trust_cli"),
    ("completion",),
    ("cli",),
    ("__main__",),
)
SOLE_IMPORTERS = {
    "click": (
        "attach_cli",
        "batch_cli",
        "cli",
        "completion",
        "inventory_cli",
        "options",
        "report.terminal",
        "run",
        "trust_cli",
    ),
    "distributed": ("cluster",),
    "git": ("gitrepo",),
    "github": ("forges.github",),
    "gitlab": ("forges.gitlab",),
    "hcl2": ("syntax.hcl", "syntax.hcl_tree"),
    "jinja2": ("report.html",),
    "libcst": ("syntax.python", "syntax.python_items", "syntax.python_tree"),
    "markupsafe": ("report.html",),
    "rich": ("progress",),
    "subprocess": ("gitcommand", "spacelift.inventory.session"),
    "yaml": ("syntax.yaml",),
}


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


MODULES = {name_of(file): file for file in ROOT.rglob("*.py")}


def floor(module: str) -> int:
    for number, names in enumerate(FLOORS):
        if module in names:
            return number
    package = module.rpartition(".")[0]
    return next(number for number, names in enumerate(FLOORS) if f"{package}.*" in names)


def imported(file: Path) -> set[str]:
    """The modules that ``file`` imports, by full dotted name; ``from package import module`` counts as the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            modules = {name for name in inner if name.removeprefix("migrator.") in MODULES}
            found |= modules or {node.module}
    return found


def own(name: str) -> str:
    short = name.removeprefix("migrator").lstrip(".") or "__init__"
    return short if short in MODULES else f"{short}.__init__"


def test_every_module_has_a_floor() -> None:
    for module in MODULES:
        floor(module)


def test_no_import_goes_up_or_aside() -> None:
    for module, file in MODULES.items():
        for name in imported(file):
            if name.split(".")[0] == "migrator":
                assert floor(own(name)) < floor(module), f"{module} imports {name}"


def test_a_library_has_one_importer() -> None:
    for module, file in MODULES.items():
        for name in imported(file):
            importers = SOLE_IMPORTERS.get(name.split(".")[0])
            assert importers is None or module in importers, f"{module} imports {name}"


def test_the_command_line_loads_nothing_heavy() -> None:
    """What ``--version`` and ``--help`` load."""
    for module in ("__main__", "cli", "config", "errors", "model", "span"):
        top = ast.parse(MODULES[module].read_text()).body
        names = {name for node in top for name in _names(node)}
        assert not names & {
            "git",
            "hcl2",
            "libcst",
            "yaml",
            "migrator.migrate.pipeline",
            "migrator.migrate.planning",
            "migrator.cli.run",
        }, module


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {node.module} if isinstance(node, ast.ImportFrom) and node.module else set()


def test_modules_and_functions_stay_small() -> None:
    for file in MODULES.values():
        text = file.read_text()
        assert len(text.splitlines()) <= 450, file
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno <= 60, f"{file}:{node.lineno}"
