"""Files that a slow reader would never finish: each a function of how often the hostile piece is repeated."""

from __future__ import annotations

import json
from collections.abc import Callable

PROVIDER = 'provider "aws" {\n  region     = "eu-west-1"\n  access_key = "AKIAIOSFODNN7EXAMPLE"\n'
END = "}\n"


STACK = 'resource "spacelift_stack" "s#" {\n  name = "s#"\n  repository = "webshop"\n}\n'
BACKEND = """terraform {
  backend "s3" {
    bucket   = "b#"
    role_arn = "arn:aws:iam::123456789012:role/s"
  }
}
"""
REMOTE_STATE = """data "terraform_remote_state" "s#" {
  backend = "s3"
  config = {
    bucket     = "b"
    access_key = "AKIAIOSFODNN7EXAMPLE"
  }
}
"""


def in_provider(piece: str, close: str = "") -> Callable[[int], str]:
    """An AWS provider with an argument of one line."""
    return lambda count: f"{PROVIDER}  profile = {piece * count}{close * count}\n{END}"


def profile(begin: str, piece: str, end: str = "") -> Callable[[int], str]:
    return lambda count: f"{PROVIDER}  profile = {begin}{piece * count}{end}\n{END}"


def commented(piece: str) -> Callable[[int], str]:
    return lambda count: f"{PROVIDER}  # {piece * count}\n{END}"


def before_provider(piece: str, end: str = "\n") -> Callable[[int], str]:
    return lambda count: piece * count + end + PROVIDER + END


def inside_provider(piece: str) -> Callable[[int], str]:
    return lambda count: PROVIDER + piece * count + END


def numbered(piece: str) -> Callable[[int], str]:
    return lambda count: PROVIDER + "".join(piece.replace("#", str(number)) for number in range(count)) + END


def blocks(piece: str) -> Callable[[int], str]:
    return lambda count: PROVIDER + END + "".join(piece.replace("#", str(number)) for number in range(count))


HCL: dict[str, Callable[[int], str]] = {
    "quotes": in_provider('"'),
    "an even number of quotes": in_provider('""'),
    "a string of backslashes": in_provider("\\\\"),
    "backslashes in a string": profile('"', "\\\\", '"'),
    "dollars in a string": profile('"', "$", '"'),
    "escapes of templates": profile('"', "$${", '"'),
    "open templates": in_provider('"${'),
    "nested templates": in_provider('"${', '}"'),
    "templates side by side": profile('"', "${a}", '"'),
    "braces": in_provider("{"),
    "closed braces": in_provider("{", "}"),
    "closed brackets": in_provider("[", "]"),
    "closed parentheses": in_provider("(", ")"),
    "closing braces": before_provider("}"),
    "signs": in_provider("-"),
    "negations": in_provider("!", ""),
    "conditions": profile("", "a ? b : ", "c"),
    "a sum": profile("", "a + ", "c"),
    "indices": in_provider("a[", "]"),
    "attributes of attributes": lambda count: f"{PROVIDER}  profile = a{'.b' * count}\n{END}",
    "a long string": profile('"', "x", '"'),
    "a long name": lambda count: f"{PROVIDER}  {'x' * count} = 1\n{END}",
    "letters and no value": before_provider("x"),
    "a list": lambda count: f"{PROVIDER}  allowed_account_ids = [{'1, ' * count}]\n{END}",
    "a list of lines": profile("[\n", "    1,\n", "  ]"),
    "an object": lambda count: PROVIDER + "  a = {" + ", ".join(f"a{n} = 1" for n in range(count)) + "}\n" + END,
    "arguments": numbered("  a# = 1\n"),
    "arguments with comments": numbered("  a# = 1 # why\n"),
    "arguments with comments above": numbered("  # why\n  a# = 1\n"),
    "arguments apart": numbered("  a# = 1\n\n"),
    "nested blocks side by side": numbered("  a# {\n  }\n"),
    "nested blocks": lambda count: PROVIDER + "  a {\n" * count + "}\n" * count + END,
    "comments in a block": inside_provider("  # a comment\n"),
    "comments of one line": inside_provider("  /* a */\n"),
    "comments on one line": inside_provider("  /* a */"),
    "comments before": before_provider("# a comment\n", ""),
    "comments before on one line": before_provider("/* a */"),
    "comments that are open": before_provider("/*"),
    "slashes": before_provider("/"),
    "blank lines in a block": inside_provider("\n"),
    "blank lines before": before_provider("\n"),
    "blanks in a block": inside_provider(" "),
    "blanks and a comment": inside_provider("  \t  \n  # x\n"),
    "blanks at the end": lambda count: PROVIDER + END + " " * count,
    "blanks before a newline": before_provider(" "),
    "carriage returns": before_provider("\r"),
    "heredocs": numbered("  a# = <<EOT\nx\nEOT\n"),
    "heredocs that are open": numbered("  a# = <<EOT#\n"),
    "markers in a heredoc": profile("<<EOT\n", " EOT x", "\nEOT"),
    "lines in a heredoc": profile("<<EOT\n", "EO\n", "EOT"),
    "blanks in a heredoc": profile("<<EOT\n", " ", "\nEOT"),
    "dollars in a heredoc": profile("<<EOT\n", "$", "\nEOT"),
    "templates in a heredoc": profile("<<EOT\n", "${a}", "\nEOT"),
    "less than": in_provider("<"),
    "equals signs": in_provider("="),
    "blocks": blocks('resource "a" "b#" {}\n'),
    "blocks apart": blocks('resource "a" "b#" {}\n\n'),
    "providers": blocks('provider "aws" {\n  alias = "a#"\n  access_key = "AKIAIOSFODNN7EXAMPLE"\n}\n'),
    "providers apart": blocks('\nprovider "aws" {\n  alias = "a#"\n  access_key = "AKIAIOSFODNN7EXAMPLE"\n}\n'),
    "variables": blocks('variable "v#" {\n  default = "x"\n}\n'),
    "locals": blocks("locals {\n  v# = local.v#\n}\n"),
    "locals on each other": lambda count: (
        PROVIDER
        + "  profile = local.v0\n"
        + END
        + "".join(f"locals {{\n  v{n} = local.v{n + 1}\n}}\n" for n in range(count))
    ),
    "locals on each other that stay": lambda count: (
        PROVIDER
        + "  profile = local.v0\n"
        + END
        + "".join(f"locals {{\n  v{n} = local.v{n + 1}\n}}\n" for n in range(count))
        + 'output "profile" {\n  value = local.v0\n}\n'
    ),
    "locals twice each other": lambda count: (
        PROVIDER
        + "  profile = local.v0\n"
        + END
        + "".join(f'locals {{\n  v{n} = "${{local.v{n + 1}}}${{local.v{n + 1}}}"\n}}\n' for n in range(count))
    ),
    "modules": blocks('module "m#" {\n  source = "./x"\n  providers = {\n    aws = aws\n  }\n}\n'),
    "stacks": blocks(STACK),
    "backends": blocks(BACKEND),
    "remote states": blocks(REMOTE_STATE),
    "labels": lambda count: "resource " + '"a" ' * count + "{}\n" + PROVIDER + END,
    "letters of a key": lambda count: PROVIDER + '  secret_key = "' + "A" * count + '"\n' + END,
    "words that tell": profile('"', "secret_", '"'),
    "names that tell": lambda count: f"{PROVIDER}{'secret' * count} = 1\n{END}",
    "dashes": commented("-"),
    "beginnings of a private key": commented("-----BEGIN PRIVATE KEY-----"),
    "URLs": commented("://"),
    "secrets": numbered('  token# = "secret number #"\n'),
}


