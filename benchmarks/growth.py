"""How a preview grows with what a repository holds: ``python benchmarks/growth.py [KIND …] …``.

Each kind is a repository with some number of one thing, which is doubled twice. A kind that takes linear
time costs twice as much each time, or less. The tests measure the same repositories at smaller sizes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

Files = dict[str, str]
Maker = Callable[[int], Files]

_KEYS = '  access_key = "AKIAIOSFODNN7EXAMPLE"\n  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'
_PROVIDER = 'provider "aws" {\n  region     = "eu-west-1"\n' + _KEYS + "}\n"
_FROM_VARIABLES = """\
variable "access_key" {}
variable "secret_key" {}

provider "aws" {
  region     = "eu-west-1"
  access_key = var.access_key
  secret_key = var.secret_key
}
"""
_BACKEND = """\
terraform {
  backend "s3" {
    bucket   = "state"
    key      = "@"
    region   = "eu-west-1"
    role_arn = "arn:aws:iam::123456789012:role/state"
  }
}
"""
_STACK = """\
resource "spacelift_stack" "s@" {
  name         = "s@"
  repository   = "growth"
  branch       = "main"
  project_root = "roots/r@"
}
"""
_CONTEXT = """\
resource "spacelift_context" "c@" {
  name   = "c@"
  labels = ["autoattach:l@"]
}
"""
_ATTACHMENT = """\
resource "spacelift_context_attachment" "a@" {
  context_id = spacelift_context.c@.id
  stack_id   = spacelift_stack.s@.id
}
"""
_SETTING = """\
resource "spacelift_environment_variable" "e@" {
  context_id = spacelift_context.c@.id
  name       = "AWS_ACCESS_KEY_ID"
  value      = "AKIAIOSFODNN7EXAMPLE"
  write_only = false
}
"""


def each(piece: str, count: int) -> str:
    """``piece`` so often, with its number in place of each ``@``."""
    return "".join(piece.replace("@", str(number)) for number in range(count))


def alike(piece: str, before: str = "", after: str = "", path: str = "main.tf", beside: Files | None = None) -> Maker:
    """A file of many a ``piece``, with the same ``before`` and ``after`` them, ``beside`` other files."""
    return lambda count: {path: before + each(piece, count) + after} | (beside or {})


def roots(count: int, text: str = _BACKEND + _PROVIDER) -> Files:
    return {f"roots/r{number}/main.tf": text.replace("@", str(number)) for number in range(count)}


def roots_with_values(count: int) -> Files:
    values = 'access_key = "AKIAIOSFODNN7EXAMPLE"\nsecret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'
    named = {f"roots/r{number}/terraform.tfvars": values for number in range(count)}
    return roots(count, _BACKEND + _FROM_VARIABLES) | named


def tower(count: int, bottom: str = "") -> Files:
    """Modules of which each calls the next twice, with a provider in the last, and ``bottom``."""
    given = "access_key = var.access_key\n  secret_key = var.secret_key"
    taken = 'variable "access_key" {}\nvariable "secret_key" {}\n'
    files = {}
    for number in range(count):
        source = f"../m{number + 1}"
        calls = "".join(f'module "{name}" {{\n  source = "{source}"\n  {given}\n}}\n' for name in "ab")
        files[f"m{number}/main.tf"] = (taken if number else _BACKEND + taken) + calls
    return files | {f"m{count}/main.tf": _FROM_VARIABLES + bottom}


def tower_of_stacks(count: int) -> Files:
    return tower(count, _STACK.replace('"s@"\n', "var.access_key\n", 1).replace("@", "0"))


def flat_calls(count: int) -> Files:
    key = '  access_key = "AKIAIOSFODNN7EXAMPLE"\n  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'
    call = f'module "m@" {{\n  source = "./child"\n{key}}}\n'
    return {"main.tf": _BACKEND + each(call, count), "child/main.tf": _FROM_VARIABLES}


def calls_of_many(count: int) -> Files:
    key = '  access_key = "AKIAIOSFODNN7EXAMPLE"\n  secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"\n'
    call = f'module "m@" {{\n  source = "./child@"\n{key}}}\n'
    children = {f"child{number}/main.tf": _FROM_VARIABLES for number in range(count)}
    return {"main.tf": _BACKEND + each(call, count)} | children


def chain_of_locals(count: int) -> Files:
    chain = "".join(f"  l{number} = local.l{number + 1}\n" for number in range(count))
    text = "locals {\n" + chain + f'  l{count} = "AKIAIOSFODNN7EXAMPLE"\n}}\n'
    return {"main.tf": _PROVIDER.replace('"AKIAIOSFODNN7EXAMPLE"', "local.l0") + text}


def nested(opening: str, inner: str, closing: str) -> Maker:
    """A provider with a profile that is nested."""
    return lambda count: {
        "main.tf": f'provider "aws" {{\n  profile = {opening * count}{inner}{closing * count}\n{_KEYS}}}\n'
    }


def blueprint(count: int) -> Files:
    entry = """\
  - name: e@
    value: ${{ inputs.e@ }}
    write_only: false
