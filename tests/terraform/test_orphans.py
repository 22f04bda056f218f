"""What served only the credentials that go: notes, what outputs show, folders and checkouts that are not whole."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import git
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrator.config.config import Config
from migrator.migrate.pipeline import migrate_repo
from migrator.model.findings import LeftAlone
from migrator.model.results import Mode, RepoResult
from migrator.rules.orphaned_credentials import VALUE_STAYS
from migrator.syntax.json import edit as tfjson_edit
from migrator.syntax.json import parse as tfjson
from migrator.syntax.terraform import Block
from migrator.workspace.diagnostics import OUTSIDE_FOLDER
from tests.conftest import FIXTURES, MakeRepo, Terraform
from tests.invariants import check_files

CASES = FIXTURES / "rules" / "orphaned-credentials"
KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
RULE = "orphaned-credentials"
Copy = Callable[[str], Path]


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """Copies the files of a case out of the repository that they are part of."""
    return lambda case: shutil.copytree(CASES / case / "before", tmp_path / "webshop", symlinks=True)


def preview(folder: Path, **options: object) -> RepoResult:
    return migrate_repo(str(folder), Config(mode=Mode.PREVIEW, **options))  # type: ignore[arg-type]


def subjects(result: RepoResult, beginning: str) -> set[str]:
    return {subject for note in result.notes if note.code.startswith(beginning) for subject in note.subjects}


def fates(result: RepoResult, kind: type) -> set[str]:
    return {
        f"{finding.place}: {finding.fate}"
        for finding in result.findings
        if finding.rule == RULE and isinstance(finding.fix, kind)
    }


def test_keys_in_values_are_to_be_rotated(copy: Copy) -> None:
    places = subjects(preview(copy("variables")), "rotate")
    ids = {"prod.auto.tfvars.json:3 (AKIA…MPLE)", "terraform.tfvars:2 (AKIA…MPLE)"}
    assert places == ids | {"prod.auto.tfvars.json:4", "staging.tfvars:2", "variables.tf:20"}


def test_keys_in_values_that_stay_are_to_be_rotated(copy: Copy) -> None:
    assert subjects(preview(copy("also-used")), "rotate") == {"terraform.tfvars:1", "variables.tf:2 (AKIA…MPLE)"}


def test_an_index_is_no_key(copy: Copy) -> None:
    assert subjects(preview(copy("data")), "rotate") == set()


KEYED = """variable "access_key" {}
variable "other" {}