def provider_json(**more: object) -> str:
    return json.dumps({"provider": {"aws": {"access_key": "AKIAIOSFODNN7EXAMPLE", "region": "x", **more}}}, indent=2)


JSON: dict[str, Callable[[int], str]] = {
    "brackets": lambda count: "[" * count,
    "closed brackets": lambda count: "[" * count + "]" * count,
    "closed braces": lambda count: '{"a":' * count + "1" + "}" * count,
    "quotes": lambda count: '"' * count,
    "a long string": lambda count: provider_json(a="x" * count),
    "backslashes": lambda count: provider_json(a="\\" * count),
    "a string that is open": lambda count: '{"provider": "' + "\\\\" * count,
    "a long number": lambda count: '{"provider": ' + "1" * count + "}",
    "a long word": lambda count: '{"provider": ' + "n" * count + "}",
    "templates": lambda count: provider_json(a="${a}" * count),
    "open templates": lambda count: provider_json(a="${" * count),
    "an array": lambda count: provider_json(a=[1] * count),
    "an object": lambda count: provider_json(a={f"a{n}": 1 for n in range(count)}),
    "arguments": lambda count: provider_json(**{f"a{n}": 1 for n in range(count)}),
    "blanks": lambda count: "{" + " " * count + "}",
    "blanks at the end": lambda count: provider_json() + "\n" * count,
    "providers": lambda count: json.dumps(
        {"provider": [{"aws": {"alias": f"a{n}", "access_key": "AKIAIOSFODNN7EXAMPLE"}} for n in range(count)]}
    ),
    "providers on lines": lambda count: json.dumps(
        {"provider": {"aws": [{"alias": f"a{n}", "profile": f"p{n}"} for n in range(count)]}}, indent=1
    ),
    "resources": lambda count: json.dumps(
        {"resource": {"spacelift_stack": {f"s{n}": {"name": "s", "repository": "webshop"} for n in range(count)}}}
    ),
    "comments": lambda count: '{"provider": {"aws": {' + '"//": 1, ' * count + '"profile": "x"}}}',
}

