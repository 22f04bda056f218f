"""One role for one origin, and another for another: by what a credential comes to in each instance of a module."""

from __future__ import annotations

import re

import pytest

from migrator.config.config import Config
from migrator.migrate.planning import Planning
from migrator.model.findings import Refusal
from tests.invariants import workspace_of

CHILD = 'variable "c" {{\n{}}}\n\nprovider "aws" {{\n  profile = {}\n}}\n'
DATA = (
    'variable "c" {\n  default = "ci"\n}\n\ndata "aws_ssm_parameter" "key" {\n  name = var.c\n}\n\n'
    'provider "aws" {\n  alias   = "own"\n  profile = data.aws_ssm_parameter.key.value\n}\n'
)
RESOURCE = 'resource "aws_iam_access_key" "x" {}\n\nprovider "aws" {\n  access_key = aws_iam_access_key.x.id\n}\n'
PROVIDERS = 'provider "aws" {\n  alias = "prod"\n}\n\nprovider "aws" {\n  alias = "dev"\n}\n\n'


def calls(first: str, second: str, before: str = "") -> str:
    made = (f'module "{name}" {{\n  source = "./x"\n{body}}}\n' for name, body in (("one", first), ("two", second)))
    return before + "\n".join(made)


CASES: dict[str, tuple[int, dict[str, str]]] = {
    "the same": (1, {"main.tf": calls("  c = var.p\n", "  c = var.p\n"), "x/main.tf": CHILD.format("", "var.c")}),
    "an attribute": (2, {"main.tf": calls("  c = var.p\n", "  c = var.q\n"), "x/main.tf": CHILD.format("", "var.c.k")}),
    "one object": (
        1,
        {
            "main.tf": calls("  c = var.p\n", '  c = { k = var.p["k"] }\n'),
            "x/main.tf": CHILD.format("", "var.c.k"),
        },
    ),
    "a default of a type": (
        2,
        {
            "main.tf": calls("  c = {}\n", '  c = { k = "a" }\n'),
            "x/main.tf": CHILD.format('  type = object({ k = optional(string, "b") })\n', "var.c.k"),
        },
    ),
    "the default of a type": (
        1,
        {
            "main.tf": calls("  c = {}\n", '  c = { k = "a" }\n'),
            "x/main.tf": CHILD.format('  type = object({ k = optional(string, "a") })\n', "var.c.k"),
        },
    ),
    "a number that is text": (
        2,
        {
            "main.tf": calls('  c = "1"\n', "  c = 2\n"),
            "x/main.tf": CHILD.format("  type = number\n", 'var.c == 1 ? "a" : "b"'),
        },
    ),
    "null for a variable that is never null": (
        1,
        {
            "main.tf": calls("  c = null\n", ""),
            "x/main.tf": CHILD.format('  default  = "a"\n  nullable = false\n', "var.c"),
        },
    ),
    "null": (
        2,
        {"main.tf": calls("  c = null\n", ""), "x/main.tf": CHILD.format('  default = "a"\n', "var.c")},
    ),
    "an override": (
        2,
        {
            "main.tf": calls('  c = "a"\n', '  c = "a"\n'),
            "override.tf": 'module "two" {\n  c = "b"\n}\n',
            "x/main.tf": CHILD.format("", "var.c"),
        },
    ),
    "shared files": (
        2,
        {
            "main.tf": calls('  c = "a"\n', '  c = "b"\n'),
            "x/main.tf": 'variable "c" {}\n\nprovider "aws" {\n  shared_credentials_files = [var.c]\n}\n',
        },
    ),
    "a file of the module": (
        1,
        {"main.tf": calls("", ""), "x/main.tf": 'provider "aws" {\n  profile = file("${path.module}/p")\n}\n'},
    ),
    "files beside the callers": (
        2,
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\n\nmodule "b" {\n  source = "./b"\n}\n',
            **{
                f"{letter}/main.tf": 'module "x" {\n  source = "../x"\n  c      = file("${path.module}/p")\n}\n'
                for letter in "ab"
            },
            "x/main.tf": CHILD.format("", "var.c"),
        },
    ),
    "data of one account": (1, {"main.tf": calls("", ""), "x/main.tf": DATA}),
    "data that differ": (2, {"main.tf": calls('  c = "a"\n', '  c = "b"\n'), "x/main.tf": DATA}),
    "data of two accounts": (
        2,
        {
            "main.tf": calls(
                "  providers = { aws = aws.prod }\n", "  providers = {\n    aws = aws.dev\n  }\n", PROVIDERS
            ),
            "x/main.tf": DATA,
        },
    ),
    "data of the same account": (
        1,
        {
            "main.tf": calls(
                "  providers = { aws = aws.prod }\n", "  providers = {\n    aws = aws.prod\n  }\n", PROVIDERS
            ),
            "x/main.tf": DATA,
        },
    ),
    "a resource of each": (2, {"main.tf": calls("", ""), "x/main.tf": RESOURCE}),
    "what nobody can read": (
        2,
        {"main.tf": calls('  c = "a"\n', '  c = "b"\n'), "x/main.tf": CHILD.format("", "provider::größe::f(var.c)")},
    ),
    "what differs from one call to the next": (
        2,
        {"main.tf": calls("", ""), "x/main.tf": 'provider "aws" {\n  profile = uuid()\n}\n'},
    ),
    "an output": (
        1,
        {
            "main.tf": calls(
                "  c = module.v.k\n", "  c = var.p\n", 'module "v" {\n  source = "./v"\n  k      = var.p\n}\n\n'
            ),
            "v/main.tf": 'variable "k" {}\n\noutput "k" {\n  value = var.k\n}\n',
            "x/main.tf": CHILD.format("", "var.c"),
        },
    ),
    "outputs of a module that is repeated": (
        2,
        {
            "main.tf": calls(
                '  c = module.v["a"].k\n',
                '  c = module.v["b"].k\n',
                'module "v" {\n  source   = "./v"\n  for_each = toset(["a", "b"])\n  k        = each.key\n}\n\n',
            ),
            "v/main.tf": 'variable "k" {}\n\noutput "k" {\n  value = var.k\n}\n',
            "x/main.tf": CHILD.format("", "var.c"),
        },
    ),
    "JSON": (
        2,
        {
            "main.tf.json": '{"module": {"one": {"source": "./x", "c": {"k": "${var.p}"}},'
            ' "two": {"source": "./x", "c": {"k": "${var.q}"}}}}\n',
            "x/main.tf": CHILD.format("", "var.c.k"),
        },
    ),
    "a local that refers to itself": (
        1,
        {
            "main.tf": calls("  c = local.a\n", "  c = local.b\n", "locals {\n  a = local.b\n  b = local.a\n}\n\n"),
            "x/main.tf": CHILD.format("", "var.c"),
        },
    ),
    "a set has an order of its own": (
        2,
        {
            "main.tf": calls('  c = ["b", "a"]\n', '  c = ["b"]\n'),
            "x/main.tf": CHILD.format("  type = set(string)\n", "tolist(var.c)[0]"),
        },
    ),
}


