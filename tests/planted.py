"""Repositories with secrets, made at run time, in every place that one may stand in; and what must be shown of them."""

from __future__ import annotations

import json
import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

_BASE64 = string.ascii_letters + string.digits + "/+"
MUCH = 12
"""So many characters of a secret in a row are too many."""


@dataclass
class Planted:
    """A repository's ``files`` by path, the ``secrets`` in them, and the words that are to be ``shown`` in a diff."""

    dice: Random
    files: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)
    shown: set[str] = field(default_factory=set)

    def key_id(self) -> str:
        return self._kept(self.dice.choice(("AKIA", "ASIA")) + self._of(string.ascii_uppercase + "234567", 16))

    def key(self) -> str:
        """A secret access key; one in three begins or ends with a sign."""
        made = [*self._of(_BASE64, 40)]
        made[self.dice.choice((0, -1, 20))] = self.dice.choice("/+")
        made[5:8] = self._of(string.ascii_lowercase, 1), self._of(string.ascii_uppercase, 1), self._of("0123456789", 1)
        return self._kept("".join(made))

    def session(self) -> str:
        return self._kept("IQoJb3JpZ2lu" + self._of(_BASE64, 120) + "==")

    def password(self) -> str:
        """What no shape tells of."""
        return self._kept(
            self._of(string.ascii_letters, 8) + self._of("0123456789", 3) + self._of(string.ascii_letters, 9)
        )

    def word(self) -> str:
        """A password that could be the name of something: where it is given, it is none."""
        return self.dice.choice(("changeme", "prod", "string", "access_key", "default", "test", "main", "admin"))

    def _of(self, alphabet: str, length: int) -> str:
        return "".join(self.dice.choices(alphabet, k=length))

    def _kept(self, secret: str) -> str:
        self.secrets.append(secret)
        return secret

    def write(self, folder: Path) -> None:
        newline, mark = self.dice.choice(("\n", "\n", "\r\n")), self.dice.choice(("", "", "\ufeff"))
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(mark + text, newline=newline)

    def needles(self) -> Iterator[str]:
        """All that gives a secret away: so many characters of it, plain and in base64, however it lies in it."""
        for secret in self.secrets:
            for spelling in dict.fromkeys((secret, *encodings(secret))):
                yield from (
                    spelling[at : at + MUCH] for at in range(4 if secret[1:4] == "SIA" else 0, len(spelling) - MUCH + 1)
                )


