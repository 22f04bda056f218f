"""The order of rollout: trust first, rotation last, and everything named that a person must touch."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest

from migrator.config import Auth, Config, RoleIn
from migrator.fleet import parts
from migrator.model import Mode, Refusal, RepoResult, Survey
from migrator.pipeline import migrate_repo, open_workspace, survey_repo
from migrator.report.rollout import rollout
from migrator.trust.known import learn, trusts_of, uses_of
from tests.conftest import FIXTURES, MakeRepo, Repo
from tests.results import HOSTILE, KEYS, REWRITE, finding, migrated

CONFIG = Config(mode=Mode.BRANCH)
STATE = "arn:aws:iam::123456789012:role/terraform-state"


def section(text: str, title: str) -> str:
    found = re.search(rf"^## (?:\d\. )?{title}[^\n]*\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, text
    return found[1]


@pytest.fixture
def webshop(make_repo: MakeRepo) -> Repo:
    return make_repo(source=FIXTURES / "repos" / "webshop", name="webshop")


def test_the_steps_of_a_repository_in_their_order(webshop: Repo) -> None:
    repo = str(webshop.root)
    trusts = trusts_of(uses_of([learn(open_workspace(repo, CONFIG), CONFIG)]))
    text = rollout([replace(migrate_repo(repo, CONFIG), repo="webshop")], trusts)
    titles = ["Let AWS trust", "Make the variables", "Push the branch", "Let each stack run", "Remove", "Rotate"]
    assert [line[6:] for line in text.splitlines() if re.match(r"## \d\.", line)] == [
        next(line[6:] for line in text.splitlines() if line.startswith(f"## {number}. {title}"))
        for number, title in enumerate(titles, 1)
    ]
    assert f"- `{STATE}`: `spacelift_stack.releases`\n" in section(text, "Let AWS trust")
    live = section(text, "Make the variables")
    assert "`webshop`: set TF_VAR_aws_role_arn to the ARN of a role on the stacks that run `shop`" in live
    assert "TF_VAR_aws_role_arn_dns" in live
    assert "`spacelift/stacks.tf:18`" in live
    push = section(text, "Push the branch")
    assert "- `webshop`: `spacelift-oidc`\n" in push
    assert "starts proposed runs" in push
    assert re.search(r"discard the runs.*\n +- `spacelift_stack.shop`, which runs shop\n", push)
    assert "`spacelift_stack.releases`: its runs wait for confirmation" in section(text, "Let each stack run")
    assert "`shop/providers.tf:4`" in section(text, "Rotate")
    developers = section(text, "For developers")
    assert "terraform init -reconfigure" in developers
    assert "`releases/main.tf:3`" in developers
    assert "Not migrated" not in text
    assert not any(key in text for key in KEYS)


def test_stacks_of_another_repository_come_once(make_repo: MakeRepo) -> None:
    folders = [
        make_repo(source=FIXTURES / "repos" / name, name=name).root for name in ("platform-admin", "platform-code")
    ]
    surveys = [one for folder in folders if isinstance(one := survey_repo(str(folder), CONFIG), Survey)]
    known = zip(surveys, parts(surveys), strict=True)
    text = rollout([migrate_repo(survey.repo, CONFIG, fleet) for survey, fleet in known])
    push = section(text, "Push the branch")
    assert push.count("`spacelift_stack.network`") == 1
    assert "spacelift_stack.docs" not in push
    assert "merge and apply the stacks' definitions" in section(text, "Make the variables")


def test_a_hook_to_paste_is_there_to_be_pasted(make_repo: MakeRepo) -> None:
    backend = f'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    role_arn = "{STATE}"\n  }}\n}}\n'
    text = rollout([migrate_repo(str(make_repo({"main.tf": backend}).root), CONFIG)])
    live = section(text, "Make the variables")
    assert "\n      export $(printf " in live
    assert f"--role-arn {STATE} " in live


def test_what_is_refused_keeps_its_keys() -> None:
    result = migrated()
    refused = replace(result, findings=(finding(REWRITE), finding(Refusal("it is odd"), 9)))
    text = rollout([refused])
    assert "`shop: live/main.tf:9`: it is odd" in section(text, "Not migrated")
    assert "not where something was refused" in section(text, "Remove")
    assert "not where something was refused" not in rollout(
        [replace(result, findings=(finding(REWRITE),), problems=())]
    )


@pytest.mark.parametrize(
    "results", [[], [RepoResult("shop", Mode.BRANCH)], [replace(migrated(), error="git says no")]], ids=range(3)
)
def test_nothing_migrated_is_nothing_to_roll_out(results: list[RepoResult]) -> None:
    assert rollout(results) == "# Order of rollout\n\nNothing was migrated, so there is nothing to roll out.\n"


@pytest.mark.parametrize("hostile", HOSTILE)
def test_texts_of_a_repository_are_text(hostile: str) -> None:
    result = migrated()
    stacks = tuple(replace(one, title=hostile, code=hostile, remarks=(hostile,)) for one in result.stacks)
    findings = (finding(REWRITE), finding(Refusal(hostile), 9))
    text = rollout([replace(result, repo=hostile, stacks=stacks, findings=findings)], {STATE: [hostile]})
    (command,) = re.findall(r"^    (tf-oidc-migrate trust .*)$", text, re.MULTILINE)
    assert len(shlex.split(command)) == 5
    outside = re.sub(r"`[^`\n]*`|<code>[^<]*</code>", "", text.replace(command, ""))
    assert not re.search(r"<\w|\]\(|https?://|@\w", outside)
    assert not any(key in text for key in KEYS)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", text)


def test_an_integration_is_rolled_out_before_the_code(make_repo: MakeRepo) -> None:
    stack = 'resource "spacelift_stack" "app" {\n  name       = "app"\n  branch     = "main"\n  repository = "app"\n}\n'
    repo = make_repo({"main.tf": 'provider "aws" {\n  profile = "app"\n}\n', "stack.tf": stack}, name="app")
    config = replace(CONFIG, auth=Auth.CLOUD_INTEGRATION, role_arn=STATE)
    result = migrate_repo(str(repo.root), config)
    text = rollout([replace(result, repo="app")])
    assert "trusts Spacelift's account instead" in section(text, "Let AWS trust")
    live = section(text, "Make the variables")
    assert "merge and apply the stacks' definitions before the code that they run: `stack.tf:1`" in live
    assert "assume_role_policy" in live
    assert "spacelift_stack.app" in section(text, "Push")
    assert [row.hook for row in result.stacks] == ["none needed: the AWS integration is attached"]


def test_a_variable_is_told_once_with_its_value(make_repo: MakeRepo) -> None:
    repo = make_repo({"main.tf": 'provider "aws" {\n  profile = "app"\n}\n'}, name="app")
    config = replace(CONFIG, role_in=RoleIn.VARIABLE, role_arn=STATE)
    text = rollout([replace(migrate_repo(str(repo.root), config), repo="app")])
    live = section(text, "Make the variables")
    assert live.count("set TF_VAR_aws_role_arn to this value") == 1
    assert f"      {STATE}" in live
