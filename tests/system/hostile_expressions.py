"""Expressions drawn at random, of which the product says which are alike and terraform what each of them is."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Terraform

VARIABLES = {
    "s": "string",
    "z": "string",
    "n": "number",
    "b": "bool",
    "l": "list(string)",
    "u": "set(string)",
    "a": "any",
    "o": "any",
    "m": "any",
    "r": "any",
    "x": "string",
    "t": 'object({ id = optional(string, "ci"), key = optional(string), more = optional(map(number), {}) })',
}


class Drawn:
    """Draws expressions, and values for their variables."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._names: list[tuple[str, str]] = []

    def call(self) -> dict[str, str]:
        """The arguments of a call of the module."""
        word, dice = self._word, self._dice
        pairs = ", ".join(f"{{ id = {word()}, key = {word()} }}" for _ in range(dice.randint(1, 3)))
        entries = ", ".join(f"{name} = {{ id = {word()}, key = {word()} }}" for name in ("prod", "dev", "qa"))
        typed = ["{}", f"{{ id = {word()} }}", f"{{ id = null, key = {word()} }}", '{ key = "k", more = { a = "1" } }']
        return {
            "s": word(),
            "z": dice.choice([word(), '""']),
            "n": str(dice.randint(0, 2)),
            "b": dice.choice(["true", "false", '"true"']),
            "l": f"[{', '.join(word() for _ in range(dice.randint(1, 3)))}]",
            "u": f"[{', '.join(word() for _ in range(dice.randint(1, 3)))}]",
            "a": dice.choice([word(), f"[{word()}]", "{}", f"{{ id = {word()} }}", "null", "1", "true"]),
            "o": f"{{ id = {word()}, key = {word()} }}",
            "m": f"{{ {entries} }}",
            "r": f"[{pairs}]",
            "x": dice.choice(["null", word(), '""']),
            "t": dice.choice(typed),
        }

    def _word(self) -> str:
        return json.dumps(self._dice.choice(["prod", "dev", "qa", "id", "key", "A", "1", "true", "a:b"]))

    def expression(self, depth: int = 3) -> str:
        """Any expression."""
        return self._dice.choice([self.string, self.string, self.number, self.bool, self.list, self.object])(depth)

    def _of(self, simple: list[str], made: list[Callable[[int], str]], depth: int) -> str:
        if depth <= 0 or self._dice.random() < 0.15:
            return self._dice.choice(simple)
        return self._dice.choice(made)(depth - 1)

    def string(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f'"{self._dice.choice(["", "p-", "a:"])}${{{self.string(d)}}}-${{{self.any(d)}}}"',
            lambda d: f"({self.bool(d)} ? {self.string(d)} : {self.string(d)})",
            lambda d: f"{self.object(d)}.{self._dice.choice(['id', 'key'])}",
            lambda d: f'{self.object(d)}["{self._dice.choice(["id", "key", "no"])}"]',
            lambda d: f"{self.object(d)}[{self.string(d)}]",
            lambda d: f"{self.list(d)}[{self.number(d)}]",
            lambda d: f"element({self.list(d)}, {self.number(d)})",
            lambda d: f"one({self.list(d)})",
            lambda d: f"try({self.any(d)}, {self.string(d)})",
            lambda d: f"try({self.object(d)}, {{ id = {self.string(d)}, key = {self.string(d)} }}).id",
            lambda d: f"try([{self.string(d)}], [{self.string(d)}])[0]",
            lambda d: f"try({self.bool(d)} ? {self.any(d)} : {self.any(d)}, {self.string(d)})",
            lambda d: f"try({self._dice.choice(['tostring', 'merge'])}({self.any(d)}), {self.string(d)})",
            lambda d: f'try("${{{self.any(d)}}}", {self.string(d)})',
            lambda d: f"try(coalesce({self.any(d)}, {self.any(d)}), {self.string(d)})",
            lambda d: f"coalesce({self.string(d)}, {self.string(d)})",
            lambda d: f"lookup({self.object(d)}, {self.string(d)}, {self.string(d)})",
            lambda d: f'join("{self._dice.choice(["-", "", ":"])}", {self.list(d)})',
            lambda d: f'format("%s-%s", {self.string(d)}, {self.any(d)})',
            lambda d: (
                f"{self._dice.choice(['upper', 'lower', 'trimspace', 'tostring', 'nonsensitive', 'strrev'])}"
                f"({self.string(d)})"
            ),
            lambda d: f'split("{self._dice.choice(["-", ":"])}", {self.string(d)})[{self.number(d)}]',
            lambda d: f'replace({self.string(d)}, "-", "")',
            lambda d: f"substr({self.string(d)}, 0, 2)",
            lambda d: f"{self.objects(d)}[{self.number(d)}].key",
            lambda d: f"jsondecode(jsonencode({self.object(d)})).id",
            lambda d: f'"%{{ if {self.bool(d)} }}${{{self.string(d)}}}%{{ else }}x%{{ endif }}"',
            lambda d: f"jsonencode({self.any(d)})",
            lambda d: f"coalescelist({self.list(d)}, [{self.string(d)}])[0]",
            lambda d: f"(\n  # a comment\n  {self.string(d)}\n)",
            lambda d: f"provider::terraform::encode_expr({self.any(d)})",
            lambda d: f"[for p, q in {self._dice.choice([self.list, self.object])(d)} : {self._dice.choice('pq')}][0]",
            lambda d: f"[for q in {self._dice.choice([self.list, self.object])(d)} : q][0]",
        ]
        made += [self._rare, self._rare]
        simple = ["var.s", "var.z", "var.x", "var.o.id", "var.t.id", "var.t.key", "var.m.prod.id", '"prod"', '"id"']
        bound = [name for name, type_ in self._names if type_ == "string"]
        return self._of([*simple, *bound, *bound], made, depth)

    def _rare(self, depth: int) -> str:
        """A string by functions that are seldom used."""
        a, b = self.string(depth), self.string(depth)
        return self._dice.choice(
            [
                f'regex("[a-z]+", {a})',
                f'regex("(?P<k>.*)", {a}).k',
                f'regexall("[a-z]", {a})[0]',
                f'trimprefix("p-${{{a}}}", "p-")',
                f'format("%[2]s", {a}, {b})',
                f'formatlist("%s", [{a}, {b}])[1]',
                f'"%{{ for one in [{a}, {b}] }}${{one}}%{{ endfor }}"',
                f"yamldecode(yamlencode({{ k = {a} }})).k",
                f'csvdecode("k,l\\n${{{a}}},${{{b}}}\\n")[0].l',
                f"base64decode(base64encode({a}))",
                f'textdecodebase64(textencodebase64({a}, "UTF-16LE"), "UTF-16LE")',
                f'provider::terraform::decode_tfvars("k = \\"${{{a}}}\\"\\n").k',
                f"keys(transpose({{ (var.s) = [{a}] }}))[0]",
                f'matchkeys([{a}, {b}], ["1", "2"], ["2"])[0]',
                f"chunklist([{a}, {b}], 1)[1][0]",
                f"setproduct([{a}], [{b}])[0][1]",
                f"one(setunion([{a}], [{a}]))",
                f"one(setsubtract([{a}, {b}], [{b}]))",
                f"({{ for one in [{a}, {b}] : one => {b}... }})[{a}][0]",
                f'(startswith({a}, "p") ? {a} : {b})',
                f"(alltrue([{self.bool(depth)}, true]) ? {a} : {b})",
                f"(max(length({a}), 3) == 3 ? {a} : {b})",
                f"({{ k = {a} }}[*].k)[0]",
                f"[for index, one in [{a}, {b}] : one if index == 1][0]",
                f"md5({a})",
                f"title({a})",
            ]
        )

    def any(self, depth: int) -> str:
        return self._dice.choice([self.string, self.string, self.number, self.bool, lambda _: "var.a", self.object])(
            depth
        )

    def number(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f"length({self.list(d)})",
            lambda d: f"({self.number(d)} {self._dice.choice('+-*%')} {self._dice.choice(['1', '2', 'var.n'])})",
            lambda d: f"({self.bool(d)} ? {self.number(d)} : {self.number(d)})",
            lambda d: f"index({self.list(d)}, {self.string(d)})",
            lambda d: f"-{self.number(0)}",
            lambda d: f"min({self.number(d)}, {self.number(d)})",
            lambda d: f"tonumber({self.any(d)})",
        ]
        return self._of(["0", "1", "var.n", "var.n"], made, depth)

    def bool(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f"{self.string(d)} {self._dice.choice(['==', '!='])} {self.string(d)}",
            lambda d: f"{self.any(d)} == {self.any(d)}",
            lambda d: f"!({self.bool(d)})",
            lambda d: f"({self.bool(d)} {self._dice.choice(['&&', '||'])} {self.bool(d)})",
            lambda d: f"({self.number(d)} {self._dice.choice(['<', '>=', '>'])} {self.number(d)})",
            lambda d: f"contains({self.list(d)}, {self.string(d)})",
            lambda d: f"can({self.string(d)})",
        ]
        return self._of(["var.b", "var.b", "true", 'var.s == "prod"', "var.x == null"], made, depth)

    def list(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f"[{self.string(d)}, {self.string(d)}]",
            lambda d: f"reverse({self.list(d)})",
            lambda d: f"concat({self.list(d)}, {self.list(d)})",
            lambda d: f"{self.objects(d)}[*].{self._dice.choice(['id', 'key'])}",
            lambda d: f"keys({self.object(d)})",
            lambda d: f"values({self.object(d)})",
            lambda d: f"tolist(toset({self.list(d)}))",
            lambda d: f"sort({self.list(d)})",
            lambda d: f"compact({self.list(d)})",
            lambda d: f"distinct({self.list(d)})",
            lambda d: f"slice({self.list(d)}, 0, 1)",
            lambda d: self._loop(d),
            lambda d: self._loop(d),
            lambda d: f"flatten([{self.list(d)}, [{self.string(d)}]])",
        ]
        return self._of(["var.l", "tolist(var.u)", "var.r[*].id", "[var.s, var.z]", "keys(var.m)"], made, depth)

    def _loop(self, depth: int) -> str:
        source = self.list(depth)
        name = self._dice.choice(["k", "v", "w"])
        self._names.append((name, "string"))
        try:
            condition = f" if {self.bool(depth)}" if self._dice.random() < 0.3 else ""
            return f"[for {name} in {source} : {self.string(depth)}{condition}]"
        finally:
            self._names.pop()

    def object(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f"{{ id = {self.string(d)}, key = {self.string(d)} }}",
            lambda d: f'{{ (var.s) = {self.string(d)}, "id" = {self.string(d)}, key = {self.string(d)} }}',
            lambda d: f'{{ "id" = {self.string(d)}, key = {self.string(d)}, (var.s) = {self.string(d)} }}',
            lambda d: f"merge({self.object(d)}, {self.object(d)})",
            lambda d: f"zipmap({self.list(d)}, {self.list(d)})",
            lambda d: f"{self.objects(d)}[{self.number(d)}]",
            lambda d: f"var.m[{self.string(d)}]",
            lambda d: f"lookup(var.m, {self.string(d)}, {self.object(d)})",
            lambda d: f"try({self.object(d)}, {self.object(d)})",
            lambda d: f"({self.bool(d)} ? {self._pair()} : {self._pair()})",
            lambda d: f"{{ for q in {self.list(d)} : q => {self.string(d)} }}",
            lambda d: f"{{ for p, q in {self.object(d)} : p => q if p != {self.string(d)} }}",
            lambda d: f"tomap({self.object(d)})",
        ]
        return self._of(["var.o", "var.t", "var.m.dev", 'var.m["prod"]', "var.r[0]"], made, depth)

    def _pair(self) -> str:
        """An object of one type: of others, Terraform makes no conditional."""
        return self._dice.choice(["var.o", "var.m.dev", 'var.m["prod"]', "var.r[0]", "var.m[var.s]"])

    def objects(self, depth: int) -> str:
        made: list[Callable[[int], str]] = [
            lambda d: f"[{self.object(d)}, {self.object(d)}]",
            lambda _: "values(var.m)",
            lambda d: f"concat(var.r, [{self.object(d)}])",
            lambda d: f"reverse({self.objects(d)})",
            lambda d: f"[for e in {self.objects(d)} : e if e.id != {self.string(d)}]",
        ]
        return self._of(["var.r", "var.r", "[var.o]"], made, depth)


