"""Trees of modules that hand credentials down in all ways that there are, and what each provider has in the end.

A tree knows the value of each of its expressions without reading them: the text and the meaning are made together. So
it can judge what became of the text. It knows nothing of the program that is tested.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import hcl2

Env = dict[str, Any]
Type = Any
"""``"s"`` for a string, a dict for an object of such, a list for a list."""

DEPTH = 3


class Expr(NamedTuple):
    """An expression, and what it is in an instance of its module."""

    text: str
    value: Callable[[Env], Any]


@dataclass(eq=False)
class Call:
    """A ``module`` block; ``keys`` are those of its ``for_each``, with their values."""

    label: str
    target: Module
    arguments: dict[str, Expr] = field(default_factory=dict)
    keys: Expr | None = None
    names: tuple[str, ...] = ()


@dataclass(eq=False)
class Module:
    """A folder of Terraform, at ``path``."""

    path: str
    inputs: dict[str, Type] = field(default_factory=dict)
    declared: dict[str, str] = field(default_factory=dict)
    defaults: dict[str, Any] = field(default_factory=dict)
    optional: dict[str, dict[str, Any]] = field(default_factory=dict)
    locals: dict[str, Expr] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    providers: list[tuple[str, dict[str, Expr]]] = field(default_factory=list)
    outputs: dict[str, Expr] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """The module as it is written."""
        blocks = [f'variable "{name}" {{\n{body}}}\n' for name, body in self.declared.items()]
        if self.locals:
            blocks.append("locals {\n" + "".join(f"  {n} = {e.text}\n" for n, e in self.locals.items()) + "}\n")
        for alias, arguments in self.providers:
            head = f'  alias = "{alias}"\n' if alias else ""
            blocks.append(
                'provider "aws" {\n' + head + "".join(f"  {n} = {e.text}\n" for n, e in arguments.items()) + "}\n"
            )
        for call in self.calls:
            up = "../" * (self.path.count("/") + 1) if self.path else "./"
            each = f"  for_each = {call.keys.text}\n" if call.keys else ""
            body = "".join(f"  {name} = {one.text}\n" for name, one in call.arguments.items())
            blocks.append(f'module "{call.label}" {{\n  source = "{up}{call.target.path}"\n{each}{body}}}\n')
        blocks += [f'output "{name}" {{\n  value = {one.text}\n}}\n' for name, one in self.outputs.items()]
        return "\n".join(blocks)


@dataclass(eq=False)
class Tree:
    """A root module and what it calls; ``values`` are those of its variables, in each of its environments."""

    root: Module
    modules: list[Module]
    values: list[dict[str, Any]]

    def files(self) -> dict[str, bytes]:
        """The tree as files."""
        found = {f"{module.path}/main.tf".lstrip("/"): module.text().encode() for module in self.modules}
        return found | {name: text.encode() for module in self.modules for name, text in module.files.items()}

    def folders(self) -> dict[tuple[str, ...], str]:
        """The path of the module of each instance, by its address."""
        found: dict[tuple[str, ...], str] = {}
        pending = [(self.root, ())]
        while pending:
            module, at = pending.pop()
            found[at] = module.path
            for call in module.calls:
                pending += [(call.target, (*at, call.label + suffix)) for suffix in _suffixes(call)]
        return found

    def signers(self, values: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], str, tuple[tuple[str, Any], ...]]]:
        """The address of each instance of a provider, its place in the tree's text, and its credentials."""
        yield from _signers(self.root, {"var": self.root.defaults | values}, ())