def encodings(secret: str) -> Iterator[str]:
    for encode in (b64encode, urlsafe_b64encode):
        for shift, skipped in enumerate((0, 2, 3)):
            yield encode(b"\0" * shift + secret.encode()).decode()[skipped : (shift + len(secret)) * 8 // 6]


def escaped(text: str, dice: Random) -> str:
    r"""A JSON or HCL string's spelling of ``text``, with some of it as ``\uXXXX``."""
    return "".join(f"\\u{ord(character):04x}" if dice.random() < 0.3 else character for character in text)


def percent(text: str) -> str:
    return "".join(character if character.isalnum() else f"%{ord(character):02X}" for character in text)


Place = Callable[[Planted], str]

# Each is HCL beside a provider, in the same file.
_IN_HCL: dict[str, Place] = {
    "default": lambda p: f'variable "db_password" {{\n  default = "{p.password()}"\n}}\n',
    "comment": lambda p: f"# {p.key_id()}/{p.key()} of the CI user\n",
    "comment without a name": lambda p: f"# was {p.key()}= before\n",
    "same key elsewhere": lambda p: f'locals {{\n  odd = "x-{p.secrets[1]}-x"\n  half = "{p.secrets[1][:20]}"\n}}\n',
    "its base64": lambda p: f'locals {{\n  b = "{b64encode(b"k:" + p.secrets[1].encode() + b"!").decode()}"\n}}\n',
    "escaped": lambda p: f'locals {{\n  e = "{escaped(p.secrets[1], p.dice)}"\n  f = "{percent(p.secrets[1])}"\n}}\n',
    "hook": lambda p: (
        f'locals {{\n  h = ["export DB_PASSWORD={p.password()}", "curl -u me:{p.password()} https://x"]\n}}\n'
    ),
    "option": lambda p: f'locals {{\n  o = "init -password={p.password()} --api-token {p.password()}"\n}}\n',
    "url": lambda p: f'locals {{\n  u = "https://user:{p.password()}@host/x"\n}}\n',
    "bearer": lambda p: f"locals {{\n  w = \"curl -H 'Authorization: Bearer {p.password()}'\"\n}}\n",
    "token": lambda p: f'locals {{\n  t = "{p.session()}"\n}}\n',
    "heredoc": lambda p: (
        f"locals {{\n  file = <<-EOT\n    [default]\n    aws_access_key_id = {p.key_id()}\n"
        f"    aws_secret_access_key = {p.key()}\n    db_password: {p.password()}\n  EOT\n}}\n"
    ),
    "environment": lambda p: (
        f'resource "x_task" "t" {{\n  environment {{\n    name  = "DB_PASSWORD"\n    value = "{p.word()}"\n  }}\n'
        f'  env = [{{ name = "API_TOKEN", value = "{p.password()}" }}]\n}}\n'
    ),
    "map": lambda p: (
        f'locals {{\n  m = {{\n    db_passwords = {{ a = "{p.password()}", b = ["{p.password()}"] }}\n  }}\n}}\n'
    ),
    "json in a string": lambda p: f'locals {{\n  j = "{{\\"password\\": \\"{p.password()}\\"}}"\n}}\n',
    "mounted": lambda p: (
        'resource "spacelift_mounted_file" "m" {\n  context_id = "x"\n  relative_path = "c"\n  content = "'
        + b64encode(f"[default]\naws_access_key_id={p.key_id()}\naws_secret_access_key={p.key()}\n".encode()).decode()
        + '"\n}\n'
    ),
    "plus": lambda p: f'locals {{\n  p = "x+{p.key()}+y={p.key()}"\n}}\n',
}
_HARMLESS = """\
locals {
  root      = "TAOPro1/ModuleRefactorSolution/terraform"
  state_key = "TAOPro1/ModuleRefactorSolution/terraform"
  access_key_name = "ci-deployer"
  lookup    = local.things["secret_key"]
}
variable "tags" {
  type = map(string)
}
"""


_FOLDER = "live/TAOPro1/ModuleRefactorSolution/terraform"
"""Forty characters at its end that could be a key."""

_VARIABLES = 'variable "one" {}\nvariable "two" {}\n'


def _ways(p: Planted, key_id: str, key: str, cut: int) -> list[tuple[str, str, str, dict[str, str]]]:
    """How keys are handed to a provider: its two arguments, what else stands in the file, and other files."""
    a, b = key[:cut], key[cut:]
    parts = f'locals {{\n  id = "{key_id}"\n  a  = "{a}"\n  b  = "{b}"\n}}\n'
    accounts = f'locals {{\n  all = {{ live = {{ one = "{key_id}", two = "{key}", region = "eu-west-1" }} }}\n}}\n'
    defaults = f'variable "one" {{\n  default = "{key_id}"\n}}\nvariable "two" {{\n  default = "{key}"\n}}\n'
    outputs = f'output "one" {{\n  value = "{key_id}"\n}}\noutput "two" {{\n  value = "{key}"\n}}\n'
    item = f'aws = {{\n  one = "{key_id}"\n  two = "{key}"\n  region = "eu-west-1"\n}}\n'
    decoded = f'locals {{\n  j = "{{\\"one\\": \\"{key_id}\\", \\"two\\": \\"{key}\\"}}"\n}}\n'
    return [
        (f'"{key_id}"', f'"{key}"', "", {}),
        (f'"{key_id}"', f'"${{"{a}"}}{b}"', "", {}),
        (f'"{key_id}"', f'join("", ["{a}", "{b}"])', "", {}),
        (f'"{key_id}"', f'format("%s%s", "{a}", "{b}")', "", {}),
        ("local.id", '"${local.a}${local.b}"', parts, {}),
        ("local.id", 'join("", [local.a, local.b])', parts, {}),
        ("local.id", "local.c", parts + 'locals {\n  c = "${local.a}${local.b}"\n}\n', {}),
        ("local.id", "local.c", parts + "locals {\n  c = <<-EOT\n    ${local.a}${local.b}\n  EOT\n}\n", {}),
        ("var.one", "var.two", _VARIABLES, {"terraform.tfvars": f'one = "{key_id}"\ntwo = "{key}"\n'}),
        ("var.one", "var.two", _VARIABLES, {"a.auto.tfvars.json": json.dumps({"one": key_id, "two": key})}),
        ("var.one", "var.two", _VARIABLES, {"env/live.tfvars": f'one = "{key_id}"\ntwo = "{key}"\n'}),
        ("var.one", "var.two", defaults, {}),
        ('var.aws["one"]', "var.aws.two", 'variable "aws" {}\n', {"terraform.tfvars": item}),
        ("module.k.one", "module.k.two", 'module "k" {\n  source = "./k"\n}\n', {"k/main.tf": outputs}),
        ('local.all["live"].one', 'local.all["live"].two', accounts, {}),
        ("jsondecode(local.j).one", "jsondecode(local.j).two", decoded, {}),
        (f'"{escaped(key_id, p.dice)}"', f'"{escaped(key, p.dice)}"', "", {}),
    ]


def _provider(key_id: str, key: str) -> str:
    return f'provider "aws" {{\n  region     = "eu-west-1"\n  access_key = {key_id}\n  secret_key = {key}\n}}\n'


def _beside(made: Planted, count: int) -> list[str]:
    return [_IN_HCL[name](made) for name in made.dice.sample(sorted(_IN_HCL), count)] + [_HARMLESS]


def terraform(dice: Random) -> Planted:
    """A module with a provider and its keys, in one of the ways to hand them down, and with others' secrets around."""
    made = Planted(dice)
    key_id, key = made.key_id(), made.key()
    given_id, given_key, more, files = dice.choice(_ways(made, key_id, key, dice.randrange(8, 32)))
    blocks = [_provider(given_id, given_key), more, *_beside(made, 8)]
    dice.shuffle(blocks)
    files["main.tf"] = "\n".join(block for block in blocks if block)
    made.files = {f"{_FOLDER}/{path}": text for path, text in files.items()}
    return made


def called(dice: Random) -> Planted:
    """A module whose caller has the keys."""
    made = Planted(dice)
    key_id, key = made.key_id(), made.key()
    both = f'x = "{key_id}"\n  y = "{key}"'
    ways = (
        f'  one = "{key_id}"\n  two = "{key}"\n}}\n',
        f"  one = local.x\n  two = local.y\n}}\nlocals {{\n  {both}\n}}\n",
        "  for_each = local.all\n  one = each.value.x\n  two = each.value.y\n}\n"
        f'locals {{\n  all = {{ a = {{ x = "{key_id}", y = "{key}" }} }}\n}}\n',
    )
    made.files["main.tf"] = 'module "m" {\n  source = "./m"\n' + "\n".join([dice.choice(ways), *_beside(made, 3)])
    made.files["m/main.tf"] = _VARIABLES + _provider("var.one", "var.two")
    return made


def json_syntax(dice: Random) -> Planted:
    """The same in JSON, over lines or on one, with keys and what is beside them spelled by escapes."""
    made = Planted(dice)
    key_id, key, password = made.key_id(), made.key(), made.password()
    cut = dice.randrange(8, 32)
    given = dice.choice([key, "${local.a}${local.b}", '${join("", [local.a, local.b])}', "${var.odd}"])
    locals_ = {"a": key[:cut], "b": key[cut:], "u": f"https://u:{made.password()}@h/", "m": {"db_password": [password]}}
    file = b64encode(f"[x]\naws_secret_access_key = {made.key()}".encode()).decode()
    tree = {
        "locals": locals_,
        "variable": {"odd": {"default": key}, "tags": {"type": "map(string)"}},
        "provider": {"aws": {"region": "eu-west-1", "access_key": key_id, "secret_key": given}},
        "resource": {
            "spacelift_mounted_file": {"m": {"content": file}},
            "spacelift_environment_variable": {"v": {"name": "DB_PASSWORD", "value": made.password()}},
            "x": {"y": {"root": "TAOPro1/ModuleRefactorSolution/terraform", "run": f"export TOKEN={made.password()}"}},
        },
    }
    text = json.dumps(tree, indent=dice.choice((None, 2)))
    if dice.random() < 0.5:
        text = text.replace(key_id, escaped(key_id, dice)).replace(password, escaped(password, dice))
        text = text.replace(key[cut:], key[cut:].replace("/", "\\/"))
    made.files["main.tf.json"] = text
    return made


def python(dice: Random) -> Planted:
    """A CDKTF program: strings side by side, sums, f-strings, constants, dictionaries."""
    made = Planted(dice)
    key_id, key = made.key_id(), made.key()
    cut = dice.randrange(8, 32)
    a, b = key[:cut], key[cut:]
    ways = (
        ("", f'"{key}"'),
        ("", f'"{a}" "{b}"'),
        ("", f'("{a}"\n            "{b}")'),
        ("", f"\"{a}\" + '{b}'"),
        (f'A = "{a}"\nB = "{b}"\n', 'f"{A}{B}"'),
        (f'A = "{a}"\n', f'f"{{A}}{b}"'),
        (f'ODD = """{key}"""\n', "ODD"),
        (f'CONF = {{"odd": "{key}", "region": "eu-west-1"}}\n', 'CONF["odd"]'),
        (f'ODD = r"{key}"  # {key}\n', "ODD"),
    )
    constants, given = dice.choice(ways)
    made.files["main.py"] = f"""from cdktf import App, TerraformStack
from imports.aws.provider import AwsProvider
import os

{constants}
ROOT = "TAOPro1/ModuleRefactorSolution/terraform"
os.environ["DB_PASSWORD"] = "{made.password()}"
os.environ.setdefault("API_TOKEN", "{made.password()}")
HOOKS = ["export DB_PASSWORD={made.password()}", f"curl -u me:{made.password()} {{ROOT}}"]
HEADERS = {{"Authorization": "Bearer {made.password()}", "x-api-key": "{made.password()}"}}
# password: {made.password()}


class Net(TerraformStack):
    def __init__(self, scope, name, password="{made.password()}"):
        super().__init__(scope, name)
        AwsProvider(
            self,
            "aws",
            region="eu-west-1",
            access_key="{key_id}",
            secret_key={given},
        )
        TerraformVariable(self, "secret_key", type="string")


app = App()
Net(app, "net")
app.synth()
"""
    return made


def runtime_config(dice: Random) -> Planted:
    """Spacelift's configuration in YAML: scalars of all styles, lists of commands, settings beside the hook's."""
    made = Planted(dice)
    quote = dice.choice(("", '"', "'"))
    made.files["stacks.tf"] = (
        'resource "spacelift_stack" "live" {\n  name = "live"\n  repository = "shop"\n  branch = "main"\n'
        f'  before_init = ["export DB_PASSWORD={made.password()}"]\n}}\n'
    )
    made.files["backend.tf"] = (
        'terraform {\n  backend "s3" {\n    bucket = "state"\n    key = "TAOPro1/ModuleRefactorSolution/terraform"\n'
        f'    access_key = "{made.key_id()}"\n    secret_key = "{made.key()}"\n  }}\n}}\n'
    )
    made.files[".spacelift/config.yml"] = f"""version: "2"
stack_defaults:
  before_init:
    - export AWS_SECRET_ACCESS_KEY={made.key()}
    - "mysql --password {made.password()}"
    - >-
      curl -u me:{made.password()}
      https://host/x
  environment:
    DB_PASSWORD: {quote}{made.password()}{quote}
    AWS_SECRET_ACCESS_KEY: |
      {made.key()}
    FOLDED_TOKEN: >
      {made.password()}
      {made.password()}
    AWS_PROFILE: shop
    ROOT: TAOPro1/ModuleRefactorSolution/terraform
stacks:
  live:
    before_init:
      - |
        export PGPASSWORD='{made.password()}'
        terraform init -var "db_password={made.password()}"
    nested: {{api_key: {made.password()}, other: x}}
    listed:
      - name: SESSION_TOKEN
        value: {made.session()}
    alias: &one {made.password()}
    password: *one
"""
    return made


def terragrunt(dice: Random) -> Planted:
    """Terragrunt that writes a provider with keys."""
    made = Planted(dice)
    key_id, key = made.key_id(), made.key()
    given = dice.choice([key, "${local.odd}", "${local.all.odd}"])
    made.files["root.hcl"] = f"""locals {{
  odd = "{key}"
  all = {{ odd = "{key}", region = "eu-west-1" }}
  db_password = "{made.password()}"
}}
generate "provider" {{
  path      = "provider.tf"
  if_exists = "overwrite"
  contents  = <<EOF
provider "aws" {{
  region     = "eu-west-1"
  access_key = "{key_id}"
  secret_key = "{given}"
}}
EOF
}}
inputs = {{
  root      = "TAOPro1/ModuleRefactorSolution/terraform"
  api_token = "{made.password()}"
}}
"""
    made.files["app/terragrunt.hcl"] = (
        'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
        f'inputs = {{\n  token = "{made.password()}"\n}}\n'
    )
    made.files["app/main.tf"] = 'resource "null_resource" "x" {}\n'
    return made


KINDS = (terraform, called, json_syntax, python, runtime_config, terragrunt)
