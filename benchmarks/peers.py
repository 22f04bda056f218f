"""The programs that the tool is measured beside, in a virtual environment of their own, and the rules they are given.

The rules are the closest that each has to what the tool does: static keys of an AWS provider give way to web identity,
and the role of an S3 backend goes. None of them knows of stacks, hooks, variables or what else must change with them.
"""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from measure import Program

HOME = Path(__file__).resolve().parent.parent / ".venv-peers"
_PACKAGES = ("ast-grep-cli", "semgrep", "checkov")
_AST_GREP_RULE = """\
id: {id}
language: hcl
severity: warning
message: static credentials
rule:
  kind: attribute
  has: {{kind: identifier, regex: ^{argument}$}}
  inside: {{kind: body, inside: {{kind: block, has: {{kind: string_lit, regex: '^"{label}"$'}}}}}}
fix: {fix}
"""
_SEMGREP_RULE = """\
- id: {id}
  languages: [terraform]
  severity: WARNING
  message: static credentials
  patterns:
  - pattern-inside: |
      {block} "{label}" {{ ... }}
  - pattern: {argument} = $X
  fix: {fix}
"""
_WEB_IDENTITY = (
    r'"assume_role_with_web_identity {\n    role_arn                = var.aws_role_arn\n'
    r'    web_identity_token_file = \"/mnt/workspace/spacelift.oidc\"\n  }"'
)
_RULES = (
    {"id": "access-key", "block": "provider", "label": "aws", "argument": "access_key", "fix": "''"},
    {"id": "secret-key", "block": "provider", "label": "aws", "argument": "secret_key", "fix": _WEB_IDENTITY},
    {"id": "role", "block": "backend", "label": "s3", "argument": "role_arn", "fix": "''"},
)


def install() -> None:
    """Make the environment, unless it is there."""
    if not (HOME / "bin" / "checkov").exists():
        print(f"installing {', '.join(_PACKAGES)} in {HOME}", file=sys.stderr)
        venv.create(HOME, with_pip=True)
        subprocess.run([HOME / "bin" / "pip", "install", "--quiet", *_PACKAGES], check=True)


def ast_grep(tree: Path, rules: Path) -> Program:
    """ast-grep, which prints the rewrites as diffs."""
    file = rules / "ast-grep.yml"
    file.write_text("---\n".join(_AST_GREP_RULE.format(**rule) for rule in _RULES))
    return Program((HOME / "bin" / "ast-grep", "scan", "--rule", file, "."), tree, (0, 1))


def semgrep(tree: Path, rules: Path) -> Program:
    """semgrep's dry run of its autofix, without asking its server anything."""
    file = rules / "semgrep.yml"
    file.write_text("rules:\n" + "".join(_SEMGREP_RULE.format(**rule) for rule in _RULES))
    options = ("--autofix", "--dryrun", "--metrics=off", "--disable-version-check")
    return Program((HOME / "bin" / "semgrep", "scan", "--config", file, *options, "."), tree)


def checkov(tree: Path) -> Program:
    """checkov's check for static keys in AWS providers; it rewrites nothing."""
    options = ("--framework", "terraform", "--check", "CKV_AWS_41", "--compact", "--quiet")
    return Program((HOME / "bin" / "checkov", "--directory", ".", *options), tree, (0, 1))
