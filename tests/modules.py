"""Strategies for whole files of Terraform, in HCL and in JSON: all shapes of credentials, in any layout."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

KEY_ID, SECRET = '"AKIAIOSFODNN7EXAMPLE"', '"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'
CREDENTIALS = st.sampled_from(
    [
        {"access_key": KEY_ID, "secret_key": SECRET},
        {"access_key": "var.access_key", "secret_key": "var.secret_key", "token": "var.token"},
        {"access_key": '"${var.access_key}"', "secret_key": "local.keys[0].secret"},
        {"profile": '"shop"'},
        {"profile": 'var.live ? "live" : "${var.stage}-test"'},
        {"shared_credentials_files": '["~/.aws/a", "~/.aws/b"]', "profile": "terraform.workspace"},
        {"shared_credentials_file": "pathexpand(\n    var.file\n  )"},
        {"secret_key": "<<EOT\nnot } a brace\nEOT\n", "access_key": KEY_ID},
        {},
    ]
)
OTHERS = st.dictionaries(
    st.sampled_from(["region", "max_retries", "a", "allowed_account_ids", "skip_region_validation"]),
    st.sampled_from(
        [
            '"eu-west-1"',
            "3",
            '["a", "b"]',
            '[\n    "a", # one\n    "b",\n  ]',
            '"${join("-", [for s in var.l : "${s}}"])}"',
            '{ a = 1, "b" : "}" }',
            "<<-EOT\n    } # no comment\n    ${var.x}\n  EOT\n",
            "var.x /* inline */",
        ]
    ),
    max_size=3,
)
COMMENTS = st.sampled_from(["", "", "# why\n", "// why\n", "/* why\n   and how */\n", "# access_key = old\n", "\n"])
GAPS = st.sampled_from([" ", "  ", "", "\t"])


@st.composite
def bodies(draw: st.DrawFn, arguments: dict[str, str], nested: str = "") -> str:
    """Arguments in any order, with comments above and behind them, and a nested block somewhere."""
    lines = []
    for name in draw(st.permutations(sorted(arguments))):
        value = arguments[name]
        behind = "" if value.endswith("\n") else draw(st.sampled_from(["", " # why", " // why", " /* why */"])) + "\n"
        lines.append(f"{draw(COMMENTS)}  {name}{draw(GAPS)}={draw(GAPS)}{value}{behind}")
    lines.insert(draw(st.integers(0, len(lines))), nested)
    return "".join(lines)


@st.composite
def providers(draw: st.DrawFn) -> str:
    """A provider, written on one line where it can be."""
    given = draw(CREDENTIALS) | draw(OTHERS)
    alias = draw(st.sampled_from(["", "dns", "eu"]))
    given |= {"alias": f'"{alias}"'} if alias else {}
    if len(given) == 1 and draw(st.booleans()):
        name, value = next(iter(given.items()))
        if "\n" not in value:
            return f'provider "aws" {{ {name} = {value} }}\n'
    nested = draw(st.sampled_from(["", "", "  assume_role {\n    role_arn = var.role\n  }\n", "  default_tags {}\n"]))
    return f'provider "aws" {{{draw(GAPS)}\n{draw(bodies(given, nested))}}}\n'


@st.composite
def backends(draw: st.DrawFn) -> str:
    """The settings of Terraform, with an S3 backend."""
    role = draw(st.sampled_from([{}, {"role_arn": '"arn:aws:iam::123456789012:role/state"'}]))
    given = {"bucket": '"state"', "key": '"a.tfstate"'} | role
    given |= draw(CREDENTIALS.filter(lambda one: not any("EOT" in value for value in one.values())))
    body = draw(bodies(given))
    return f'terraform {{\n  required_version = ">= 1.5"\n\n  backend "s3" {{\n{body}  }}\n}}\n'


STACKS = st.sampled_from(
    [
        '  branch     = "main"\n',
        '  before_init = ["make", ] # x\n',
        '  before_init = [\n    "a", # b\n  ]\n',
        '  for_each = toset(["a"])\n',
    ]
).map(lambda line: f'resource "spacelift_stack" "app" {{\n  name       = "app"\n  repository = "webshop"\n{line}}}\n')
BESIDE = st.sampled_from(
    [
        'variable "x" {}\n',
        'locals {\n  text = <<-EOT\n    provider "aws" {\n      profile = "x"\n  EOT\n}\n',
        '# provider "aws" {\n#   access_key = "x"\n# }\n',
        'resource "null_resource" "x" { triggers = { profile = "x" } }\n',
        'provider "google" {\n  access_key = "x"\n}\n',
        'output "a" {\n  value = "${"${"}"}"}"\n}\n',
        "/* a */ locals { b = 1 } # c\n",
    ]
)


@st.composite
def hcl_files(draw: st.DrawFn) -> bytes:
    """A whole file of HCL: its line endings, byte-order mark and last newline are any."""
    blocks = draw(st.lists(st.one_of(providers(), BESIDE), max_size=4))
    blocks += draw(st.lists(backends(), max_size=1)) + draw(st.lists(STACKS, max_size=1))
    text = draw(st.sampled_from(["", "\n", "\n\n"])).join(draw(st.permutations(blocks)))
    text = text if draw(st.booleans()) or text.endswith("EOT\n") else text.rstrip("\n")
    mark = draw(st.sampled_from([b"", b"", b"\xef\xbb\xbf"]))
    return mark + text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"]))).encode()


@st.composite
def json_roots(draw: st.DrawFn) -> dict[str, Any]:
    """What a file of Terraform's JSON says."""
    keys: dict[str, Any] = draw(
        st.sampled_from(
            [
                {"access_key": KEY_ID.strip('"'), "secret_key": SECRET.strip('"')},
                {"profile": "${var.profile}", "//": "why"},
                {"shared_credentials_files": ["~/.aws/a"], "token": "${var.t}"},
                {},
            ]
        )
    )
    provider = keys | draw(st.sampled_from([{}, {"region": "eu-west-1"}, {"a": '\u00e9\\"${x}', "b": [1, {}]}]))
    other = [provider, {"alias": "b", "region": "${var.region}", "profile": "b"}]
    root: dict[str, Any] = {"provider": {"aws": draw(st.sampled_from([provider, [provider], other]))}}
    names = draw(st.lists(st.sampled_from(["profile", "t", "region", "aws_role_arn_b"]), unique=True))
    variables = {name: {"type": "string"} for name in names}
    spread: list[Any] = [{name: one} for name, one in variables.items()]
    root |= draw(st.sampled_from([{}, {"variable": variables}, {"variable": spread}, {"variable": [variables]}]))
    if draw(st.booleans()):
        root["terraform"] = {"backend": {"s3": {"bucket": "b", "role_arn": "arn:aws:iam::123456789012:role/s"} | keys}}
    if draw(st.booleans()):
        root["resource"] = {"spacelift_stack": {"app": {"name": "app", "repository": "webshop", "before_init": ["a"]}}}
    return root if draw(st.booleans()) else dict(reversed(root.items()))


@st.composite
def json_files(draw: st.DrawFn) -> bytes:
    """A whole file of Terraform's JSON, on one line or many."""
    root = draw(json_roots())
    text = json.dumps(root, indent=draw(st.sampled_from([None, 1, 2, "\t"])), ensure_ascii=draw(st.booleans()))
    return (text + draw(st.sampled_from(["", "\n"]))).replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode()