provider "aws" {
  access_key = var.access_key
  secret_key = var.other
}
"""
GIVES = {
    "bin/plan": '#!/bin/sh\nterraform plan -var "access_key=$K"\n',
    "run": "terraform plan -var=access_key=x\n",
    "scripts/one": "terraform plan -var='access_key=x'\n",
    "scripts/two": "terraform plan --var access_key=x\n",
    "scripts/three": "terraform plan \\\n  -var \\\n  access_key=x\n",
    "scripts/four": 'args=()\nfor v in access_key; do args+=(-var "$v=x"); done\nterraform plan "${args[@]}"\n',
    "scripts/backend": "terraform init -backend-config=access_key=x\nterraform plan -var access_key=x\n",
    "scripts/five": "export TF_VAR_access_key=x\n",
    "Makefile": "plan:\n\tterraform plan -var access_key=$(K)\n",
    "GNUmakefile": "plan:\n\tterraform plan -var access_key=$(K)\n",
    "justfile": "plan:\n  terraform plan -var 'access_key={{k}}'\n",
    "Taskfile.dist.yml": "tasks:\n  plan:\n    cmds: [terraform plan -var access_key={{.K}}]\n",
    "Jenkinsfile.prod": 'sh "terraform plan -var access_key=${K}"\n',
    "ci/Dockerfile.plan": 'CMD ["terraform", "plan", "-var", "access_key=x"]\n',
    ".gitlab-ci.yml": "plan:\n  variables:\n    TF_VAR_access_key: $K\n  script: terraform plan\n",
    ".envrc": "export TF_VAR_access_key=x\n",
    ".vscode/tasks.json": '{"tasks": [{"command": "terraform", "args": ["plan", "-var", "access_key=x"]}]}\n',
    "plan.py": 'import os\nrun(["terraform", "plan", "-var", f"access_key={os.environ[K]}"])\n',
    "tool.py": "from python_terraform import Terraform\nTerraform().plan(var={'access_key': K})\n",
    "tests/conftest.py": 'import tftest\ntf.plan(tf_vars={"access_key": "x"})\n',
    "plan.ps1": "$env:TF_VAR_access_key = 'x'\nterraform plan\n",
    "plan.psm1": 'terraform plan -var "access_key=$k"\n',
    "plan.rb": "system('terraform', 'plan', '-var', \"access_key=#{k}\")\n",
    ".kitchen.yml": "driver:\n  name: terraform\n  variables:\n    access_key: x\n",
    "plan.mjs": "spawn('terraform', ['plan', `-var`, `access_key=${k}`])\n",
    "plan.ts": "const args = { vars: { access_key: k } }; terraform(args);\n",
    "playbook.yml": "- hosts: all\n  tasks:\n    - terraform:\n        variables:\n          access_key: x\n",
    "test/it_test.go": 'package test\n\nimport tf "github.com/gruntwork-io/terratest/modules/terraform"\n\nvar o = '
    '&tf.Options{Vars: map[string]interface{}{"access_key": "x"}}\n',
    "test/with.go": 'package test\n\n// terratest\nfunc set(o *Options) { o.Vars["access_key"] = "x" }\n',
    "README.md": "Run `terraform plan -var access_key=…`.\n",
    "docs/guide.rst": "Run::\n\n    export TF_VAR_access_key=x\n",
    "main.tf.tmpl": 'terraform plan -var "access_key=x"\n',
    "ops.tf": 'resource "null_resource" "x" {\n  provisioner "local-exec" {\n'
    '    command = "terraform apply -var access_key=x"\n  }\n}\n',
}


@pytest.mark.parametrize("path", GIVES)
def test_a_variable_that_any_text_file_gives_a_value_stays_and_is_told(path: str, tmp_path: Path) -> None:
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(GIVES[path])
    (tmp_path / "main.tf").write_text(KEYED)
    result = preview(tmp_path)
    assert [fate for fate in fates(result, LeftAlone) if fate.startswith("main.tf:1: ") and f" {path}:" in fate]
    assert result.diff.count(b"-variable") == 1, "the other one goes"


def test_the_files_of_one_program_count_together(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(KEYED)
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "a_test.go").write_text("// terratest\nvar o = &terraform.Options{Vars: shared()}\n")
    (tmp_path / "shared.go").write_text('func shared() map[string]any { return map[string]any{"access_key": "x"} }\n')
    assert [
        fate
        for fate in fates(preview(tmp_path), LeftAlone)
        if fate.startswith("main.tf:1: ") and " shared.go:1 " in fate
    ]


def test_a_script_in_utf_16_counts(tmp_path: Path) -> None:
    """PowerShell writes such files."""
    (tmp_path / "main.tf").write_text(KEYED)
    (tmp_path / "plan.ps1").write_text('terraform plan -var "access_key=$k"\n', "utf-16")
    assert [
        fate
        for fate in fates(preview(tmp_path), LeftAlone)
        if fate.startswith("main.tf:1: ") and " plan.ps1:1 " in fate
    ]


NO_VALUES = {
    "deploy.sh": "terraform plan -var-file=x.tfvars\naws configure set access_key x\n",
    "Makefile": "plan:\n\tterraform plan -var region=x\n\taws-vault --access_key=x\n",
    "notes.md": "terraform plan -var region=x\n" + "\n" * 400 + "The access_key is gone.\n",
    "app.js": 'const access_key = "x";\n',
    "init.sh": "terraform init -backend-config=access_key=$K\nterraform plan -var region=x\n",
    "init.yml": 'run: terraform init -backend-config="access_key=${{ secrets.K }}" && terraform plan -var x=y\n',
    "init.py": 'run(["terraform", "init", "-backend-config", f"access_key={k}"])\nrun(["terraform", "-var", r])\n',
    "init.md": "`terraform plan -var region=x` after `terraform init -backend-config access_key=…`.\n",
    "logo.png": "\0PNG -var access_key=x",
}


@pytest.mark.parametrize("path", NO_VALUES)
def test_a_name_alone_gives_no_value(path: str, tmp_path: Path) -> None:
    (tmp_path / path).write_text(NO_VALUES[path])
    (tmp_path / "main.tf").write_text(KEYED)
    assert preview(tmp_path).diff.count(b"-variable") == 2


def test_a_file_that_is_too_large_to_be_searched_is_told(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(KEYED)
    (tmp_path / "dump.sql").write_text("-- -var access_key=x\n" * 900_000)
    assert subjects(preview(tmp_path), "unsearched-files") == {"dump.sql"}


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_no_key_is_shown(case: Path, copy: Copy) -> None:
    result = preview(copy(case.name))
    shown = repr(result) + result.diff.decode()
    assert not [key for key in KEYS if key in shown]


@pytest.mark.system
def test_what_lies_outside_of_the_given_folder_stays(copy: Copy) -> None:
    folder = copy("through-modules")
    repository = git.Repo.init(folder)
    repository.git.add("--all")
    result = preview(folder / "modules" / "dns", role_arn="arn:aws:iam::123456789012:role/dns")
    reason = OUTSIDE_FOLDER.refusal(path="modules/network/main.tf").reason
    assert fates(result, LeftAlone) >= {f"modules/dns/main.tf:{line}: {reason}" for line in (5, 9)}
    assert result.changed == ("modules/dns/main.tf",)


def test_an_excluded_file_keeps_what_it_gives_a_value_to(copy: Copy) -> None:
    result = preview(copy("variables"), exclude=("staging.tfvars",))
    assert f"staging.tfvars:2: {VALUE_STAYS.left_alone().reason}" in fates(result, LeftAlone)
    assert "staging.tfvars" not in result.changed


def test_values_that_cannot_be_read(copy: Copy) -> None:
    """A file of values that cannot be read is named, and costs nothing else."""
    folder = copy("variables")
    (folder / "bad.tfvars").write_text("access_key = \n")
    result = preview(folder)
    assert [problem.place.path for problem in result.problems] == ["bad.tfvars"]
    assert {path for path in result.changed if path.endswith(".tfvars")} == {"staging.tfvars", "terraform.tfvars"}


@settings(max_examples=60)
@given(st.sets(st.sampled_from("abcd"), min_size=1), st.booleans(), st.booleans())
def test_labels_without_blocks_go(gone: set[str], in_list: bool, is_flat: bool) -> None:
    one, two = '{"a": {"x": 1}, "b": {"type": "string"}}', '{"c": {"x": 1}, "d": {"x": 1}}'
    gap = " " if is_flat else "\n  "
    text = f'{{{gap}"variable": {f"[{one}, {two}]" if in_list else one},{gap}"data": {{"t": {two}}}}}\n'
    items = tfjson.parse(text)
    removed = [item for item in items if isinstance(item, Block) and item.labels[-1] in gone]
    edits = tfjson_edit.remove_blocks("x.tf.json", text, items, removed)
    after = tfjson_edit.finish(text, items, edits)
    left = [item.labels for item in tfjson.parse(after) if isinstance(item, Block)]
    assert left == [item.labels for item in items if isinstance(item, Block) and item.labels[-1] not in gone]
    assert "{}" not in after.strip()[1:-1]


SPELLINGS = [
    "var /* c */.access_key",
    "(var\n.access_key)",
    "(var # x\n. // y\n access_key)",
    '"${var /* " */ .access_key}"',
    "<<-EOT\n    ${var. access_key}\n  EOT",
]
ESCAPED = [
    "$\\u007bvar.access_key}",
    "${v\\u0061r\\u002eaccess_key}",
    "${var/* c */.access_key}",
    "${var\\n.access_key}",
    '\\" ${var.access_key}',
]


@pytest.mark.parametrize("use", [*SPELLINGS, "# var.access_key\n  1", '"var.other"'])
def test_a_reference_is_one_in_any_spelling(use: str, terraform: Terraform, tmp_path: Path) -> None:
    """What refers to a variable keeps it; so does what an argument that goes refers to not."""
    variables = 'variable "access_key" {}\nvariable "secret_key" {}\n\n'
    keys = "  access_key = var.access_key\n  secret_key = (var /* c */\n  .secret_key)\n"
    text = f'{variables}output "a" {{\n  value = {use}\n}}\n'
    if use in SPELLINGS:
        (tmp_path / "main.tf").write_text(text)
        assert not terraform.complaints(tmp_path)
    after = check_files({"main.tf": f'{text}\nprovider "aws" {{\n{keys}}}\n'.encode()}).changes[0].after
    assert (b'variable "access_key"' in after) == (use in SPELLINGS)
    assert b'variable "secret_key"' not in after


@pytest.mark.parametrize("use", [*ESCAPED, "${var.other}"])
def test_a_reference_is_one_in_any_escape(use: str, terraform: Terraform, tmp_path: Path) -> None:
    variables, keys = '"access_key": {}, "secret_key": {}', '"access_key": "${var.access_key}", "secret_key": "%s"'
    provider = keys % "$\\u007bvar.secr\\u0065t_key}"
    text = f'{{"variable": {{{variables}}}, "output": {{"a": {{"value": "{use}"}}}}'
    if use in ESCAPED:
        (tmp_path / "main.tf.json").write_text(text + "}")
        assert not terraform.complaints(tmp_path)
    after = json.loads(
        check_files({"main.tf.json": f'{text}, "provider": {{"aws": {{{provider}}}}}}}'.encode()}).changes[0].after
    )
    assert list(after.get("variable", {})) == ["access_key"] * (use in ESCAPED)


LOCALS = 'locals {\n  ak = "AKIAIOSFODNN7EXAMPLE"\n  sk = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n}\n\n'
USES_BOTH = 'provider "aws" {\n  access_key = local.ak\n  secret_key = local.sk\n}\n'
GENERATE = 'generate "outputs" {\n  path      = "outputs.tf"\n  if_exists = "overwrite"\n  contents  = %s\n}\n'


@pytest.mark.parametrize(
    ("terragrunt", "others", "stays"),
    [
        (GENERATE % '<<EOF\noutput "a" {\n  value = local.ak\n}\nEOF', {}, True),
        (GENERATE % '"output \\"a\\" { value = local.ak }"', {}, True),
        (GENERATE % 'templatefile("${get_terragrunt_dir()}/o.tftpl", {})', {"o.tftpl": "x = local.ak"}, True),
        (GENERATE % 'file("outputs.txt")', {"outputs.txt": "x = local.ak"}, True),
        ('locals {\n  file = "files/o.txt"\n}\n' + GENERATE % "file(local.file)", {"files/o.txt": "local.ak"}, True),
        ('locals {\n  ak = "b"\n}\n\ninputs = {\n  a = local.ak\n  b = "${local.ak}"\n}\n', {}, False),
        (GENERATE % 'file("outputs.txt")', {"outputs.txt": "x = local.akk", "other.txt": "local.ak"}, False),
    ],
)
def test_a_local_that_terragrunt_writes_a_use_of_stays(
    make_repo: MakeRepo, terragrunt: str, others: dict[str, str], stays: bool
) -> None:
    repo = make_repo({"main.tf": LOCALS + USES_BOTH, "terragrunt.hcl": terragrunt, **others})
    result = migrate_repo(str(repo.root), Config(mode=Mode.IN_PLACE))
    assert result.error == ""
    after = (repo.root / "main.tf").read_text()
    assert ("ak = " in after) == stays
    assert "sk = " not in after
