"""Several repositories on one command line: stacks in one of them run the code of another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from migrator.cli.main import cli
from migrator.config.config import Auth, BackendAuth, Config
from migrator.migrate.pipeline import migrate_repo, survey_repo
from migrator.model.fleet import Survey
from migrator.model.results import Mode
from migrator.report.serial import from_plain, to_plain
from tests.conftest import FIXTURES, MakeRepo, Repo, Terraform
from tests.evaluated import evaluated_hooks
from tests.system.test_end_to_end import GUARD, HOOK

REPOS = FIXTURES / "repos"
ROOTS = ("network", "database", "search", "billing", "mail", "audit", "cache")
STACKS = {
    "network": "network",
    'service["database"]': "database",
    'service["search"]': "search",
    "module.billing.this": "billing",
    "mail": "mail",
    "audit": "audit",
    'tool["cache"]': "cache",
}


def migrate(*repos: Repo, options: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(cli, [*options, *(str(repo.root) for repo in repos)])


def role_of(code: Path, root: str) -> str:
    lines = (code / root / "main.tf").read_text().splitlines()
    return next(line.split('"')[1] for line in lines if "role_arn" in line)


ADMIN = """resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "code"
  branch       = "main"
  manage_state = false
  labels       = ["aws"]
}
"""
CODE = 'terraform {\n  backend "s3" {\n    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}\n'
INTEGRATION = 'resource "spacelift_aws_integration" "all" {\n  name = "all"\n'
OVERRIDE = 'terraform {\n  backend "s3" {\n    profile = "old"\n  }\n}\n'
ATTACHED_ELSEWHERE = {
    "integration": INTEGRATION
    + '}\nresource "spacelift_aws_integration_attachment" "app" {\n  stack_id = "app"\n'
    + "  integration_id = spacelift_aws_integration.all.id\n}\n",
    "context": 'resource "spacelift_context" "login" {\n  before_plan = ["export AWS_PROFILE=old"]\n}\n'
    'resource "spacelift_context_attachment" "login" {\n  stack_id = "app"\n'
    "  context_id = spacelift_context.login.id\n}\n",
    "mounted file": 'resource "spacelift_mounted_file" "it" {\n  stack_id = "app"\n'
    '  relative_path = "source/x_override.tf"\n'
    f"  content = base64encode({json.dumps(OVERRIDE)})\n}}\n",
}
BY_LABEL = {
    "integration": INTEGRATION + '  labels = ["autoattach:aws"]\n  autoattach_enabled = true\n}\n',
    "context": 'resource "spacelift_context" "login" {\n  before_plan = ["export AWS_PROFILE=old"]\n'
    '  labels = ["autoattach:*"]\n}\n',
}


@pytest.mark.parametrize("kind", ATTACHED_ELSEWHERE)
def test_a_setting_of_a_third_repository_that_overrides_the_hook_is_refused(make_repo: MakeRepo, kind: str) -> None:
    third = make_repo({"main.tf": ATTACHED_ELSEWHERE[kind]}, name="third")
    admin, code = make_repo({"main.tf": ADMIN}, name="admin"), make_repo({"main.tf": CODE}, name="code")
    done = migrate(third, admin, code)
    assert done.exit_code == 4, done.output
    assert kind in done.output
    assert "stack-elsewhere-refused" in done.output
    assert (admin.root / "main.tf").read_text() == ADMIN
    assert (code.root / "main.tf").read_text() == CODE


@pytest.mark.parametrize("kind", ATTACHED_ELSEWHERE)
def test_a_setting_of_a_second_repository_that_overrides_the_hook_is_refused(make_repo: MakeRepo, kind: str) -> None:
    second = make_repo({"main.tf": ATTACHED_ELSEWHERE[kind]}, name="second")
    code = make_repo({"main.tf": CODE, "stacks.tf": ADMIN}, name="code")
    done = migrate(second, code)
    assert done.exit_code == 4, done.output
    assert "[setting-of-other-repository]" in done.output
    assert (code.root / "main.tf").read_text() == CODE


@pytest.mark.parametrize("kind", BY_LABEL)
def test_a_setting_of_a_third_repository_that_may_override_the_hook_is_told(make_repo: MakeRepo, kind: str) -> None:
    third = make_repo({"main.tf": BY_LABEL[kind]}, name="third")
    admin, code = make_repo({"main.tf": ADMIN}, name="admin"), make_repo({"main.tf": CODE}, name="code")
    done = migrate(third, admin, code)
    assert done.exit_code == 0, done.output
    assert "Check whether these settings of other repositories reach your stacks" in done.output
    assert "before_init" in (admin.root / "main.tf").read_text()


def test_a_stack_with_unknown_labels_may_get_a_setting_of_a_third_repository(make_repo: MakeRepo) -> None:
    third = make_repo({"main.tf": BY_LABEL["integration"]}, name="third")
    stacks = 'variable "labels" {}\n' + ADMIN.replace('["aws"]', "var.labels")
    admin, code = make_repo({"main.tf": stacks}, name="admin"), make_repo({"main.tf": CODE}, name="code")
    done = migrate(third, admin, code)
    assert done.exit_code == 0, done.output
    assert "Check whether these settings of other repositories reach your stacks" in done.output


def test_every_stack_gets_the_hook_of_its_code_and_no_other(
    terraform: Terraform, make_repo: MakeRepo, tmp_path: Path
) -> None:
    """Six ways to write a stack, evaluated by terraform before and after: new value = hook + guard + old value."""
    admin = make_repo(source=REPOS / "platform-admin", name="platform-admin")
    code = make_repo(source=REPOS / "platform-code", name="platform-code")
    before = evaluated_hooks(terraform, admin.root, tmp_path / "before")
    done = migrate(admin, code)
    assert done.exit_code == 0, done.output
    assert "No definition of a stack" not in done.output
    after = evaluated_hooks(terraform, admin.root, tmp_path / "after")
    assert set(before) == set(after) >= set(STACKS)
    for stack, old in before.items():
        root = STACKS.get(stack)
        hooks = (
            []
            if root is None
            else [HOOK.format(token="/mnt/workspace/spacelift.oidc", role=role_of(code.root, root)), GUARD]
        )
        assert (after[stack] or []) == [*hooks, *(old or [])], stack
    for file in (*admin.root.glob("*.tf"), *admin.root.glob("modules/*/*.tf")):
        assert terraform.is_formatted(file.read_bytes()), file
    for root in ROOTS:
        assert "assume_role_with_web_identity" in (code.root / root / "main.tf").read_text()


def test_a_second_run_changes_nothing(make_repo: MakeRepo) -> None:
    repos = [make_repo(source=REPOS / name, name=name) for name in ("platform-admin", "platform-code")]
    assert migrate(*repos).exit_code == 0
    again = migrate(*repos, options=("--check",))
    assert again.exit_code == 0, again.output


def _shop(make_repo: MakeRepo, tool: str) -> tuple[Repo, Repo]:
    stack = f"""resource "spacelift_stack" "shop" {{
  name                    = "shop"
  repository              = "shop"
  terraform_workflow_tool = "{tool}"
}}
"""
    backend = """terraform {
  backend "s3" {
    bucket   = "state"
    role_arn = "arn:aws:iam::123456789012:role/state"
  }
}
"""
    return make_repo({"stacks.tf": stack}, name="admin"), make_repo({"main.tf": backend}, name="shop")


def test_the_engine_of_a_stack_elsewhere_decides_whether_there_is_a_hook(make_repo: MakeRepo) -> None:
    admin, shop = _shop(make_repo, "OPEN_TOFU")
    done = migrate(admin, shop)
    assert done.exit_code == 0, done.output
    assert "assume_role_with_web_identity" in (shop.root / "main.tf").read_text()
    assert "before_init" not in (admin.root / "stacks.tf").read_text()
    again = migrate(admin, shop, options=("--check",))
    assert again.exit_code == 0, again.output


def test_an_engine_that_is_too_old_gets_the_hook_elsewhere(make_repo: MakeRepo) -> None:
    admin, shop = _shop(make_repo, "TERRAFORM_FOSS")
    done = migrate(admin, shop)
    assert done.exit_code == 0, done.output
    assert "assume_role_with_web_identity" not in (shop.root / "main.tf").read_text()
    assert "before_init" in (admin.root / "stacks.tf").read_text()


def test_a_stack_elsewhere_counts_more_than_a_file_for_people(make_repo: MakeRepo) -> None:
    admin, shop = _shop(make_repo, "TERRAFORM_FOSS")
    shop.write(".terraform-version", "1.9.8\n")
    shop.commit()
    assert migrate(admin, shop).exit_code == 0
    assert "assume_role_with_web_identity" not in (shop.root / "main.tf").read_text()
    assert "before_init" in (admin.root / "stacks.tf").read_text()


def test_all_stacks_get_the_hook_if_one_elsewhere_needs_it(make_repo: MakeRepo) -> None:
    admin, shop = _shop(make_repo, "TERRAFORM_FOSS")
    here = (admin.root / "stacks.tf").read_text().replace("TERRAFORM_FOSS", "OPEN_TOFU")
    shop.write("stacks/main.tf", here)
    shop.commit()
    assert migrate(admin, shop).exit_code == 0
    assert "# role_arn" in (shop.root / "main.tf").read_text()
    for stacks in (shop.root / "stacks/main.tf", admin.root / "stacks.tf"):
        assert "before_init" in stacks.read_text()
    assert migrate(admin, shop, options=("--check",)).exit_code == 0


def test_a_file_for_people_counts_where_no_stack_is_known(make_repo: MakeRepo) -> None:
    admin, shop = _shop(make_repo, "TERRAFORM_FOSS")
    shop.write(".terraform-version", "1.9.8\n")
    shop.commit()
    (admin.root / "stacks.tf").write_text((admin.root / "stacks.tf").read_text().replace('"shop"', '"mail"'))
    admin.commit()
    assert migrate(admin, shop).exit_code == 0
    assert "assume_role_with_web_identity" in (shop.root / "main.tf").read_text()


def test_code_is_not_migrated_without_its_hook(make_repo: MakeRepo) -> None:
    """A stack that cannot get the hook keeps its root module, in another repository, and that module alone."""
    admin = make_repo(source=REPOS / "platform-admin", name="platform-admin")
    main = admin.root / "main.tf"
    main.write_text(
        main.read_text().replace("  autodeploy   = true\n", "  lifecycle {\n    ignore_changes = all\n  }\n")
    )
    admin.commit()
    code = make_repo(source=REPOS / "platform-code", name="platform-code")
    done = migrate(admin, code)
    assert done.exit_code == 4
    assert "The stack that runs this code is defined in" in done.output
    assert "    role_arn = " in (code.root / "network" / "main.tf").read_text()
    assert "# role_arn" in (code.root / "mail" / "main.tf").read_text()
    assert "state-network" not in main.read_text()


def test_a_stack_gets_no_hook_without_its_code(make_repo: MakeRepo) -> None:
    admin = make_repo(source=REPOS / "platform-admin", name="platform-admin")
    code = make_repo(source=REPOS / "platform-code", name="platform-code")
    main = code.root / "mail" / "main.tf"
    main.write_text(main.read_text().replace('"arn:aws:iam', '"role" # "arn:aws:iam'))
    code.commit()
    assert migrate(admin, code).exit_code == 4
    assert "state-mail" not in (admin.root / "main.tf").read_text()
    assert "state-network" in (admin.root / "main.tf").read_text()


def test_repositories_that_have_nothing_to_do_with_each_other(make_repo: MakeRepo) -> None:
    admin = make_repo(source=REPOS / "platform-admin", name="another-admin")
    webshop = make_repo(source=REPOS / "webshop", name="webshop")
    done = migrate(admin, webshop)
    assert done.exit_code == 0, done.output
    assert "nothing to migrate" in done.output
    assert admin.branch() != "spacelift-oidc"


def test_a_namespace_tells_repositories_of_one_name_apart(make_repo: MakeRepo, tmp_path: Path) -> None:
    body = 'name = "app"\n  branch = "main"\n  repository = "app"\n  gitlab {{\n    namespace = "{}"\n  }}'
    stack = f'resource "spacelift_stack" "app" {{{{\n  {body}\n}}}}\n'
    backend = 'terraform {\n  backend "s3" {\n    profile = "app"\n  }\n}\n'
    for owner, expected in (("shop", True), ("bank", False)):
        admin = make_repo({"stack.tf": stack.format(owner)}, name=f"admin-{owner}")
        app = make_repo({"main.tf": backend}, name=f"app-{owner}")
        app.git("remote", "add", "origin", "https://gitlab.example.com/shop/app.git")
        migrate(admin, app)
        assert ("before_init" in (admin.root / "stack.tf").read_text()) is expected


def test_a_stack_of_another_branch_is_left_alone(make_repo: MakeRepo) -> None:
    stack = (
        'resource "spacelift_stack" "{0}" {{\n  name       = "{0}"\n  branch     = "{0}"\n  repository = "app"\n}}\n'
    )
    admin = make_repo({"main.tf": stack.format("main"), "production.tf": stack.format("production")}, name="admin")
    app = make_repo({"main.tf": 'terraform {\n  backend "s3" {\n    profile = "app"\n  }\n}\n'}, name="app")
    app.git("branch", "--move", "main")
    assert migrate(admin, app).exit_code == 0
    assert "before_init" in (admin.root / "main.tf").read_text()
    assert "before_init" not in (admin.root / "production.tf").read_text()


def test_one_that_cannot_be_read_costs_no_other(make_repo: MakeRepo, tmp_path: Path) -> None:
    webshop = make_repo(source=REPOS / "webshop", name="webshop")
    shutil.copytree(REPOS / "platform-code", tmp_path / "plain")
    done = CliRunner().invoke(cli, [str(tmp_path / "plain"), str(webshop.root)])
    assert done.exit_code == 3
    assert "plain: not migrated: The folder is not a git repository" in done.output
    assert webshop.branch() == "spacelift-oidc"


def test_no_repository_is_told_the_commands_of_anothers_hooks(make_repo: MakeRepo) -> None:
    """They may hold a secret, and what is told is written down in journals and plans."""
    admin = make_repo(source=REPOS / "platform-admin", name="platform-admin")
    survey = survey_repo(str(admin.root), Config())
    assert isinstance(survey, Survey)
    lists = [commands for stack in survey.stacks for _, commands in stack.lists]
    assert lists
    assert set(lists) == {None}


def test_the_only_stack_of_an_administrative_repository_is_not_for_its_own_code(make_repo: MakeRepo) -> None:
    """A stack that names another repository does not run the only root module of the one that defines it."""
    backend = 'terraform {\n  backend "s3" {\n    profile = "admin"\n  }\n}\n'
    stack = 'resource "spacelift_stack" "app" {\n  name       = "app"\n  branch     = "main"\n  repository = "app"\n}\n'
    admin = make_repo({"main.tf": backend, "stack.tf": stack}, name="admin")
    admin.git("remote", "add", "origin", "https://github.com/shop/administration.git")
    done = migrate(admin)
    assert done.exit_code == 0, done.output
    assert "No definition of a stack" in done.output
    assert (admin.root / "stack.tf").read_text() == stack


PROFILE = 'provider "aws" {\n  profile = "app"\n}\n'
APP = 'resource "spacelift_stack" "app" {\n  name       = "app"\n  branch     = "main"\n  repository = "app"\n}\n'
SET = """
resource "spacelift_environment_variable" "app_tf_var_aws_role_arn" {{
  stack_id   = spacelift_stack.app.id
  name       = "TF_VAR_aws_role_arn"
  value      = "{}"
  write_only = false
}}
"""
ROLE, OTHER = (f"arn:aws:iam::{account}:role/spacelift" for account in ("123456789012", "111122223333"))
IN_VARIABLE = ("--role-in", "variable", "--role-arn", ROLE)


def test_a_stack_of_another_repository_sets_the_role_of_a_provider(make_repo: MakeRepo) -> None:
    """Also where there is no backend, and so no hook; a second run changes nothing."""
    admin, app = make_repo({"stack.tf": APP}, name="admin"), make_repo({"main.tf": PROFILE}, name="app")
    done = migrate(admin, app, options=IN_VARIABLE)
    assert done.exit_code == 0, done.output
    assert (admin.root / "stack.tf").read_text() == APP + SET.format(ROLE)
    assert "var.aws_role_arn" in (app.root / "main.tf").read_text()
    assert "set TF_VAR_aws_role_arn" not in done.output
    again = migrate(admin, app, options=(*IN_VARIABLE, "--check"))
    assert again.exit_code == 0, again.output


def test_a_role_that_a_stack_elsewhere_sets_otherwise_has_the_provider_refused(make_repo: MakeRepo) -> None:
    admin = make_repo({"stack.tf": APP + SET.format(OTHER)}, name="admin")
    app = make_repo({"main.tf": PROFILE}, name="app")
    done = migrate(admin, app, options=IN_VARIABLE)
    assert done.exit_code == 4
    assert "stack.tf:1 sets the variable to another value." in done.output
    assert (app.root / "main.tf").read_text() == PROFILE
    assert (admin.root / "stack.tf").read_text() == APP + SET.format(OTHER)


def test_a_role_that_a_stack_elsewhere_sets_is_respected(make_repo: MakeRepo) -> None:
    admin = make_repo({"stack.tf": APP + SET.format(ROLE)}, name="admin")
    app = make_repo({"main.tf": PROFILE}, name="app")
    done = migrate(admin, app, options=IN_VARIABLE)
    assert done.exit_code == 0, done.output
    assert (admin.root / "stack.tf").read_text() == APP + SET.format(ROLE)
    assert "var.aws_role_arn" in (app.root / "main.tf").read_text()


KEYED = 'terraform {\n  backend "s3" {\n    bucket = "state"\n  }\n}\n\n' + PROFILE
ENVIRONMENT = ("--backend-auth", "env", "--role-arn", ROLE)
INTEGRATION = ("--auth", "cloud-integration", "--role-arn", ROLE)


def test_a_stack_of_another_repository_sets_what_runs_sign_in_by(make_repo: MakeRepo) -> None:
    admin, app = make_repo({"stack.tf": APP}, name="admin"), make_repo({"main.tf": KEYED}, name="app")
    done = migrate(admin, app, options=ENVIRONMENT)
    assert done.exit_code == 0, done.output
    text = (admin.root / "stack.tf").read_text()
    assert f'name       = "AWS_ROLE_ARN"\n  value      = "{ROLE}"' in text
    assert "AWS_WEB_IDENTITY_TOKEN_FILE" in text
    assert "before_init" not in text
    assert "profile" not in (app.root / "main.tf").read_text()
    again = migrate(admin, app, options=(*ENVIRONMENT, "--check"))
    assert again.exit_code == 0, again.output


def test_an_integration_is_attached_to_the_stack_of_another_repository(make_repo: MakeRepo) -> None:
    admin, app = make_repo({"stack.tf": APP}, name="admin"), make_repo({"main.tf": KEYED}, name="app")
    done = migrate(admin, app, options=INTEGRATION)
    assert done.exit_code == 0, done.output
    text = (admin.root / "stack.tf").read_text()
    assert f'role_arn                       = "{ROLE}"' in text
    assert "before_init" not in text
    assert "profile" not in (app.root / "main.tf").read_text()
    again = migrate(admin, app, options=(*INTEGRATION, "--check"))
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize("options", [ENVIRONMENT, INTEGRATION])
@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (
            '\nresource "spacelift_aws_role" "app" {\n  stack_id = spacelift_stack.app.id\n  role_arn = var.role\n}\n',
            "",
        ),
        (
            '\n# tf-oidc-migrate:ignore\nresource "spacelift_environment_variable" "key" {\n'
            '  stack_id = spacelift_stack.app.id\n  name     = "AWS_ACCESS_KEY_ID"\n  value    = var.key\n}\n',
            "The setting at stack.tf:8 gives the stack static credentials",
        ),
    ],
    ids=["integration", "static-keys"],
)
def test_what_a_stack_elsewhere_has_that_would_win_keeps_the_code_as_it_is(
    make_repo: MakeRepo, options: tuple[str, ...], beside: str, said: str
) -> None:
    """Unless it is the integration that is asked for: then only the code changes."""
    admin, app = make_repo({"stack.tf": APP + beside}, name="admin"), make_repo({"main.tf": KEYED}, name="app")
    done = migrate(admin, app, options=options)
    assert (admin.root / "stack.tf").read_text() == APP + beside
    if options is INTEGRATION and not said:
        assert done.exit_code == 0, done.output
        assert "profile" not in (app.root / "main.tf").read_text()
    else:
        assert done.exit_code == 4
        assert (said or "New credentials would mix with them") in " ".join(done.output.split())
        assert (app.root / "main.tf").read_text() == KEYED


def test_the_trust_policy_to_paste_is_terraform(terraform: Terraform, make_repo: MakeRepo) -> None:
    roots = {f"{name}/main.tf": PROFILE for name in ("a", "b")}
    each = 'resource "spacelift_stack" "each" {\n  for_each     = toset(["a", "b"])\n  name         = each.key\n'
    each += '  branch       = "main"\n  repository   = "app"\n  project_root = each.key\n}\n'
    alone = APP.replace("}", '  project_root = "a"\n}')
    repo = make_repo({**roots, "stacks.tf": f"{each}\n{alone}"}, name="app")
    config = Config(mode=Mode.PREVIEW, auth=Auth.CLOUD_INTEGRATION, role_arn=ROLE)
    pasted = [note.paste for note in migrate_repo(str(repo.root), config).notes if "trust" in note.task]
    assert len(pasted) == 1
    assert terraform.is_formatted(pasted[0].encode())
    assert "for attachment in data.spacelift_aws_integration_attachment_external_id.aws_each" in pasted[0]


def test_what_one_repository_tells_the_others_survives_being_written_down(make_repo: MakeRepo) -> None:
    integration = (
        '\nresource "spacelift_aws_role" "app" {\n  stack_id = spacelift_stack.app.id\n  role_arn = var.role\n}\n'
    )
    admin = make_repo({"stack.tf": APP + SET.format(ROLE) + integration}, name="admin")
    app = make_repo({"main.tf": KEYED}, name="app")
    for repo, options in ((admin, {}), (app, {"backend_auth": BackendAuth.ENV, "role_arn": ROLE})):
        survey = survey_repo(str(repo.root), Config(**options))
        assert isinstance(survey, Survey)
        assert from_plain(Survey, json.loads(json.dumps(to_plain(survey)))) == survey
    assert survey.roots[0].by == "variables"
    assert dict(survey.roots[0].variables)["AWS_ROLE_ARN"] == ROLE


STACK_WITH_KEYS = """resource "spacelift_stack" "app" {
  name         = "app"
  repository   = "code"
  branch       = "main"
  manage_state = false
  labels       = ["aws"]
}

