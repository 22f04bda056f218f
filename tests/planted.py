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
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)

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
    return "".join(f"\\u{ord(one):04x}" if dice.random() < 0.3 else one for one in text)


def percent(text: str) -> str:
    return "".join(one if one.isalnum() else f"%{ord(one):02X}" for one in text)


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


def terraform(dice: Random) -> Planted:
    """A module with a provider and its keys, in one of the ways to hand them down, and with others' secrets around."""
    made = Planted(dice)
    key_id, key = made.key_id(), made.key()
    cut = dice.randrange(8, 32)
    way = dice.randrange(7)
    given, tail = "var.id", ""
    if way == 0:
        provider, tail = (f'"{key_id}"', f'"{key}"'), ""
    elif way == 1:
        provider = ("var.id", "var.odd")
        tail = 'variable "id" {\n  default = null\n}\nvariable "odd" {\n  type = string\n}\n'
        made.files["terraform.tfvars"] = f'id  = "{key_id}"\nodd = "{key}"\n'
    elif way == 2:
        provider = ("local.id", "local.whole")
        tail = f'locals {{\n  id    = "{key_id}"\n  a     = "{key[:cut]}"\n  b     = "{key[cut:]}"\n  whole = "${{local.a}}${{local.b}}"\n}}\n'
    elif way == 3:
        provider = ("local.id", 'join("", [local.a, local.b])')
        tail = f'locals {{\n  id = "{key_id}"\n  a  = "{key[:cut]}"\n  b  = format("%s", "{key[cut:]}")\n}}\n'
    elif way == 4:
        provider = ("var.id", "var.odd")
        tail = 'variable "id" {}\nvariable "odd" {}\n'
        made.files["terraform.tfvars.json"] = json.dumps({"id": key_id, "odd": key}, indent=2)
    elif way == 5:
        provider = ("module.keys.id", "module.keys.odd")
        tail = 'module "keys" {\n  source = "./keys"\n}\n'
        made.files["keys/main.tf"] = (
            f'output "id" {{\n  value = "{key_id}"\n}}\noutput "odd" {{\n  value = "{key}"\n}}\n'
        )
    else:
        provider = (f'"{key_id}"', f'"${{"{key[:cut]}"}}{key[cut:]}"')
    del given
    blocks = [
        f'provider "aws" {{\n  region     = "eu-west-1"\n  access_key = {provider[0]}\n  secret_key = {provider[1]}\n}}\n',
        tail,
    ]
    blocks += [_IN_HCL[name](made) for name in dice.sample(sorted(_IN_HCL), 8)]
    blocks.append(_HARMLESS)
    dice.shuffle(blocks)
    made.files["live/TAOPro1/ModuleRefactorSolution/terraform/main.tf"] = "\n".join(block for block in blocks if block)
    for name in [one for one in made.files if not one.startswith("live/")]:
        made.files[f"live/TAOPro1/ModuleRefactorSolution/terraform/{name}"] = made.files.pop(name)
    made.shown |= {"live/TAOPro1/ModuleRefactorSolution/terraform/main.tf"}
    return made
