"""Modules of all kinds of blocks in any order and layout, with comments in every place that may hold one.

Each comment and each value that is to survive says so by a mark of its own; what goes with credentials has none.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

KEYS = {"access_key": '"AKIAIOSFODNN7EXAMPLE"', "secret_key": '"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"'}
ROLE = '"arn:aws:iam::123456789012:role/state"'
OTHERS = {
    "resource": '"null_resource" "r{}"',
    "data": '"aws_region" "d{}"',
    "module": '"m{}"',
    "output": '"o{}"',
    "variable": '"v{}"',
    "moved": "",
    "import": "",
    "removed": "",
    "check": '"c{}"',
    "provider": '"google"',
}


@dataclass
class Module:
    """A module's text, and what must be in it again: ``marks`` anywhere, ``lines`` as they are."""

    dice: random.Random
    marks: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    number: int = 0

    def mark(self, *, stays: bool) -> str:
        self.number += 1
        name = f"{'stays' if stays else 'free'}{self.number}x"
        if stays:
            self.marks.add(name)
        return name

    def chance(self, share: float) -> bool:
        return self.dice.random() < share

    def comment(self, *, stays: bool, inline: bool = False) -> str:
        mark = self.mark(stays=stays)
        forms = ["/* {} */"] if inline else ["# {}", "// {}", "/* {} */", "/* {}\n   and more */"]
        return self.dice.choice(forms).format(mark)

    # --- arguments --------------------------------------------------------------------------------------------------

    def argument(self, indent: str, name: str, value: str, *, stays: bool) -> list[str]:
        """An argument, with comments above, before, within and behind it."""
        lines = []
        while self.chance(0.15):
            lines += self.own_lines(indent, self.comment(stays=stays))
        within = f" {self.comment(stays=stays, inline=True)}" if self.chance(0.05) else ""
        before = f"{self.comment(stays=stays, inline=True)} " if self.chance(0.05) else ""
        behind = ""
        if self.chance(0.2) and "<<" not in value:
            behind = f" {self.dice.choice(['# {}', '// {}', '/* {} */']).format(self.mark(stays=stays))}"
        return [*lines, *f"{indent}{before}{name}{within} = {value}{behind}".split("\n")]

    def own_lines(self, indent: str, comment: str) -> list[str]:
        return [indent + line if not number else line for number, line in enumerate(comment.split("\n"))]

    def kept_value(self) -> str:
        mark = self.mark(stays=True)
        forms = [
            '"{}"',
            '["{}", "b"]',
            '[\n    "{}", # one\n    "b",\n  ]',
            "<<-EOT\n    {} # }}\n  EOT",
            '{{ a = "{}" }}',
        ]
        return self.dice.choice(forms).format(mark)

    def body(self, indent: str, arguments: list[tuple[str, str, bool]], nested: str = "") -> list[str]:
        """Arguments in any order, comments and blank lines between them, nested blocks somewhere."""
        stays = any(drawn_argument[2] for drawn_argument in arguments) or bool(nested) or not arguments
        parts = [self.argument(indent, name, value, stays=stays) for name, value, stays in arguments]
        parts += [[f"{indent}{line}" for line in nested.format(self.mark(stays=True)).split("\n")]] if nested else []
        self.dice.shuffle(parts)
        lines: list[str] = []
        for part in parts:
            lines += self.gap(indent, stays=stays)
            lines += part
        return [*lines, *self.gap(indent, stays=stays)] if self.chance(0.3) else lines

    def gap(self, indent: str, *, stays: bool) -> list[str]:
        """Nothing, blank lines, or a comment between blank lines, which is nobody's."""
        if self.chance(0.55):
            return []
        blanks = [""] * self.dice.choice([1, 1, 1, 2])
        if self.chance(0.5):
            return blanks
        return [*blanks, *self.own_lines(indent, self.comment(stays=stays)), ""]

    # --- blocks -----------------------------------------------------------------------------------------------------

    def block(self, header: str, body: list[str]) -> list[str]:
        return [f"{header} {{{self.behind()}", *body, "}"]

    def behind(self) -> str:
        return f" # {self.mark(stays=True)}" if self.chance(0.1) else ""

    def provider(self, credentials: dict[str, str]) -> list[str]:
        others = [(name, self.kept_value(), True) for name in ("region", "max_retries", "a") if self.chance(0.5)]
        goes = [(name, value, False) for name, value in credentials.items()]
        nested = self.dice.choice(["", "", 'default_tags {{\n  tags = {{ a = "{}" }}\n}}', "# {} = 1"])
        return self.block('provider "aws"', self.body("  ", others + goes, nested))

    def terraform(self) -> list[str]:
        lines = []
        if self.chance(0.6):
            lines += [f'  required_version = "{self.dice.choice([">= 1.5", ">= 1.10", ">= 1.0"])}"', ""]
        if self.chance(0.6):
            backend = [("bucket", f'"{self.mark(stays=True)}"', True), ("key", '"a"', True), ("region", '"x"', True)]
            if self.chance(0.7):
                backend.append(("role_arn", ROLE, True))
                if self.chance(0.4):
                    backend.append(("session_name", f'"{self.mark(stays=True)}"', True))
            if self.chance(0.4):
                backend.append(("profile", '"p"', False))
            lines += ['  backend "s3" {', *self.body("    ", backend), "  }", ""]
        if self.chance(0.5):
            version = self.dice.choice(["~> 3.0", ">= 4.12", "~> 5.0"])
            lines += [
                "  required_providers {",
                f'    aws = {{ source = "hashicorp/aws", version = "{version}" }}',
                "  }",
            ]
        return self.block("terraform", lines)

    def other(self) -> list[str]:
        kind = self.dice.choice(list(OTHERS))
        labels = OTHERS[kind].format(self.number)
        header = f"{kind} {labels}".strip()
        if kind == "variable" and self.chance(0.3):
            lines = [f"{header} {{}}{self.behind()}"]
        else:
            names = self.dice.sample(["a", "bb", "ccc"], self.dice.randrange(1, 4))
            lines = self.block(header, self.body("  ", [(name, self.kept_value(), True) for name in names]))
        self.lines += [" ".join(line.split()) for line in lines]
        return lines

    def sources(self) -> tuple[dict[str, str], list[list[str]]]:
        """Credentials, and the blocks that they come from, which go with them."""
        way = self.way = self.dice.choice(["literal", "profile", "variable", "local", "mixed", "none", "file"])
        if way == "none":
            return {}, []
        if way == "literal":
            return KEYS, []
        if way == "profile":
            return {"profile": '"p"'}, []
        if way == "file":
            return {"shared_credentials_files": '["~/.aws/a"]'}, []
        variables = [
            [f'variable "{name}" {{', *self.body("  ", [("type", "string", False), ("a", "1", False)]), "}"]
            if self.chance(0.5)
            else [f'variable "{name}" {{}}']
            for name in ("ak", "sk")
        ]
        if way == "variable":
            return {"access_key": "var.ak", "secret_key": "var.sk"}, variables
        local = [(name, value, False) for name, value in zip(("lk", "ls"), KEYS.values(), strict=True)]
        if way == "mixed":
            local = [("lk", "var.ak", False), ("ls", "var.sk", False)]
        kept = [("other", self.kept_value(), True)] if self.chance(0.4) else []
        blocks = [[f"locals {{{self.behind() if kept else ''}", *self.body("  ", local + kept), "}"]]
        return {"access_key": "local.lk", "secret_key": "local.ls"}, blocks + variables * (way == "mixed")

    def text(self) -> str:
        """The whole: what there is in any order, with blank lines and comments between it, or none."""
        credentials, sources = self.sources()
        blocks = [*sources, self.provider(credentials)]
        if self.chance(0.5):
            blocks.append(self.terraform())
        blocks += [self.other() for _ in range(self.dice.randrange(3))]
        self.dice.shuffle(blocks)
        lines: list[str] = []
        for block in blocks:
            lines += [""] * (bool(lines) and self.chance(0.7))
            if self.chance(0.2):
                lines += [*self.own_lines("", self.comment(stays=True)), ""]
            if self.chance(0.25):
                lines += self.own_lines("", self.comment(stays=block not in sources))
            lines += block
        if self.chance(0.2):
            lines += ["", *self.own_lines("", self.comment(stays=True))]
        return "\n".join(lines) + "\n"