"""
    inputs = "inputs:\n" + each("  - id: e@\n    name: Input @\n    default: d@\n", count)
    stack = (
        "stack:\n  name: app\n  vcs:\n    repository: growth\n    branch: main\n    project_root: roots/r0\n"
        "  vendor:\n    terraform:\n      manage_state: false\n  hooks:\n    init:\n      before:\n        - echo hello\n"  # noqa: E501
        "environment:\n  variables:\n"
    )
    return roots(1) | {
        "blueprint.yaml": inputs
        + stack.replace("environment:", "  environment:")
        + each("  " + entry.replace("\n  ", "\n    "), count)
    }


def runtime_stacks(count: int) -> Files:
    entry = "  s@:\n    before_init:\n      - echo hello\n    environment:\n      A: b\n"
    stacks = "stacks.tf", each(_STACK, count)
    return {stacks[0]: stacks[1], ".spacelift/config.yml": 'version: "1"\nstacks:\n' + each(entry, count)} | roots(1)


def units(count: int) -> Files:
    root = (
        'remote_state {\n  backend = "s3"\n  config = {\n    bucket   = "state"\n'
        '    key      = "${path_relative_to_include()}/terraform.tfstate"\n    region   = "eu-west-1"\n'
        '    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}\n'
        'generate "provider" {\n  path      = "provider.tf"\n  if_exists = "overwrite"\n  contents  = <<EOF\n'
        + _PROVIDER
        + "EOF\n}\n"
    )
    unit = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\nterraform {\n  source = "../modules//app"\n}\ninputs = {\n  name = "u@"\n}\n'  # noqa: E501
    files = {f"live/u{number}/terragrunt.hcl": unit.replace("@", str(number)) for number in range(count)}
    return files | {"live/root.hcl": root, "live/modules/app/main.tf": 'variable "name" {}\n'}


def python(count: int, piece: str = "", begin: str = "") -> Files:
    head = (
        "from constructs import Construct\nfrom cdktf import App, TerraformStack, S3Backend\n"
        "from cdktf_cdktf_provider_aws.provider import AwsProvider\n"
        "from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket\n\n\n"
        "class Shop(TerraformStack):\n    def __init__(self, scope: Construct, id: str) -> None:\n"
        "        super().__init__(scope, id)\n"
        '        AwsProvider(self, "aws", region="eu-west-1", access_key="AKIAIOSFODNN7EXAMPLE")\n' + begin
    )
    tail = '\n\napp = App()\nShop(app, "shop")\napp.synth()\n'
    bucket = '        S3Bucket(self, "b@", bucket="bucket-@", tags={"Name": "bucket @", "Use": "data"})\n'
    return {
        "main.py": head + each(piece or bucket, count) + tail,
        "cdktf.json": '{"language": "python", "app": "python main.py"}\n',
    }


def tests_of(count: int) -> Files:
    run = 'run "r@" {\n  variables {\n    access_key = "AKIAIOSFODNN7EXAMPLE"\n    secret_key = "x"\n  }\n}\n'
    return {"main.tf": _FROM_VARIABLES, "main.tftest.hcl": each(run, count)}


def scripts(count: int) -> Files:
    named = {
        f"bin/plan{number}.sh": f"#!/bin/sh\nterraform plan -var-file=env/v{number}.tfvars\n" for number in range(count)
    }
    values = {
        f"env/v{number}.tfvars": 'access_key = "AKIAIOSFODNN7EXAMPLE"\nsecret_key = "x"\n' for number in range(count)
    }
    return named | values | {"main.tf": _BACKEND + _FROM_VARIABLES}


def roots_and_scripts(count: int) -> Files:
    return scripts(count) | roots_with_values(count)


def modules_of_stacks(count: int) -> Files:
    """Stacks in as many modules, with a root module each."""
    return {f"stacks/s{number}/main.tf": _STACK.replace("@", str(number)) for number in range(count)} | roots(count)


def with_repeated(count: int) -> Files:
    entries = each('    e@ = { root = "roots/r@", labels = ["l@"] }\n', count)
    stack = (
        'resource "spacelift_stack" "each" {\n  for_each = local.stacks\n  name = each.key\n  repository = "growth"\n'
        '  branch = "main"\n  project_root = each.value.root\n  labels = each.value.labels\n}\n'
    )
    return {"stacks.tf": "locals {\n  stacks = {\n" + entries + "  }\n}\n" + stack} | roots(count)


KINDS: dict[str, tuple[int, Maker]] = {
    "stacks with a context each": (
        50,
        lambda count: (
            {
                "main.tf": each(_STACK + _CONTEXT + _ATTACHMENT + _SETTING, count),
            }
            | roots(count)
        ),
    ),
    "stacks of which half have a context": (
        250,
        lambda count: (
            {"main.tf": each(_STACK, count) + each(_CONTEXT + _ATTACHMENT + _SETTING, count // 2)} | roots(count)
        ),
    ),
    "roots with a tfvars file each": (125, roots_with_values),
    "a tower of modules that call the next twice": (8, tower),
    "a tower of modules above a stack": (8, tower_of_stacks),
    "a Python program": (1250, python),
    "a YAML blueprint": (2000, blueprint),
    "comment lines of HCL": (
        25_000,
        alike("# a comment\n", _PROVIDER, _PROVIDER.replace('aws" {', 'aws" {\n  alias = "b"')),
    ),
    "comment lines in a block": (25_000, alike("  # a comment\n", 'provider "aws" {\n', _KEYS + "}\n")),
    "comment lines before a block": (25_000, alike("# a comment\n", "", _PROVIDER)),
    "comment lines of slashes": (25_000, alike("// a comment\n", "", _PROVIDER)),
    "blank lines of HCL": (25_000, alike("\n", _PROVIDER, _PROVIDER)),
    "one long line of HCL": (250_000, alike("x", "# ", "\n" + _PROVIDER)),
    "one long string of HCL": (250_000, alike("x", 'locals {\n  a = "', '"\n}\n' + _PROVIDER)),
    "comment lines of tfvars": (
        25_000,
        alike(
            "# a comment\n",
            "",
            'access_key = "AKIAIOSFODNN7EXAMPLE"\nsecret_key = "x"\n',
            "terraform.tfvars",
            {"main.tf": _FROM_VARIABLES},
        ),
    ),
    "comment lines of YAML": (
        25_000,
        lambda count: (
            runtime_stacks(1)
            | {
                ".spacelift/config.yml": 'version: "1"\n'
                + "# a comment\n" * count
                + "stacks:\n  s0:\n    before_init:\n      - echo\n"
            }
        ),
    ),
    "blank lines of YAML": (
        25_000,
        lambda count: (
            runtime_stacks(1)
            | {
                ".spacelift/config.yml": 'version: "1"\nstacks:\n  s0:\n'
                + "\n" * count
                + "    before_init:\n      - echo\n"
            }
        ),
    ),
    "comment lines of Python": (25_000, lambda count: python(count, "        # a comment\n")),
    "blank lines of Python": (25_000, lambda count: python(count, "\n")),
    "one long line of Python": (250_000, lambda count: python(1, f'        x = "{"x" * count}"\n')),
    "statements of Python": (5000, lambda count: python(count, "        x@ = @\n")),
    "functions of Python": (
        1000,
        lambda count: (
            python(1)
            | {
                "lib.py": "import cdktf\nfrom cdktf_cdktf_provider_aws.provider import AwsProvider\n"
                + each("def f@(a):\n    b = a + 1\n    return b\n\n\n", count)
            }
        ),
    ),
    "providers of Python": (
        100,
        lambda count: python(count, '        AwsProvider(self, "a@", alias="a@", access_key="AKIAIOSFODNN7EXAMPLE")\n'),
    ),
    "blank lines of JSON": (
        25_000,
        lambda count: {
            "main.tf.json": '{"provider": {"aws": {"region": "x",'
            + "\n" * count
            + '"access_key": "AKIAIOSFODNN7EXAMPLE"}}}\n'
        },
    ),
    "comments of JSON": (
        5_000,
        lambda count: {
            "main.tf.json": '{"provider": {"aws": {\n'
            + '"//": "a comment",\n' * count
            + '"access_key": "AKIAIOSFODNN7EXAMPLE"}}}\n'
        },
    ),
    "resources of JSON": (
        2_000,
        lambda count: {
            "main.tf.json": json.dumps(
                {
                    "provider": {"aws": {"access_key": "AKIAIOSFODNN7EXAMPLE"}},
                    "resource": {"aws_s3_bucket": {f"b{n}": {"bucket": f"b{n}"} for n in range(count)}},
                },
                indent=1,
            )
        },
    ),
    "providers with versions": (
        500,
        lambda count: {
            "main.tf": each(_PROVIDER.replace("{\n", '{\n  alias = "a@"\n', 1), count)
            + "terraform {\n  required_providers {\n"
            + each('    p@ = {\n      source = "example/p@"\n      version = "~> 1.@"\n    }\n', count)
            + '    aws = {\n      source = "hashicorp/aws"\n      version = "~> 3.0"\n    }\n  }\n}\n'
        },
    ),
    "providers from variables": (
        100,
        alike(
            _FROM_VARIABLES.replace('access_key"', 'access_key_@"')
            .replace('secret_key"', 'secret_key_@"')
            .replace("var.access_key", "var.access_key_@")
            .replace("var.secret_key", "var.secret_key_@")
            .replace("{\n", '{\n  alias = "a@"\n', 1)
        ),
    ),
    "calls of one module": (100, flat_calls),
    "calls of a module each": (100, calls_of_many),
    "variables": (500, alike('variable "v@" {\n  default = "x"\n}\n', _FROM_VARIABLES)),
    "a chain of locals": (250, chain_of_locals),
    "remote states": (
        100,
        alike(
            'data "terraform_remote_state" "s@" {\n  backend = "s3"\n  config = {\n    bucket = "b"\n    key = "k@"\n    role_arn = "arn:aws:iam::123456789012:role/s"\n  }\n}\n',  # noqa: E501
            _BACKEND + _PROVIDER,
        ),
    ),
    "heredocs": (
        2_000,
        alike('resource "aws_iam_policy" "p@" {\n  policy = <<EOT\n{"a": "${var.region}"}\nEOT\n}\n', _PROVIDER),
    ),
    "hooks in one list": (
        2_000,
        lambda count: (
            {
                "stacks.tf": _STACK.replace("@", "0").replace(
                    "  branch", "  before_init = [\n" + each('    "echo @",\n', count) + "  ]\n  branch"
                )
            }
            | roots(1)
        ),
    ),
    "hooks of a runtime configuration": (
        2_000,
        lambda count: (
            runtime_stacks(1)
            | {
                ".spacelift/config.yml": 'version: "1"\nstacks:\n  s0:\n    before_init:\n'
                + each("      - echo @\n", count)
            }
        ),
    ),
    "contexts that attach themselves": (
        50,
        lambda count: (
            {
                "stacks.tf": each(_STACK.replace("  branch", '  labels = ["l@"]\n  branch'), count)
                + each(_CONTEXT + _SETTING, count)
            }
            | roots(count)
        ),
    ),
    "stacks with labels": (
        50,
        lambda count: (
            {
                "stacks.tf": each(
                    _STACK.replace("  branch", "  labels = [" + each('"l@", ', count).replace("@", "") + "]\n  branch"),
                    1,
                )
                + each(_CONTEXT + _SETTING, count)
            }
            | roots(1)
        ),
    ),
    "lines of tfvars": (
        2_000,
        lambda count: {
            "main.tf": _FROM_VARIABLES + each('variable "v@" {}\n', count),
            "terraform.tfvars": each('v@ = "x"\n', count) + 'access_key = "AKIAIOSFODNN7EXAMPLE"\nsecret_key = "x"\n',
        },
    ),
    "nested parentheses": (500, nested("(", '"x"', ")")),
    "nested lists": (500, nested("[", "1", "]")),
    "nested objects": (500, nested("{ a = ", "1", " }")),
    "nested conditionals": (500, nested("true ? ", '"x"', ' : "y"')),
    "nested calls": (500, nested("upper(", '"x"', ")")),
    "nested templates": (500, nested('"${', "local.x", '}"')),
    "units of Terragrunt": (50, units),
    "stacks of a runtime configuration": (100, runtime_stacks),
    "runs of a test": (250, tests_of),
    "scripts with a tfvars file each": (100, scripts),
    "roots and scripts": (50, roots_and_scripts),
    "roots": (125, roots),
    "modules of stacks": (1250, modules_of_stacks),
    "stacks from one map": (50, with_repeated),
}
"""Each kind with the size to begin with."""


def write(folder: Path, files: Files) -> Path:
    """The files in ``folder``."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def main() -> None:
    from measure import Program, compare

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="such as “units”: part of its name")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--times", type=int, default=1, help="begin with sizes that are so much larger")
    options = parser.parse_args()
    wanted = [name for name in KINDS if not options.kinds or any(part in name for part in options.kinds)]
    print("| kind | sizes | CPU seconds | growth | MiB |\n|---|---|---|---|---|")
    for kind in wanted:
        first, make = KINDS[kind]
        sizes = [first * options.times * factor for factor in (1, 2, 4)]
        with tempfile.TemporaryDirectory() as folder:
            trees = [write(Path(folder) / str(size) / "growth", make(size)) for size in sizes]
            programs = {
                str(size): Program((sys.executable, "-m", "migrator", "--preview", "."), tree, (0, 3, 4))
                for size, tree in zip(sizes, trees, strict=True)
            }
            costs = list(compare(programs, options.rounds).values())
        seconds = " ".join(f"{cost.cpu:.2f}" for cost in costs)
        steps = (costs[1].cpu - costs[0].cpu, costs[2].cpu - costs[1].cpu)
        growth = f"{steps[1] / steps[0]:.2f}" if steps[0] > 0.05 else ""
        listed = ", ".join(f"{size:,}" for size in sizes)
        print(f"| {kind} | {listed} | {seconds} | {growth} | {costs[-1].memory:.0f} |", flush=True)


if __name__ == "__main__":
    main()