def handed_down(files: dict[str, str], config: Config) -> tuple[set[str], list[str]]:
    """The role variables of the root module that its calls pass, and what was refused."""
    encoded = {path: text.encode() for path, text in files.items()}
    plan = Planning(workspace_of(encoded), config).plan()
    after = encoded | {change.path: change.after for change in plan.changes}
    root = b"".join(text for path, text in after.items() if "/" not in path).decode()
    refused = [finding.fix.reason for finding in plan.findings if isinstance(finding.fix, Refusal)]
    return set(re.findall(r"aws_role_arn\w*\"?\s*[=:]\s*\"?(?:\$\{)?var\.(aws_role_arn\w*)", root)), refused


@pytest.mark.parametrize("case", CASES)
def test_a_role_for_each_origin(case: str) -> None:
    expected, files = CASES[case]
    found, refused = handed_down(files, Config())
    assert (len(found), refused) == (expected, [])


@pytest.mark.parametrize("case", CASES)
def test_one_role_is_for_one_origin(case: str) -> None:
    expected, files = CASES[case]
    _, refused = handed_down(files, Config(role_arn="arn:aws:iam::123456789012:role/spacelift"))
    assert bool(refused) == (expected > 1)


@pytest.mark.parametrize(
    ("repeat", "argument", "is_refused"),
    [
        ('for_each = toset(["a", "b"])', "each.key", True),
        ('for_each = { a = "p", b = "q" }', "each.value", True),
        ('for_each = { a = "p", b = "p" }', "each.value", False),
        ("for_each = var.all", "each.value", True),
        ("count = 2", '"p${count.index}"', True),
        ("count = 2", "var.all[count.index]", True),
        ("count = 2", "var.all", False),
        ("count = var.n", "upper(var.all)", False),
        ('for_each = toset(["a", "b"])', "{ for k in [each.key] : k => k }[each.key]", True),
    ],
)
def test_a_call_that_is_repeated(repeat: str, argument: str, *, is_refused: bool) -> None:
    files = {
        "main.tf": f'module "m" {{\n  source = "./m"\n  {repeat}\n  c = {argument}\n}}\n',
        "m/main.tf": 'variable "c" {}\n\nmodule "x" {\n  source = "../x"\n  c      = { k = var.c }\n}\n',
        "x/main.tf": CHILD.format("", "var.c.k"),
    }
    for config in (Config(), Config(role_arn="arn:aws:iam::123456789012:role/spacelift")):
        assert bool(handed_down(files, config)[1]) == is_refused


@pytest.mark.parametrize(
    ("body", "rest", "expected"),
    [
        ("  type = string\n", {}, "aws_role_arn"),
        ("", {}, "aws_role_arn"),
        ("  type = list(string)\n", {}, "aws_role_arn_default"),
        ('  default = "arn:aws:iam::123456789012:role/eks"\n', {}, "aws_role_arn_default"),
        ("", {"terraform.tfvars": 'aws_role_arn = "arn:aws:iam::999999999999:role/eks"\n'}, "aws_role_arn_default"),
        ("", {"env/dev.tfvars": 'aws_role_arn = "arn:aws:iam::999999999999:role/eks"\n'}, "aws_role_arn_default"),
        ("", {"eks.tf": 'output "x" {\n  value = var.aws_role_arn\n}\n'}, "aws_role_arn_default"),
        (
            "",
            {
                "y/main.tf": 'module "y" {\n  source       = "../"\n  aws_role_arn = "x"\n}\n',
            },
            "aws_role_arn_default",
        ),
    ],
)
def test_a_variable_of_that_name(body: str, rest: dict[str, str], expected: str) -> None:
    files = {"main.tf": f'variable "aws_role_arn" {{\n{body}}}\n\nprovider "aws" {{\n  profile = "x"\n}}\n', **rest}
    encoded = {path: text.encode() for path, text in files.items()}
    plan = Planning(workspace_of(encoded), Config()).plan()
    after = encoded | {change.path: change.after for change in plan.changes}
    assert f"role_arn                = var.{expected}\n" in after["main.tf"].decode()
    assert not Planning(workspace_of(after), Config()).plan().changes
