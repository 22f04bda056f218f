"""Commands within Terraform that name a profile or keys of AWS are listed: they still need what the providers give up.

Such are ``exec`` in the kubernetes and helm providers, https://registry.terraform.io/providers/hashicorp/kubernetes,
``local-exec`` provisioners, ``data "external"``, and hooks of Spacelift's stacks and contexts. The credentials of a
provider block do not reach these commands. Code that calls AWS with the credentials of the environment is listed as
well, unless a hook signs in its stacks.

Before:

```hcl
# main.tf
provider "aws" {
  region  = "eu-west-1"
  profile = "production"
}

provider "kubernetes" {
  host = "https://cluster.example.com"

  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "aws"
    args        = ["eks", "get-token", "--cluster-name", "shop", "--profile", "production"]
  }
}
```

After:

```hcl
# main.tf
provider "aws" {
  region = "eu-west-1"

  assume_role_with_web_identity {
    role_arn                = var.aws_role_arn
    web_identity_token_file = "/mnt/workspace/spacelift.oidc"
  }
}

provider "kubernetes" {
  host = "https://cluster.example.com"

  exec {
    api_version = "client.authentication.k8s.io/v1beta1"
    command     = "aws"
    args        = ["eks", "get-token", "--cluster-name", "shop", "--profile", "production"]
  }
}
```

```hcl
# variables.tf
variable "aws_role_arn" {
  description = "ARN of the IAM role assumed with the Spacelift OIDC token"
  type        = string
}
```

And the report says:

```text
main.tf:12: provider "kubernetes": a command uses --profile: command-needs-credentials
```
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

from migrator.model.diagnostics import Diagnostic
from migrator.model.findings import Finding, Place
from migrator.regex import regex
from migrator.rules.registry import Rule
from migrator.terraform.commands import commands, uses_environment
from migrator.terraform.credential_names import exported

if TYPE_CHECKING:
    from migrator.decide.context import Context
    from migrator.decide.facts import Facts
    from migrator.span import Span
    from migrator.terragrunt.units import Terragrunt
    from migrator.workspace.document import Document
    from migrator.workspace.module import Module

_NAMES = regex(
    r"(?m)^(?![ \t]*(?:#|//)).*?(?P<name>--profile\b|\bAWS_(?:DEFAULT_)?PROFILE\b"
    r"|\bAWS_(?:ACCESS_KEY(?:_ID)?|SECRET(?:_ACCESS)?_KEY|SESSION_TOKEN|SECURITY_TOKEN)\b)"
)

_IN_HOOKS = regex(r"--profile(?![\w-])|\bAWS_(?:DEFAULT_)?PROFILE(?==)|\bconfigure set aws_(?:access|secret)\w+")

COMMAND_NEEDS_CREDENTIALS = Diagnostic(
    "command-needs-credentials",
    found="The command uses static credentials or a profile.",
    why="Web identity of the provider does not reach the command, so nothing was changed.",
    help="Give the command credentials, for example with a hook on the stack.",
)
GIVE_COMMANDS_CREDENTIALS = Diagnostic(
    "give-commands-credentials",
    found="Give these commands credentials before the profile or the keys are removed.",
    why="Commands in `exec` blocks, provisioners and hooks sign in on their own, not through the provider.",
    help="Let the stack run a hook (`--backend-auth hook`), and remove the profile from the command.",
)
NEEDS_ENVIRONMENT = Diagnostic(
    "needs-environment",
    found="This code calls AWS with the credentials of the environment.",
    why="Web identity of a provider does not reach this code, and the stacks of the root module get no hook.",
    help="Give the stacks a hook or an AWS integration before static keys are removed from the stacks.",
)
GIVE_STACKS_CREDENTIALS = Diagnostic(
    "give-stacks-credentials",
    found="Give the stacks of this code a hook or an AWS integration before static keys are removed.",
    help="These places call AWS with the credentials of the environment. `--auth cloud-integration` attaches a role.",
)


def check(context: Context) -> Iterator[Finding]:
    """A finding for each block with such a command, if the repository has something to migrate."""
    if not _is_migrating(context.facts):
        return
    modules = list(context.workspace.interesting_modules())
    of_modules = (command for module in modules for command in commands(module))
    named: set[tuple[str, int]] = set()
    for document, part, title in chain(of_modules, _of_terragrunt(context.facts.terragrunt)):
        match = _NAMES.search(part.of(document.text))
        if match is not None:
            named.add((document.path, part.start))
            yield _finding(document, part.start + match.start("name"), title, match["name"])
    for module in modules:
        yield from _of_hooks(module)
        for (document, part, title), what in uses_environment(module):
            roots = context.workspace.roots_of(module)
            is_told = (document.path, part.start) in named or context.removes(document.path, part)
            if not is_told and any(_loses_keys(context, root) for root in roots):
                place = Place(document.path, document.source.line(part.start))
                fix = document.ignored if document.is_excluded else NEEDS_ENVIRONMENT.left_alone()
                yield RULE.finding(place, f"{title}: {what}", fix, notes=(GIVE_STACKS_CREDENTIALS.note(str(place)),))


def _finding(document: Document, offset: int, title: str, name: str) -> Finding:
    place = Place(document.path, document.source.line(offset))
    fix = document.ignored if document.is_excluded else COMMAND_NEEDS_CREDENTIALS.left_alone()
    note = GIVE_COMMANDS_CREDENTIALS.note(str(place))
    return RULE.finding(place, f"{title}: a command uses {name}", fix, notes=(note,), subject=title, names=(name,))


def _of_hooks(module: Module) -> Iterator[Finding]:
    """A finding for each hook of a stack or context with such a command; an export is a matter of the new hook."""
    for type_ in ("spacelift_stack", "spacelift_context"):
        for document, block in module.blocks("resource", type_):
            for hooks in (given for given in block.attributes if given.name.startswith(("before_", "after_"))):
                match = _IN_HOOKS.search(hooks.value.of(document.text))
                line = document.source.line(hooks.value.start + match.start()) if match else 0
                if match is not None and not exported(document.text.splitlines()[line - 1].replace('"', " ")):
                    yield _finding(document, hooks.value.start + match.start(), block.title(), match[0])


def _loses_keys(context: Context, root: Module) -> bool:
    """Whether the root module's providers are migrated, and nothing signs in for its commands afterwards."""
    is_migrating = any(
        provider.credentials and provider.skip_reason is None for provider in context.role_mappings.providers(root.path)
    ) or any(root is module.module for module in context.facts.modules_with_static_keys)
    return is_migrating and not context.environment_roots.has_credentials(root.path)


def _is_migrating(facts: Facts) -> bool:
    return (
        bool(facts.modules_with_static_keys)
        or any(provider.credentials for provider in facts.providers)
        or any(root.names_credentials for root in facts.roots)
        or any(unit.names_credentials for unit in facts.terragrunt.units)
    )


def _of_terragrunt(terragrunt_files: Terragrunt) -> Iterator[tuple[Document, Span, str]]:
    """The parts of Terragrunt's files that run commands: its own hooks, and ``run_cmd``."""
    for document in terragrunt_files.documents:
        for terraform in (block for block in document.blocks if block.type == "terraform"):
            for hook in terraform.blocks():
                execute = hook.attribute("execute") if hook.type.endswith("_hook") else None
                if execute is not None:
                    yield document, execute.span, hook.title()
        for attribute in (
            attribute for block in document.blocks if block.type == "locals" for attribute in block.attributes
        ):
            if "run_cmd(" in attribute.value.of(document.text):
                yield document, attribute.span, f"local.{attribute.name}"


RULE = Rule("commands-with-credentials", "commands that use a profile or keys of AWS are listed", check, phase=2)
