"""An account with ten stacks, and the two repositories of `fixtures/account` that they run; `docs/inventory.md` has it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from tests.spacelift.spacelift_server import Account, context, element, space, stack

FIXTURE = Path(__file__).parents[2] / "fixtures" / "account"
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DNS_ROLE = "arn:aws:iam::123456789012:role/dns"
HOOK = "export $(aws sts assume-role-with-web-identity --role-arn arn:aws:iam::123456789012:role/audit-state)"
TOFU = {"__typename": "StackConfigVendorOpenTofu", "version": "1.9.0", "workflowTool": "OPENTOFU"}


def _keys() -> list[dict[str, Any]]:
    return [element("AWS_ACCESS_KEY_ID", KEY_ID), element("AWS_SECRET_ACCESS_KEY", SECRET)]


def _attached(*names: str) -> list[dict[str, Any]]:
    return [
        {"contextId": name, "contextName": name, "priority": number, "isAutoattached": False}
        for number, name in enumerate(names)
    ]


def _to(*slugs: str) -> list[dict[str, Any]]:
    return [{"stackId": slug, "isModule": False, "isAutoattached": False, "priority": 0} for slug in slugs]


def account() -> Account:
    """By code: shop and network. By template: reports-eu. By hand: the others. legacy runs a third repository."""
    dev = {"id": "dev", "name": "dev", "roleArn": "arn:aws:iam::123456789012:role/dev", "durationSeconds": 3600}
    more = {"generateCredentialsInWorker": False, "labels": [], "autoattachEnabled": False, "space": "root"}
    attached_dev = [{"id": "1", "integrationId": "dev", "name": "dev", "read": True, "write": True}]
    return Account(
        stacks=[
            stack("shop", attachedContexts=_attached("aws-keys")),
            stack("search", vendorConfig=TOFU, attachedContexts=_attached("aws-keys"), space="payments-01HND2KV9A"),
            stack("mail", config=_keys(), labels=["feature:aws_oidc_session_tagging"]),
            stack("billing", attachedAwsIntegrations=attached_dev),
            stack("reports-eu", name="Reports EU", projectRoot="reports", attachedContexts=_attached("report-keys")),
            stack("audit", attachedContexts=_attached("oidc")),
            stack("network", repository="platform", branch="main", config=[element("AWS_PROFILE", "network")]),
            stack(
                "dns",
                repository="platform",
                vendorConfig=TOFU,
                config=[*_keys(), element("TF_VAR_aws_role_arn", DNS_ROLE)],
            ),
            stack("legacy", repository="intranet", projectRoot="", attachedContexts=_attached("report-keys")),
            stack("playbooks", repository="platform", vendorConfig={"__typename": "StackConfigVendorAnsible"}),
        ],
        contexts=[
            context("aws-keys", config=_keys(), attachedStacks=_to("shop", "search")),
            context("report-keys", config=_keys(), attachedStacks=_to("reports-eu", "legacy")),
            context(
                "oidc",
                hooks={**context("oidc")["hooks"], "beforeInit": [HOOK]},
                attachedStacks=_to("audit"),
            ),
        ],
        integrations=[{**dev, **more}],
        spaces=[space("root", None), space("payments-01HND2KV9A")],
    )


def repositories(folder: Path) -> list[Path]:
    """Checkouts of the fixture's repositories, made in ``folder``."""
    made = []
    for name in ("webshop", "platform"):
        shutil.copytree(FIXTURE / name, folder / name)
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.com"]
        for command in (
            ["init", "-q", "-b", "main", "."],
            ["remote", "add", "origin", f"https://github.com/acme/{name}.git"],
            ["add", "."],
            [*identity, "commit", "-qm", "code"],
        ):
            subprocess.run(["git", *command], cwd=folder / name, check=True)
        made.append(folder / name)
    return made