resource "spacelift_context" "keys" {
  name   = "keys"
  labels = ["autoattach:aws"]
}

resource "spacelift_environment_variable" "key" {
  context_id = spacelift_context.keys.id
  name       = "AWS_ACCESS_KEY_ID"
  value      = "AKIAIOSFODNN7EXAMPLE"
}
"""
STATE = """terraform {
  backend "s3" {
    bucket   = "state"
    key      = "app.tfstate"
    role_arn = "arn:aws:iam::123456789012:role/terraform-state"
  }
}
"""


@pytest.mark.parametrize(
    ("elsewhere", "is_kept"),
    [
        ('resource "spacelift_stack" "play" {\n  name   = "play"\n  labels = ["aws"]\n  ansible {}\n}\n', True),
        ('resource "spacelift_module" "net" {\n  name   = "net"\n  labels = ["aws", "x"]\n}\n', True),
        ('resource "spacelift_stack" "play" {\n  name   = "play"\n  labels = var.labels\n}\n', True),
        ('resource "spacelift_stack" "play" {\n  name   = "play"\n  labels = ["gcp"]\n}\n', False),
    ],
    ids=["ansible", "module", "unknown", "other"],
)
def test_keys_stay_in_a_context_that_reaches_other_repositories(
    make_repo: MakeRepo, elsewhere: str, is_kept: bool
) -> None:
    admin = make_repo({"main.tf": STACK_WITH_KEYS}, name="admin")
    code = make_repo({"main.tf": STATE}, name="code")
    other = make_repo({"main.tf": elsewhere}, name="other")
    done = migrate(admin, code, other)
    assert done.exit_code == 0, done.output
    text = (admin.root / "main.tf").read_text()
    assert HOOK.partition(" ")[0] in text
    assert ('AWS_ACCESS_KEY_ID"' in text) == is_kept
    assert ("(main.tf:1) gets the credentials too" in done.output) == is_kept
    survey = survey_repo(str(other.root), Config())
    assert isinstance(survey, Survey)
    assert from_plain(Survey, json.loads(json.dumps(to_plain(survey)))) == survey
