"""Modules that are laid out as nobody would: comments everywhere, and no two lines alike."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

Argument = tuple[str, str, bool]
"""A name, or ``""`` for a nested block, its text, and whether a migration may take it out."""

KEYS = [("access_key", '"AKIAIOSFODNN7EXAMPLE"'), ("secret_key", '"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"')]
ROLE = "arn:aws:iam::123456789012:role/state"
ASSUMING = ('assume_role {{ role_arn = "{0}" }}', 'assume_role {{\n    role_arn = "{0}"\n  }}')
VERSIONS = '  required_providers {\n    aws = {\n      source  = "hashicorp/aws"\n      version = "#" # why\n    }\n  }'
TAGS = "  default_tags {\n    tags = { a = 1 }\n  }"
HEREDOC = '<<EOT\n  provider "aws" {\n    access_key = 1\n  }\nEOT'
REMOTE = '{\n    bucket = "b"\n    profile = "x" # why\n    role_arn = "#"\n  }'
LISTS = ('["~/.aws/c"]', '[\n    "~/.aws/c", # the first\n    "~/.aws/d"\n  ]')


@dataclass
class Laid:
    """The ``files`` of a module; the words of comments that no migration takes away, and blocks that none touches."""

    files: dict[str, bytes]
    comments: list[str]
    untouched: list[str]


def laid_out(dice: random.Random) -> Laid:
    """A module of providers, backend, variables and other things, in any order and any layout."""
    return _Layout(dice).module()


class _Layout:
    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._count = 0
        self._comments: list[str] = []

    def module(self) -> Laid:
        dice = self._dice
        blocks = [
            one for number, alias in enumerate(self._some(["", "a", "b"], 1)) for one in self._provider(number, alias)
        ]
        if dice.random() < 0.7:
            blocks.append(self._terraform())
        if dice.random() < 0.3:
            arguments = [("backend", '"s3"', False), ("config", REMOTE.replace("#", ROLE), False)]
            blocks.append(f'data "terraform_remote_state" "x" {{\n{self._body(arguments, 1)}\n}}')
        untouched = [self._resource(number) for number in range(dice.randint(0, 3))]
        blocks += untouched
        dice.shuffle(blocks)
        return Laid(self._files(blocks), self._comments, untouched)

    def _some(self, names: Sequence[str], least: int) -> list[str]:
        return self._dice.sample(names, self._dice.randint(least, len(names)))

    def _provider(self, number: int, alias: str) -> list[str]:
        dice = self._dice
        arguments: list[Argument] = [("region", '"eu-west-1"', False)]
        others: list[str] = []
        if alias:
            arguments.append(("alias", f'"{alias}"', False))
        kind = dice.choice(["keys", "variables", "profile", "local", "files"])
        if kind == "keys":
            arguments += [(name, value, True) for name, value in KEYS]
        if kind == "variables":
            arguments += [("access_key", f"var.key{number}", True), ("secret_key", f"var.secret{number}", True)]
            declared: list[Argument] = [("type", "string", True), ("description", '"d"', True)]
            others.append(self._block(f'variable "key{number}"', declared))
            others.append(self._block(f'variable "secret{number}"', [("default", '"x"', True)]))
        if kind == "profile":
            arguments.append(("profile", '"prod"', True))
        if kind == "local":
            arguments.append(("profile", f"local.p{number}", True))
            others.append(self._block("locals", [(f"p{number}", '"prod"', True), (f"z{number}", '"z"', True)]))
            others.append(self._block(f'output "z{number}"', [("value", f"local.z{number}", False)]))
        if kind == "files":
            arguments.append(("shared_credentials_files", dice.choice(LISTS), True))
        if dice.random() < 0.3:
            arguments.append(("", "  " + dice.choice(ASSUMING).format(ROLE), False))
        if dice.random() < 0.3:
            arguments.append(("", TAGS, False))
        dice.shuffle(arguments)
        return [self._block('provider "aws"', arguments), *others]

    def _terraform(self) -> str:
        dice = self._dice
        arguments: list[Argument] = []
        if dice.random() < 0.2:
            arguments.append(("", '  backend "s3" {}', False))
        else:
            backend = [("bucket", '"b"', False), ("key", '"k"', False), ("role_arn", f'"{ROLE}"', False)]
            backend += [("session_name", '"x"', False)] if dice.random() < 0.5 else []
            backend += [("profile", '"x"', True)] if dice.random() < 0.4 else []
            dice.shuffle(backend)
            arguments.append(("", f'  backend "s3" {{\n{self._body(backend, 2)}\n  }}', False))
        if dice.random() < 0.5:
            arguments.append(("required_version", dice.choice(['">= 1.0"', '">= 1.6"', '"~> 1.3"']), False))
        if dice.random() < 0.5:
            arguments.append(("", VERSIONS.replace("#", dice.choice(["~> 3.0", ">= 4.0", "~> 5.0", "3.74.0"])), False))
        dice.shuffle(arguments)
        return self._block("terraform", arguments)

    def _resource(self, number: int) -> str:
        arguments: list[Argument] = [("count", "1", False)]
        if self._dice.random() < 0.3:
            arguments.append(("triggers", HEREDOC, False))
        return self._block(f'resource "null_resource" "n{number}"', arguments)

    def _block(self, head: str, arguments: list[Argument]) -> str:
        dice = self._dice
        (name, value, _), is_one = arguments[0], len(arguments) == 1
        if is_one and name and dice.random() < 0.3:
            return f"{head} {{ {name} = {value} }}"
        said = f" # {self._word(is_kept=False)}" if dice.random() < 0.25 else ""
        return f"{head}{dice.choice([' ', ' ', '  ', ''])}{{{said}\n{self._body(arguments, 1)}\n}}"

    def _body(self, arguments: Sequence[Argument], level: int) -> str:
        dice, lines = self._dice, list[str]()
        for name, value, may_go in arguments:
            indent = self._indent(level)
            if dice.random() < 0.2:
                lines.append("")
            if dice.random() < 0.25:
                lines.append(indent + self._comment(is_kept=not may_go))
            if not name:
                lines.append(value)
                continue
            equals = dice.choice([" = ", "=", "   = ", " =", "= ", " = "])
            if dice.random() < 0.07:
                equals += f"/* {self._word(is_kept=not may_go)} */ "
            line = f"{indent}{name}{equals}{value}"
            if dice.random() < 0.25 and "\n" not in value:
                line += dice.choice([" ", "  ", "\t"]) + f"{dice.choice(['#', '//'])} {self._word(is_kept=not may_go)}"
            lines.append(line)
        if dice.random() < 0.2 and not arguments[-1][2]:
            lines.append(self._indent(level) + self._comment(is_kept=True))
        return "\n".join(lines)

    def _indent(self, level: int) -> str:
        return self._dice.choice([*["  " * level] * 4, "\t" * level, "   " * level])

    def _word(self, *, is_kept: bool) -> str:
        self._count += 1
        word = f"note{self._count:03}x"
        if is_kept:
            self._comments.append(word)
        return word

    def _comment(self, *, is_kept: bool) -> str:
        word = self._word(is_kept=is_kept)
        more = self._dice.choice(["", "ü€", "\t", '  "quoted"', "{ }", "EOT"])
        return self._dice.choice([f"# {word} {more}", f"// {word}", f"/* {word} {more} */", f"/* {word}\n   more */"])

    def _files(self, blocks: list[str]) -> dict[str, bytes]:
        dice = self._dice
        texts: dict[str, str] = defaultdict(str)
        for block in blocks:
            name = dice.choice(["main.tf", "a.tf", "variables.tf", "versions.tf"][: dice.randint(1, 4)])
            if dice.random() < 0.3:
                texts[name] += self._comment(is_kept=True) + "\n\n"
            texts[name] += block + dice.choice(["\n", "\n\n", "\n\n\n", "\n", " # behind\n"])
        return {name: self._bytes(text) for name, text in texts.items()}

    def _bytes(self, text: str) -> bytes:
        dice = self._dice
        if dice.random() < 0.2:
            text += "\n" + self._comment(is_kept=True)
        if dice.random() < 0.15:
            text = text.rstrip("\n")
        if dice.random() < 0.2:
            text = text.replace("\n", "\r\n")
        return (b"\xef\xbb\xbf" if dice.random() < 0.1 else b"") + text.encode()