def _signers(module: Module, env: Env, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    env = {**env, "module": module}
    for alias, arguments in module.providers:
        told = {name: one.value(env) for name, one in arguments.items()}
        yield at, f"{module.path}:{alias}", tuple(sorted((n, repr(v)) for n, v in told.items() if v is not None))
    for call in module.calls:
        for key, inner in instances(call, env):
            yield from _signers(call.target, inner, (*at, call.label + (f"[{key}]" if key is not None else "")))


def instances(call: Call, env: Env) -> Iterator[tuple[str | None, Env]]:
    """The instances that a call makes, by their keys."""
    keys = call.keys.value(env) if call.keys else {None: None}
    for key, value in keys.items():
        there = {**env, "each": (key, value)}
        given = {name: one.value(there) for name, one in call.arguments.items()}
        for name, optional in call.target.optional.items():
            if isinstance(given.get(name), dict):
                given[name] = optional | {k: v for k, v in given[name].items() if v is not None}
        yield key, {"var": call.target.defaults | given, "module": call.target}


class Maker:
    """Makes one tree; a ``single`` one has one origin of credentials, however it is handed down."""

    def __init__(self, seed: int, *, single: bool = False, repeats: bool = False) -> None:
        self.random = random.Random(seed)
        self.single = single
        self.repeats = repeats
        self.number = 0
        self.modules: list[Module] = []

    def tree(self) -> Tree:
        """A tree of three floors."""
        root = Module("")
        self.modules.append(root)
        if self.single:
            self._declare(root, "key", "s")
        else:
            for name in ("prod", "dev"):
                self._declare(root, name, "s")
            for name, type_ in (
                ("both", {"prod": "s", "dev": "s"}),
                ("list", ["s", "s"]),
                ("env", "e"),
                ("deep", {"a": {"k": "s"}, "b": {"k": "s"}}),
            ):
                if self.random.random() < 0.6:
                    self._declare(root, name, type_)
        self._fill(root, 0)
        values = [self._values(root, number) for number in range(2)]
        return Tree(root, self.modules, values)

    def other(self, tree: Tree) -> Tree:
        """Another root module of the same tree, which calls the modules that the first one calls."""
        root = Module("live/other", dict(tree.root.inputs), dict(tree.root.declared))
        self.modules.append(root)
        for target in dict.fromkeys(
            call.target for call in tree.root.calls if call.target.calls or call.target.providers
        ):
            for _ in range(self.random.choice((1, 2))):
                self._call(root, target)
        return Tree(root, self.modules, tree.values)

    def _values(self, root: Module, number: int) -> dict[str, Any]:
        def value(name: str, type_: Type) -> Any:
            if type_ == "e":
                return ("prod", "dev")[number]
            if isinstance(type_, dict):
                return {key: value(f"{name}.{key}", inner) for key, inner in type_.items()}
            if isinstance(type_, list):
                return [value(f"{name}.{index}", inner) for index, inner in enumerate(type_)]
            return f"{name}-{number}"

        return {name: value(name, type_) for name, type_ in root.inputs.items()}

    def _name(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}{self.number}"

    def _declare(self, module: Module, name: str, type_: Type, body: str = "") -> None:
        module.inputs[name] = type_
        module.declared[name] = body

    def _fill(self, module: Module, depth: int) -> None:
        pick = self.random
        if (depth and (depth == DEPTH - 1 or pick.random() < 0.35)) or (not depth and pick.random() < 0.25):
            aliases = ["", "other"][: 1 if pick.random() < 0.75 else 2]
            module.providers = [(alias, self._credentials(module)) for alias in aliases]
        if depth == DEPTH - 1:
            return
        for _ in range(pick.choice((1, 1, 2))):
            target = self._target(depth)
            for _ in range(pick.choice((1, 2, 2, 3))):
                self._call(module, target)
            self._fill(target, depth + 1)

    def _target(self, depth: int) -> Module:
        target = Module(f"modules/{self._name('m')}")
        self.modules.append(target)
        for _ in range(self.random.choice((1, 1, 2))):
            name = self._name("v")
            type_ = self.random.choice(("s", "s", {"k": "s", "n": "s"}, {"a": {"k": "s"}}, ["s", "s"]))
            body = ""
            if isinstance(type_, dict) and "k" in type_ and self.random.random() < 0.4:
                default = "@" if self.single else f"lit{self.random.randrange(2)}"
                if default != "@":
                    body = f'  type = object({{ k = string, n = optional(string, "{default}") }})\n'
                    target.optional[name] = {"n": default}
            if type_ == "s" and not self.single and self.random.random() < 0.3:
                default = f"lit{self.random.randrange(2)}"
                body += f'  default = "{default}"\n'
                target.defaults[name] = default
            self._declare(target, name, type_, body)
        return target

    def _call(self, module: Module, target: Module) -> None:
        call = Call(self._name("c"), target)
        each = None
        if self.repeats and self.random.random() < 0.3:
            call.names = ("x", "y")[: self.random.choice((1, 2))]
            keys = {key: self._string(module, 1, each=None) for key in call.names}
            text = "{ " + ", ".join(f"{key} = {one.text}" for key, one in keys.items()) + " }"
            call.keys = each = Expr(text, lambda env, keys=keys: {key: one.value(env) for key, one in keys.items()})
        for name, type_ in target.inputs.items():
            if name in target.defaults and self.random.random() < 0.5:
                continue
            call.arguments[name] = self._of(module, type_, each, target.optional.get(name, {}))
        module.calls.append(call)

    def _credentials(self, module: Module) -> dict[str, Expr]:
        if self.single or self.random.random() < 0.5:
            return {"profile": self._string(module, 2)}
        return {name: self._string(module, 2) for name in ("access_key", "secret_key")}

    # --- expressions --------------------------------------------------------------------------------------------------

    def _of(self, module: Module, type_: Type, each: Expr | None, optional: dict[str, Any]) -> Expr:
        same = [one for one, told in self._paths(module) if told == type_]
        if same and self.random.random() < 0.4:
            return self.random.choice(same)
        if isinstance(type_, dict):
            parts = {k: self._of(module, t, each, {}) for k, t in type_.items()}
            left = {k: one for k, one in parts.items() if k not in optional or self.random.random() < 0.5}
            text = "{ " + ", ".join(f"{k} = {one.text}" for k, one in left.items()) + " }"
            made = Expr(text, lambda env: {k: one.value(env) for k, one in left.items()})
            return self._maybe_local(module, made, each)
        if isinstance(type_, list):
            items = [self._of(module, t, each, {}) for t in type_]
            made = Expr(f"[{', '.join(item.text for item in items)}]", lambda env: [item.value(env) for item in items])
            return self._maybe_local(module, made, each)
        return self._string(module, self.random.choice((0, 1, 2)), each)

    def _paths(self, module: Module) -> Iterator[tuple[Expr, Type]]:
        """What a module's variables are, with all that is in them."""
        pending: list[tuple[str, Callable[[Env], Any], Type]] = [
            (f"var.{name}", lambda env, name=name: env["var"][name], type_) for name, type_ in module.inputs.items()
        ]
        while pending:
            text, get, type_ = pending.pop()
            yield Expr(text, get), type_
            if isinstance(type_, dict):
                for k, inner in type_.items():
                    step = self.random.choice((f".{k}", f'["{k}"]'))
                    pending.append((text + step, lambda env, get=get, k=k: get(env)[k], inner))
            if isinstance(type_, list):
                for index, inner in enumerate(type_):
                    pending.append((f"{text}[{index}]", lambda env, get=get, i=index: get(env)[i], inner))

    def _maybe_local(self, module: Module, made: Expr, each: Expr | None) -> Expr:
        if each is not None or self.random.random() < 0.7:
            return made
        name = self._name("l")
        module.locals[name] = made
        return Expr(f"local.{name}", lambda env: env["module"].locals[name].value(env))

    def _atom(self, module: Module, each: Expr | None) -> Expr:
        strings = [one for one, type_ in self._paths(module) if type_ == "s"]
        if each is not None and self.random.random() < 0.5:
            if not self.single and self.random.random() < 0.3:
                return Expr("each.key", lambda env: env["each"][0])
            return Expr("each.value", lambda env: env["each"][1])
        if not self.single and (not strings or self.random.random() < 0.15):
            text = f"lit{self.random.randrange(2)}"
            return Expr(f'"{text}"', lambda _: text)
        return self.random.choice(strings)

    def _string(self, module: Module, depth: int, each: Expr | None = None) -> Expr:
        if depth == 0:
            return self._atom(module, each)
        made = self._string(module, depth - 1, each)
        other = made if self.single else self._string(module, depth - 1, each)
        return self._maybe_local(module, self._wrapped(module, made, other, each), each)

    def _wrapped(self, module: Module, made: Expr, other: Expr, each: Expr | None) -> Expr:
        a, b = made.text, other.text
        ways: list[tuple[str, Callable[[Any, Any], Any]]] = [
            (a, lambda x, _: x),
            (f"({a})", lambda x, _: x),
            (f'"${{{a}}}"', lambda x, _: x),
            (f"tostring({a})", lambda x, _: x),
            (f"nonsensitive(sensitive({a}))", lambda x, _: x),
            (f"coalesce({a}, {b})", lambda x, y: x or y),
            (f"try({a}, {b})", lambda x, _: x),
            (f'lookup({{ k = {a}, n = {b} }}, "k", "no")', lambda x, _: x),
            (f'lookup({{ n = {b} }}, "k", {a})', lambda x, _: x),
            (f"merge({{ k = {b} }}, {{ k = {a} }}).k", lambda x, _: x),
            (f"element([{b}, {a}], 1)", lambda x, _: x),
            (f"[{a}, {b}][0]", lambda x, _: x),
            (f"([{{ k = {b} }}, {{ k = {a} }}][*].k)[1]", lambda x, _: x),
            (f"[{{ k = {b} }}, {{ k = {a} }}].*.k[1]", lambda x, _: x),
            (f'{{ k = {{ n = {a} }}, m = {{ n = {b} }} }}["k"].n', lambda x, _: x),
            (f"one([{a}])", lambda x, _: x),
            (f'join("", [{a}])', lambda x, _: x),
            (f'format("%s", {a})', lambda x, _: x),
            (f'("a" == "a" ? {a} : {b})', lambda x, _: x),
            (f'("a" == "b" ? {b} : {a})', lambda x, _: x),
            (f"{{ for k, v in {{ p = {a}, q = {b} }} : k => v }}.p", lambda x, _: x),
            (f"[for v in [{b}, {a}] : v][1]", lambda x, _: x),
            (f"values({{ k = {a} }})[0]", lambda x, _: x),
            (f"jsondecode(jsonencode({{ k = {a} }})).k", lambda x, _: x),
            (f'zipmap(["p", "q"], [{a}, {b}])["p"]', lambda x, _: x),
            (f"concat([{a}], [{b}])[0]", lambda x, _: x),
            (f"reverse([{a}, {b}])[1]", lambda x, _: x),
        ]
        if not self.single:
            ways += [
                (f"flatten([[{a}], [{b}]])[0]", lambda x, _: x),
                (f'"p-${{{a}}}"', lambda x, _: f"p-{x}"),
                (f'format("%s/%s", {a}, {b})', lambda x, y: f"{x}/{y}"),
                (f"upper({a})", lambda x, _: str(x).upper()),
                (f"tolist(toset([{a}, {b}]))[0]", lambda x, y: sorted({x, y})[0]),
                (f'({a} == {b} ? "same" : {b})', lambda x, y: "same" if x == y else y),
                (f'(terraform.workspace == "prod" ? {a} : {b})', lambda _, y: y),
            ]
            if "env" in module.inputs and each is None and self.random.random() < 0.3:
                return self._chosen(a, b, made, other)
        if each is None and self.random.random() < 0.1:
            return self._file_or_output(module, made)
        text, meaning = self.random.choice(ways)
        return Expr(text, lambda env: meaning(made.value(env), other.value(env)))

    def _chosen(self, a: str, b: str, made: Expr, other: Expr) -> Expr:
        ways = [
            f'(var.env == "prod" ? {a} : {b})',
            f"{{ prod = {a}, dev = {b} }}[var.env]",
            f"lookup({{ prod = {a} }}, var.env, {b})",
        ]
        return Expr(self.random.choice(ways), lambda env: (made if env["var"]["env"] == "prod" else other).value(env))

    def _file_or_output(self, module: Module, made: Expr) -> Expr:
        if not self.single and self.random.random() < 0.5:
            name = self.random.choice(("x", "y"))
            path = f"{module.path}/{name}.txt".lstrip("/")
            module.files[path] = path
            return Expr(f'file("${{path.module}}/{name}.txt")', lambda _: path)
        vault = Module(f"modules/{self._name('vault')}", {"v": "s"}, {"v": ""})
        vault.outputs["key"] = Expr("var.v", lambda env: env["var"]["v"])
        self.modules.append(vault)
        call = Call(self._name("c"), vault, {"v": made})
        module.calls.append(call)
        return Expr(
            f"module.{call.label}.key", lambda env: next(vault.outputs["key"].value(e) for _, e in instances(call, env))
        )


# --- what became of it ------------------------------------------------------------------------------------------------


def roles(files: dict[str, bytes], tree: Tree) -> dict[tuple[tuple[str, ...], str], str]:
    """The role of each instance of a provider in migrated ``files``: a literal, or a variable of the root module.

    ``""`` where a provider has none; an instance that keeps its credentials is left out.
    """
    read = {path: hcl2.loads(text.decode()) for path, text in files.items() if path.endswith(".tf")}
    return dict(_roles(read, tree.root, {}, ()))


def _roles(
    read: dict[str, Any], module: Module, variables: dict[str, str], at: tuple[str, ...]
) -> Iterator[tuple[tuple[tuple[str, ...], str], str]]:
    documents = [one for path, one in read.items() if path.rpartition("/")[0] == module.path]
    for block in (block for document in documents for block in document.get("provider", [])):
        ((_, body),) = block.items()
        if {"profile", "access_key", "secret_key"} & body.keys():
            continue
        alias = str(body.get("alias", "")).strip('"')
        dynamic = [one for block in body.get("dynamic", []) for made in block.values() for one in made["content"]]
        web = (body.get("assume_role_with_web_identity") or dynamic or [{}])[0]
        yield (at, f"{module.path}:{alias}"), _named(web.get("role_arn", ""), variables, at)
    blocks = {
        name.strip('"'): body
        for document in documents
        for block in document.get("module", [])
        for name, body in block.items()
    }
    for call in module.calls:
        body = blocks[call.label]
        passed = {name: _named(value, variables, at) for name, value in body.items() if name.startswith("aws_role_arn")}
        for suffix in _suffixes(call):
            yield from _roles(read, call.target, passed, (*at, call.label + suffix))


def _suffixes(call: Call) -> list[str]:
    return [""] if call.keys is None else [f"[{key}]" for key in call.names]


def _named(value: Any, variables: dict[str, str], at: tuple[str, ...]) -> str:
    name = re.fullmatch(r"(?:\$\{)?var\.([\w-]+)\}?", str(value))
    if name is None:
        return str(value).strip('"')
    return variables[name[1]] if at else f"var.{name[1]}"
