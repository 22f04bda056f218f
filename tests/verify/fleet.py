"""A fleet for the verification: two repositories of code, one administrative, and a file of the account."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import MakeRepo, Repo

STATE = "arn:aws:iam::123456789012:role/terraform-state"
DEPLOY = "arn:aws:iam::123456789012:role/deploy"
OTHER = "arn:aws:iam::999988887777:role/terraform-state"
HOST = "demo.app.spacelift.io"
KEYS = 'access_key = "AKIAIOSFODNN7EXAMPLE"\n    secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'
TOKEN = "/mnt/workspace/spacelift.oidc"


def root(key: str, role: str = f'role_arn = "{STATE}"', version: str = "") -> str:
    """A root module with an S3 backend, and no provider that would have to be downloaded."""
    required = f'  required_version = "{version}"\n' if version else ""
    return (
        f'terraform {{\n{required}  backend "s3" {{\n    bucket = "shop-state"\n    key    = "{key}"\n'
        f'    region = "eu-west-1"\n    {role}\n  }}\n}}\n\noutput "key" {{\n  value = "{key}"\n}}\n'
    )


def stack(name: str, repository: str, folder: str, more: str = "") -> str:
    return (
        f'resource "spacelift_stack" "{name}" {{\n  name         = "{name}"\n  slug         = "{name}"\n'
        f'  space_id     = "live-01HZ"\n  repository   = "{repository}"\n  branch       = "main"\n'
        f'  project_root = "{folder}"\n  manage_state = false\n  autodeploy   = true\n{more}}}\n\n'
    )


CONTEXT = (
    'resource "spacelift_context" "tools" {\n  name        = "tools"\n  before_init = ["echo tools"]\n}\n\n'
    'resource "spacelift_context_attachment" "tools" {\n  context_id = spacelift_context.tools.id\n'
    "  stack_id   = spacelift_stack.web.id\n}\n\n"
)
SHOP = {"web/main.tf": root("web.tfstate"), "api/main.tf": root("api.tfstate", version=">= 1.10")}
BILLING = {"rates/main.tf": root("rates.tfstate", KEYS + f'\n    assume_role = {{ role_arn = "{STATE}" }}')}
ADMIN = {
    "main.tf": CONTEXT
    + stack("web", "shop", "web", '  labels       = ["feature:aws_oidc_session_tagging"]\n')
    + stack("api", "shop", "api", '  terraform_version = "1.11.4"\n  terraform_workflow_tool = "CUSTOM"\n')
    + 'locals {\n  setup = ["make rates"]\n}\n\n'
    + stack("rate_cards", "billing", "rates", "  before_init  = concat(local.setup, [])\n")
}


def account() -> dict[str, Any]:
    """What the account tells of its stacks, as `inventory` writes it."""

    def known(name: str, repository: str, folder: str, **more: Any) -> dict[str, Any]:
        vendor = {"__typename": "StackConfigVendorTerraform", "version": "1.11.4", "terraformWorkflowTool": "CUSTOM"}
        place = {"repository": repository, "branch": "main", "projectRoot": folder, "space": "live-01HZ"}
        return {"id": name, "name": name, **place, "vendorConfig": vendor, "labels": [], **more}

    stacks = [known("web", "shop", "web"), known("api", "shop", "api"), known("rate_cards", "billing", "rates")]
    base = {"format": "tf-oidc-migrate inventory", "version": 1, "endpoint": f"https://{HOST}/graphql"}
    return {**base, "readAt": "2026-01-01T00:00:00+00:00", "stacks": stacks}


@dataclass(frozen=True)
class MadeFleet:
    shop: Repo
    billing: Repo
    admin: Repo
    account: Path

    @property
    def paths(self) -> list[str]:
        return [str(repo.root) for repo in (self.admin, self.shop, self.billing)]


def make_fleet(make_repo: MakeRepo, folder: Path, admin: str = "") -> MadeFleet:
    """The fleet as it is before the migration; ``admin`` takes the place of the stacks' definitions."""
    file = folder / "account.json"
    file.write_text(json.dumps(account()))
    return MadeFleet(
        make_repo(SHOP, name="shop"),
        make_repo(BILLING, name="billing"),
        make_repo({"main.tf": admin} if admin else ADMIN, name="admin"),
        file,
    )