YAML: dict[str, Callable[[int], str]] = {
    "a list": lambda count: "stacks:\n" + "- a\n" * count,
    "stacks": lambda count: (
        "stacks:\n"
        + "".join(
            f"  s{n}:\n    name: s{n}\n    repository: webshop\n    before_init:\n      - x\n" for n in range(count)
        )
    ),
    "stacks in one file": lambda count: (
        "stack_defaults:\n  before_init: []\nstacks:\n"
        + "".join(f"  s{n}:\n    before_init: []\n" for n in range(count))
    ),
    "flow lists": lambda count: "a: " + "[" * count,
    "closed flow lists": lambda count: "a: " + "[" * count + "]" * count,
    "a flow list": lambda count: "stacks: [" + "a, " * count + "]\n",
    "nested lists": lambda count: "- " * count + "a\n",
    "nested mappings": lambda count: "".join(" " * n + "a:\n" for n in range(min(count, 3000))),
    "questions": lambda count: "? " * count,
    "a long word": lambda count: "stacks: " + "x" * count,
    "a long line of words": lambda count: "stacks: " + "x " * count,
    "a quoted string": lambda count: "stacks: '" + "x" * count + "'\n",
    "quotes": lambda count: "'" * count,
    "backslashes": lambda count: 'stacks: "' + "\\" * count,
    "comments": lambda count: "# a\n" * count + "stacks: {}\n",
    "hashes": lambda count: "stacks: a" + " #" * count + "\n",
    "blank lines": lambda count: "stacks:\n" + "\n" * count + "  a: 1\n",
    "blanks": lambda count: "stacks:\n" + " " * count + "\n  a: 1\n",
    "tags": lambda count: "stacks: " + "!" * count + "\n",
    "anchors": lambda count: "stacks: &" + "a" * count + " b\n",
    "many anchors": lambda count: "stacks:\n" + "".join(f"- &a{n} b\n- *a{n}\n" for n in range(count)),
    "aliases on aliases": lambda count: (
        "a0: &a0 [x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}, *a{n}, *a{n}]\n" for n in range(min(count, 90)))
        + "before_init: *a9\n"
    ),
    "merges": lambda count: (
        "a0: &a0 {before_init: [x]}\n"
        + "".join(f"a{n + 1}: &a{n + 1}\n  <<: [*a{n}, *a{n}]\n" for n in range(min(count, 90)))
    ),
    "documents": lambda count: "---\na: 1\n" * count,
    "a literal": lambda count: "stacks: |\n" + "  x\n" * count,
    "blank lines in a literal": lambda count: "stacks: |\n  x\n" + "\n" * count + "  x\n",
}

PYTHON_HEAD = "from cdktf_cdktf_provider_aws.provider import AwsProvider\n\n"
PYTHON: dict[str, Callable[[int], str]] = {
    "a sum": lambda count: PYTHON_HEAD + f"x = {'1 + ' * count}1\n",
    "strings in a row": lambda count: PYTHON_HEAD + "x = (" + '"a" ' * count + ")\n",
    "parentheses": lambda count: PYTHON_HEAD + "x = " + "(" * count,
    "closed parentheses": lambda count: PYTHON_HEAD + "x = " + "(" * count + ")" * count,
    "signs": lambda count: PYTHON_HEAD + "x = " + "-" * count + "1\n",
    "attributes": lambda count: PYTHON_HEAD + "x = a" + ".b" * count + "\n",
    "calls": lambda count: PYTHON_HEAD + "x = a" + "()" * count + "\n",
    "a list": lambda count: PYTHON_HEAD + f"x = [{'1, ' * count}]\n",
    "statements": lambda count: PYTHON_HEAD + "x = 1\n" * count,
    "names of names": lambda count: (
        PYTHON_HEAD
        + "x0 = 'a'\n"
        + "".join(f"x{n + 1} = x{n} + x{n}\n" for n in range(count))
        + f"AwsProvider(self, 'aws', access_key=x{count})\n"
    ),
    "providers": lambda count: (
        PYTHON_HEAD + "".join(f"AwsProvider(self, 'a{n}', access_key='AKIAIOSFODNN7EXAMPLE')\n" for n in range(count))
    ),
    "providers that share": lambda count: (
        PYTHON_HEAD
        + "k = 'AKIAIOSFODNN7EXAMPLE'\n"
        + "".join(f"AwsProvider(self, 'a{n}', access_key=k)\n" for n in range(count))
    ),
    "comments": lambda count: PYTHON_HEAD + "# a\n" * count + "AwsProvider(self, 'a', profile='a')\n",
    "a long string": lambda count: PYTHON_HEAD + f"x = '{'x' * count}'\n",
    "functions": lambda count: PYTHON_HEAD + "".join(f"def f{n}(a):\n    return a\n" for n in range(count)),
    "nested functions": lambda count: PYTHON_HEAD + "".join(" " * n + f"def f{n}():\n" for n in range(min(count, 90))),
    "conditions": lambda count: PYTHON_HEAD + "x = " + "a if b else " * count + "c\n",
    "backslashes": lambda count: PYTHON_HEAD + "x = \\\n" * count,
    "lambdas": lambda count: PYTHON_HEAD + "x = " + "lambda: " * count + "1\n",
}
