"""An account with ten stacks, and the two repositories in `fixtures/account`: the example of `docs/inventory.md`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import msgspec

from migrator.spacelift.inventory.account import Inventory
from migrator.spacelift.inventory.read import read_account
from migrator.spacelift.inventory.session import HttpSession
from tests.spacelift.spacelift_server import Account, context, element, space, stack

FIXTURE = Path(__file__).parents[2] / "fixtures" / "account"
KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
DNS_ROLE = "arn:aws:iam::123456789012:role/name-service"
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


def written(served: Account) -> Inventory:
    """The inventory that the program reads, of an account that is not served on this machine."""
    found = read_account(HttpSession(served.url, served.tokens[0]))
    return msgspec.structs.replace(found, endpoint="https://acme.app.spacelift.io")


STACKS = {
    "shop": "webshop",
    "search": "webshop",
    "mail": "webshop",
    "billing": "webshop",
    "reports": "webshop",
    "audit": "webshop",
    "network": "platform",
    "dns": "platform",
}
"""The root modules by the repositories that they are in."""


def side_by_side(without: dict[str, Any], with_it: dict[str, Any]) -> str:
    """A table of the stacks: what two reports, made without the inventory and with it, say of each root module."""
    heads = ("Root module", "Defined", "Signs in today", "Without the inventory", "With the inventory")
    lines = [" | ".join(heads), " | ".join(["---"] * len(heads))]
    for path, repo in STACKS.items():
        row = _row(with_it, repo, path)
        remarks = [remark.rstrip(".") for remark in row["remarks"][:2]] if row else ["", ""]
        defined, today = (remark.removeprefix(start) for remark, start in zip(remarks, _STARTS, strict=True))
        lines.append(" | ".join((path, defined, today, _coming(without, repo, path), _coming(with_it, repo, path))))
    return "".join(f"| {line} |\n" for line in lines)


_STARTS = ("Defined ", "Signs in today: ")
_HOOKS = {
    "no-stack-definition": "paste the hook: no stack is known",
    "stack-made-in-spacelift": "attach the hook",
    "stack-made-from-template": "the template brings the hook",
}


def _result(report: dict[str, Any], repo: str) -> dict[str, Any]:
    return next(result for result in report["results"] if Path(result["repository"]).name == repo)


def _row(report: dict[str, Any], repo: str, path: str) -> dict[str, Any] | None:
    return next((row for row in _result(report, repo)["stacks"] if row["code"] == path), None)


def _coming(report: dict[str, Any], repo: str, path: str) -> str:
    """Who signs the backend's requests afterwards, and how the stack gets the hook."""
    result = _result(report, repo)
    signers = [row["after"] for row in result["signers"] if row["root"] == path and row["who"].startswith("backend")]
    codes = [
        item["code"]
        for item in result["findings"]
        if item["rule"] == "spacelift-hook-hcl" and item["path"] == f"{path}/main.tf"
    ]
    is_in_code = any(
        item["rule"] == "spacelift-hook-hcl" and item["outcome"] == "rewritten" and item["message"].endswith(f" {path}")
        for other in report["results"]
        for item in other["findings"]
    )
    hooks = [_HOOKS[code] for code in codes] or ["its definition gets the hook"] * is_in_code
    return "; ".join([*(signers or ["as before, not known who"]), *hooks])