BUILT_IN = (
    'terraform {\n  required_providers {\n    terraform = { source = "terraform.io/builtin/terraform" }\n  }\n}\n\n'
)


def write(folder: Path, expressions: list[str], calls: list[dict[str, str]]) -> None:
    """A root module that calls one with the ``expressions`` as its outputs, once for each of the ``calls``."""
    (folder / "m").mkdir()
    module = BUILT_IN + "".join(f'variable "{name}" {{\n  type = {type_}\n}}\n\n' for name, type_ in VARIABLES.items())
    for number, expression in enumerate(expressions):
        module += f"locals {{\n  e{number} = {expression}\n}}\n\n"
        said = f'try(jsonencode({expression}), "an error")'
        module += f'output "e{number}" {{\n  value = {said}\n}}\n\n'
    (folder / "m/main.tf").write_text(module)
    root = ""
    for number, call in enumerate(calls):
        given = "".join(f"  {name} = {value}\n" for name, value in call.items())
        root += f'module "c{number}" {{\n  source = "./m"\n{given}}}\n\n'
        root += f'output "c{number}" {{\n  value = module.c{number}\n}}\n\n'
    (folder / "main.tf").write_text(root)


def evaluated(folder: Path, terraform: Terraform) -> list[dict[str, Any]]:
    """What terraform says that the outputs of each call are; nothing of a call of which it does not know all."""
    text = (folder / "m/main.tf").read_text()
    kept = "\n\n".join(line for line in text.split("\n\n") if not line.startswith("locals"))
    (folder / "m/main.tf").write_text(kept)
    for command in (["init"], ["plan", "-input=false", "-out=plan"]):
        done = terraform.run(*command, cwd=folder)
        assert done.returncode == 0, done.stderr
    outputs = json.loads(terraform.run("show", "-json", "plan", cwd=folder).stdout)["planned_values"]["outputs"]
    (folder / "m/main.tf").write_text(text)
    return [outputs[f"c{number}"].get("value", {}) for number in range(len(outputs))]
