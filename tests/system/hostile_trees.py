"""Trees of modules that mean harm to who keeps identities apart: every way to hand a key down, mixed at random.

What each provider signs in with is known by construction; `judged` reads the migrated files by a reader of its own, and
tells which role each instance of a provider ends up with.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

NAMES = ("ci", "dev", "prod", "audit")


@dataclass(frozen=True)
class Shape:
    """A way to take a key: what a module declares, how it reads it, and what a call passes for it."""

    name: str
    declare: str
    key: str
    secret: str
    give: Callable[[str, str, random.Random], str]
    files: tuple[tuple[str, str], ...] = ()
    by_name: bool = False


def _flat(key: str, secret: str, dice: random.Random) -> str:
    return f"  key    = {key}\n  secret = {secret}\n"


def _object(key: str, secret: str, dice: random.Random) -> str:
    return f"  creds = {{\n    id  = {key}\n    key = {secret}\n  }}\n"


def _list(key: str, secret: str, dice: random.Random) -> str:
    decoy = '{ id = "decoy", key = "decoy" }'
    items = [decoy, f"{{ id = {key}, key = {secret} }}"]
    index = dice.randrange(2)
    if index == 0:
        items.reverse()
    return f"  creds = [{', '.join(items)}]\n  index = {index}\n"


def _map(key: str, secret: str, dice: random.Random) -> str:
    which = dice.choice(["a", "b"])
    other = "b" if which == "a" else "a"
    return (
        f'  creds = {{\n    {other} = {{ id = "decoy", key = "decoy" }}\n'
        f'    {which} = {{ id = {key}, key = {secret} }}\n  }}\n  which = "{which}"\n'
    )


def _single(key: str, secret: str, dice: random.Random) -> str:
    return f"  creds = [{{ id = {key}, key = {secret} }}]\n"


def _blob(key: str, secret: str, dice: random.Random) -> str:
    return f"  blob = jsonencode({{ id = {key}, key = {secret} }})\n"


def _two(key: str, secret: str, dice: random.Random) -> str:
    first = dice.random() < 0.5
    here, there = ("one", "two") if first else ("two", "one")
    return (
        f'  {here} = {{ id = {key}, key = {secret} }}\n  {there} = {{ id = "decoy", key = "decoy" }}\n'
        f"  first = {str(first).lower()}\n"
    )


def _pair(key: str, secret: str, dice: random.Random) -> str:
    return f'  pair = "${{{key}}}:${{{secret}}}"\n'


def _zipped(key: str, secret: str, dice: random.Random) -> str:
    return f'  names = ["id", "key"]\n  given = [{key}, {secret}]\n'


def _named(key: str, secret: str, dice: random.Random) -> str:
    return f"  env = {key}\n"


_OBJECT = "object({\n    id  = string\n    key = string\n  })"


def _variables(**types: str) -> str:
    return "".join(f'variable "{name}" {{\n  type = {type_}\n}}\n\n' for name, type_ in types.items())


_TABLE = {name: {"id": f"ID-{name}", "key": f"KEY-{name}"} for name in NAMES}
_ROWS = "name,id,key\n" + "".join(f"{name},ID-{name},KEY-{name}\n" for name in NAMES)
_HCL_TABLE = "{\n" + "".join(f'    {name} = {{ id = "ID-{name}", key = "KEY-{name}" }}\n' for name in NAMES) + "  }"

SHAPES = (
    Shape("flat", _variables(key="string", secret="string"), "var.key", "var.secret", _flat),
    Shape(
        "flat try",
        _variables(key="string", secret="string"),
        'try(var.key, "x")',
        'coalesce(var.secret, "x")',
        _flat,
    ),
    Shape("object", _variables(creds=_OBJECT), "var.creds.id", 'var.creds["key"]', _object),
    Shape("any", _variables(creds="any"), 'lookup(var.creds, "id", "x")', 'try(var.creds.key, "x")', _object),
    Shape(
        "optional",
        _variables(creds='object({\n    id  = optional(string, "ID-ci")\n    key = optional(string, "KEY-ci")\n  })'),
        "var.creds.id",
        "var.creds.key",
        _object,
    ),
    Shape(
        "merged",
        _variables(creds="map(string)")
        + 'locals {\n  creds = merge({ id = "ID-ci", key = "KEY-ci" }, var.creds)\n}\n\n',
        "local.creds.id",
        "local.creds.key",
        _object,
    ),
    Shape(
        "list",
        _variables(creds=f"list({_OBJECT})", index="number"),
        "var.creds[var.index].id",
        "element(var.creds, var.index).key",
        _list,
    ),
    Shape(
        "reversed",
        _variables(creds=f"list({_OBJECT})", index="number"),
        "reverse(var.creds)[1 - var.index].id",
        "(var.creds[*].key)[var.index]",
        _list,
    ),
    Shape(
        "map",
        _variables(creds=f"map({_OBJECT})", which="string"),
        "var.creds[var.which].id",
        "lookup(var.creds, var.which).key",
        _map,
    ),
    Shape(
        "loop",
        _variables(creds=f"map({_OBJECT})", which="string"),
        "{ for k, v in var.creds : k => v.id }[var.which]",
        "one([for k, v in var.creds : v.key if k == var.which])",
        _map,
    ),
    Shape(
        "values",
        _variables(creds=f"map({_OBJECT})", which="string"),
        'values(var.creds)[var.which == "a" ? 0 : 1].id',
        "zipmap(keys(var.creds), values(var.creds)[*].key)[var.which]",
        _map,
    ),
    Shape("single", _variables(creds=f"list({_OBJECT})"), "one(var.creds[*].id)", "var.creds.0.key", _single),
    Shape("set", _variables(creds=f"set({_OBJECT})"), "one(var.creds).id", "tolist(var.creds)[0].key", _single),
    Shape("blob", _variables(blob="string"), "jsondecode(var.blob).id", "jsondecode(var.blob).key", _blob),
    Shape(
        "two",
        _variables(one=_OBJECT, two=_OBJECT, first="bool"),
        "var.first ? var.one.id : var.two.id",
        "(var.first ? var.one : var.two).key",
        _two,
    ),
    Shape("pair", _variables(pair="string"), 'split(":", var.pair)[0]', 'split(":", var.pair)[1]', _pair),
    Shape(
        "zipped",
        _variables(names="list(string)", given="list(string)"),
        "zipmap(var.names, var.given).id",
        'var.given[index(var.names, "key")]',
        _zipped,
    ),
    Shape(
        "table",
        _variables(env="string") + f"locals {{\n  table = {_HCL_TABLE}\n}}\n\n",
        "local.table[var.env].id",
        "local.table[var.env].key",
        _named,
        by_name=True,
    ),
    Shape(
        "template",
        _variables(env="string"),
        '"ID-${var.env}"',
        'format("%s-%s", "KEY", var.env)',
        _named,
        by_name=True,
    ),
    Shape(
        "condition",
        _variables(env="string"),
        'var.env == "prod" ? "ID-prod" : var.env == "dev" ? "ID-dev" : "ID-${var.env}"',
        'join("-", ["KEY", var.env])',
        _named,
        by_name=True,
    ),
    Shape(
        "yaml",
        _variables(env="string"),
        'yamldecode(file("${path.module}/keys.yaml"))[var.env].id',
        'yamldecode(file("${path.module}/keys.yaml"))[var.env].key',
        _named,
        (("keys.yaml", "".join(f"{n}:\n  id: ID-{n}\n  key: KEY-{n}\n" for n in NAMES)),),
        by_name=True,
    ),
    Shape(
        "json",
        _variables(env="string")
        + 'locals {\n  table = jsondecode(file("${path.module}/keys.json"))\n  mine = local.table[var.env]\n}\n\n',
        "local.mine.id",
        "local.mine.key",
        _named,
        (("keys.json", json.dumps(_TABLE)),),
        by_name=True,
    ),
    Shape(
        "csv",
        _variables(env="string")
        + 'locals {\n  rows = csvdecode(file("${path.module}/keys.csv"))\n'
        + "  mine = one([for row in local.rows : row if row.name == var.env])\n}\n\n",
        "local.mine.id",
        "local.mine.key",
        _named,
        (("keys.csv", _ROWS),),
        by_name=True,
    ),
)


@dataclass
class Made:
    """A module that was made: its ``shapes`` by which it takes keys, its providers and its calls."""

    path: str
    shape: Shape | None
    providers: list[tuple[str, str]] = field(default_factory=list)
    """Alias, and whose key it has: a name, ``root:VARIABLE``, or ``own``, what the module was given."""
    calls: list[tuple[str, Made, str, tuple[str, ...]]] = field(default_factory=list)
    """Label, what is called, whose key it gets (a name, ``own``, ``root:VARIABLE``), and the names of for_each."""
    known: dict[str, str] = field(default_factory=dict)
    """What the variables of a root are: a name, or ``several``."""


@dataclass(frozen=True)
class Instance:
    """A provider as it signs in: ``steps`` are the calls that lead to it, ``who`` names its key."""

    root: str
    steps: tuple[str, ...]
    module: str
    alias: str
    who: str


@dataclass
class Tree:
    """A repository that was made."""

    files: dict[str, str]
    instances: list[Instance]
    description: str = ""


def tree(dice: random.Random, *, has_loops: bool = True) -> Tree:
    """A repository of some roots and modules that call each other; with ``has_loops`` some calls have ``for_each``.

    Terraform itself rejects such a call of a module with providers of its own.
    """
    modules: list[Made] = []
    for number in range(dice.randint(1, 4)):
        made = Made(f"modules/m{number}", dice.choice(SHAPES))
        _fill(made, modules, dice, is_root=False)
        modules.append(made)
    roots = []
    for number in range(dice.choice([1, 1, 2, 3])):
        root = Made(f"live/r{number}", None)
        _fill(root, modules, dice, is_root=True)
        roots.append(root)
    for made in () if has_loops else (*modules, *roots):
        made.calls = [(label, callee, who, ()) for label, callee, who, _ in made.calls]
    files: dict[str, str] = {}
    for made in (*modules, *roots):
        files |= _written(made, dice, is_root=made in roots)
    files["admin/main.tf"] = _stacks(roots)
    for number, root in enumerate(roots):
        _give(root, number, files, dice)
    instances = [
        replace(one, who=_known(root, one.who)) for root in roots for one in _instances(root, root.path, (), "")
    ]
    return Tree(files, instances)


SOURCES = (
    "git::https://github.com/acme/#.git//",
    "git::ssh://git@github.com/acme/#.git//",
    "git@github.com:acme/#.git//",
    "github.com/acme/#//",
)


def apart(made: Tree, dice: random.Random) -> dict[str, dict[str, bytes]]:
    """The tree in repositories: each root module in one of its own, the modules in two, and the stacks in another."""
    style = dice.choice(SOURCES)
    found: dict[str, dict[str, bytes]] = {}
    for path, text in made.files.items():

        def source(match: re.Match[str], own: str = _repository(path)) -> str:
            there = _repository(f"modules/{match[1]}/main.tf")
            return match[0] if there == own else f'source = "{style.replace("#", there)}modules/{match[1]}"'

        text = re.sub(r'source = "(?:\.\./)+(?:modules/)?(m\d+)"', source, text)
        text = re.sub(r'repository = "repo"((?:\n.*){2}"live/(r\d)")', r'repository = "\2"\1', text)
        found.setdefault(_repository(path), {})[path] = text.encode()
    return found


def _repository(path: str) -> str:
    kind, name, *_ = path.split("/")
    if kind == "modules":
        return f"modules{int(name[1:]) % 2}"
    return name if kind == "live" else kind


def _known(root: Made, who: str) -> str:
    value = root.known.get(who, "")
    return f"{who}:several" if value == "several" else value or who


def _fill(made: Made, modules: list[Made], dice: random.Random, *, is_root: bool) -> None:
    own = "own" if not is_root else ""
    for alias in dice.sample(["", "second", "third"], dice.choice([0, 1, 1, 2] if modules else [1, 1, 2])):
        who = own if own and dice.random() < 0.75 else dice.choice(NAMES)
        if is_root and dice.random() < 0.3:
            who = f"root:{dice.choice(['main', 'other'])}"
        made.providers.append((alias, who))
    for number in range(dice.choice([1, 2, 2, 3] if is_root else [0, 1, 2]) if modules else 0):
        callee = dice.choice(modules)
        choice = dice.random()
        names: tuple[str, ...] = ()
        assert callee.shape is not None
        may_hand_on = own and not (callee.shape.by_name and not (made.shape and made.shape.by_name))
        if may_hand_on and choice < 0.6:
            who = "own"
        elif is_root and choice < 0.2 and not callee.shape.by_name:
            who = f"root:{dice.choice(['main', 'other'])}"
        else:
            who = dice.choice(NAMES)
            if dice.random() < 0.15:
                names = tuple(sorted(dice.sample(NAMES, dice.randint(1, 2))))
        made.calls.append((f"c{number}", callee, who, names))


def _expressions(made: Made, who: str) -> tuple[str, str, str]:
    """The key, the secret, and the name, of ``who`` in a module."""
    if who == "own":
        assert made.shape is not None
        return made.shape.key, made.shape.secret, "var.env" if made.shape.by_name else ""
    if who.startswith("root:"):
        name = who.removeprefix("root:")
        return f"var.{name}_key", f"var.{name}_secret", ""
    return f'"ID-{who}"', f'"KEY-{who}"', f'"{who}"'


def _written(made: Made, dice: random.Random, *, is_root: bool) -> dict[str, str]:
    variables = made.shape.declare if made.shape else ""
    files = {f"{made.path}/{name}": text for name, text in (made.shape.files if made.shape else ())}
    whose = {who for _, who in made.providers} | {who for _, _, who, _ in made.calls}
    for name in sorted(owner.removeprefix("root:") for owner in whose if owner.startswith("root:")):
        for part in ("key", "secret"):
            variables += f'variable "{name}_{part}" {{\n  type = string\n}}\n\n'
    main = (BACKEND if dice.random() < 0.5 else BACKEND_WITH_ROLE) if is_root else ""
    for alias, who in made.providers:
        key, secret, _ = _expressions(made, who)
        lines = ['provider "aws" {', f'  alias = "{alias}"' if alias else "  # the default one"]
        lines += ['  region = "eu-west-1"', f"  access_key = {key}", f"  secret_key = {secret}", "}", ""]
        main += "\n".join(lines) + "\n"
    main += "".join(_call(made, call, dice) for call in made.calls)
    if variables and dice.random() < 0.5:
        return {**files, f"{made.path}/main.tf": main, f"{made.path}/variables.tf": variables}
    return {**files, f"{made.path}/main.tf": variables + main}


def _call(made: Made, call: tuple[str, Made, str, tuple[str, ...]], dice: random.Random) -> str:
    label, callee, who, names = call
    assert callee.shape is not None
    text = f'module "{label}" {{\n  source = "{_relative(made.path, callee.path)}"\n'
    key, secret, own = _expressions(made, who)
    if names:
        text += f"  for_each = toset({json.dumps(names)})\n"
        key, secret, own = '"ID-${each.key}"', '"KEY-${each.value}"', "each.value"
    if callee.shape.by_name:
        return text + callee.shape.give(own, "", dice) + "}\n\n"
    return text + callee.shape.give(f"({key})" if "?" in key else key, secret, dice) + "}\n\n"


def _relative(caller: str, callee: str) -> str:
    return f"../{callee.split('/')[1]}" if caller.startswith("modules/") else f"../../{callee}"


def _give(root: Made, number: int, files: dict[str, str], dice: random.Random) -> None:
    """Give some of a root's variables values, in one of the ways that there are."""
    main = files[f"{root.path}/main.tf"] + files.get(f"{root.path}/variables.tf", "")
    for name in ("main", "other"):
        if f'variable "{name}_key"' not in main:
            continue
        way, value, another = dice.choice(WAYS), *dice.sample(NAMES, 2)
        said = f'{name}_key = "ID-{value}"\n{name}_secret = "KEY-{value}"\n'
        if way in ("default", "both"):
            home = f"{root.path}/variables.tf"
            home = home if f'variable "{name}_key"' in files.get(home, "") else f"{root.path}/main.tf"
            for part, prefix in (("key", "ID"), ("secret", "KEY")):
                declared = f'variable "{name}_{part}" {{\n  type = string\n'
                files[home] = files[home].replace(declared, f'{declared}  default = "{prefix}-{value}"\n')
        if way == "tfvars":
            path = f"{root.path}/{dice.choice(['terraform.tfvars', 'x.auto.tfvars'])}"
            files[path] = files.get(path, "") + said
        if way in ("both", "several"):
            for credential in {"both": (another,), "several": (value, another)}[way]:
                path = f"{root.path}/env/{credential}.tfvars"
                files[path] = files.get(path, "") + said.replace(f"-{value}", f"-{credential}")
        if way == "stack":
            for part, prefix in (("key", "ID"), ("secret", "KEY")):
                files["admin/main.tf"] += (
                    f'resource "spacelift_environment_variable" "s{number}_{name}_{part}" {{\n'
                    f'  stack_id = spacelift_stack.s{number}.id\n  name = "TF_VAR_{name}_{part}"\n'
                    f'  value = "{prefix}-{value}"\n}}\n\n'
                )
        root.known[f"root:{name}"] = {"unset": "", "both": "several", "several": "several"}.get(way, value)


def _stacks(roots: list[Made]) -> str:
    return "".join(
        f'resource "spacelift_stack" "s{number}" {{\n  name = "s{number}"\n  repository = "repo"\n  branch = "main"\n'
        f'  project_root = "{root.path}"\n  terraform_version = "1.9.5"\n}}\n\n'
        for number, root in enumerate(roots)
    )


BACKEND = 'terraform {\n  backend "s3" {\n    bucket = "state"\n    key    = "k"\n    region = "eu-west-1"\n  }\n}\n\n'
BACKEND_WITH_ROLE = BACKEND.replace("  }\n}", '    role_arn = "arn:aws:iam::123456789012:role/state"\n  }\n}')
WAYS = ("unset", "unset", "default", "tfvars", "both", "several", "stack")


def _instances(made: Made, root: str, steps: tuple[str, ...], own: str) -> Iterator[Instance]:
    for alias, who in made.providers:
        yield Instance(root, steps, made.path, alias, own if who == "own" else who)
    for label, callee, who, names in made.calls:
        for name in names or ("",):
            inner = name or (own if who == "own" else who)
            step = f'{label}["{name}"]' if name else label
            yield from _instances(callee, root, (*steps, step), inner)


# --- the judge ------------------------------------------------------------------------------------------------------

_HEAD = re.compile(r'^(provider|module|variable) "([\w-]+)" \{(.*)$')
_ARGUMENT = re.compile(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$")


@dataclass
class Read:
    """What a block of a migrated file says."""

    type: str
    label: str
    arguments: dict[str, str] = field(default_factory=dict)
    signs: str | None = None


def blocks(text: str) -> Iterator[Read]:
    """The blocks that count, in text that is laid out as `tree` lays it out."""
    current: Read | None = None
    within = ""
    for line in text.splitlines():
        head = _HEAD.match(line)
        if head:
            current, within = Read(head[1], head[2]), ""
            if line.endswith("}"):
                yield current
                current = None
        elif current is not None and line == "}":
            yield current
            current = None
        elif current is not None and not line.lstrip().startswith("#"):
            if line.strip().startswith(("assume_role_with_web_identity", 'dynamic "assume_role_with_web_identity')):
                within = "web"
            argument = _ARGUMENT.match(line)
            if argument and within and argument[1] == "role_arn":
                current.signs = argument[2]
            elif argument and line.startswith("  ") and not line.startswith("   "):
                current.arguments[argument[1]] = argument[2]
            if line == "  }":
                within = ""


def given_by_stacks(text: str) -> dict[tuple[str, str], str]:
    """The roles that the stacks of roots give: to a variable, or (``""``) to all that signs in by the environment."""
    found: dict[tuple[str, str], str] = {}
    integrations: dict[str, str] = {}
    for block in re.split(r"(?m)^}$", text):
        said = dict(re.findall(r'(?m)^\s*(\w+)\s*=\s*"?(.*?)"?$', block))
        head = re.search(r'resource "(\w+)" "(\w+)"', block)
        stack = re.search(r"spacelift_stack\.s(\d)", said.get("stack_id", ""))
        root = f"live/r{stack[1]}" if stack else ""
        if head and head[1] == "spacelift_aws_integration":
            integrations[head[2]] = f'"{said["role_arn"]}"'
        elif head and head[1] == "spacelift_aws_integration_attachment":
            found[root, ""] = said["integration_id"].split(".")[1]
        elif head and head[1] == "spacelift_environment_variable" and said["name"] == "AWS_ROLE_ARN":
            found[root, ""] = f'"{said["value"]}"'
        elif head and head[1] == "spacelift_environment_variable" and said["name"].startswith("TF_VAR_aws_role_arn"):
            found[root, said["name"].removeprefix("TF_VAR_")] = f'"{said["value"]}"'
        elif head and head[1] == "spacelift_stack" and (role := re.search(r"--role-arn (arn\S+)", block)):
            found[f"live/r{head[2][1:]}", ""] = f'"{role[1]}"'
    return {key: integrations.get(one, one) for key, one in found.items()}


def signs(
    root: Path, instance: Instance, sources: dict[tuple[str, str], str], given: dict[tuple[str, str], str]
) -> str:
    """What the instance of a provider signs in by now: a role, a variable of its root, its key, or the environment."""
    folders = [instance.root]
    labels = [step.partition("[")[0] for step in instance.steps]
    for label in labels:
        folders.append(sources[folders[-1], label])
    modules = [module(root / folder) for folder in folders]
    provider = next(
        declared
        for declared in modules[-1]
        if declared.type == "provider" and declared.arguments.get("alias", "").strip('"') == instance.alias
    )
    if provider.signs is None:
        if "access_key" in provider.arguments:
            return f"key of {instance.who}"
        return given.get((instance.root, ""), f"environment of {instance.root}")
    if provider.signs.startswith('"'):
        return provider.signs
    name = re.fullmatch(r"var\.([\w-]+)", provider.signs)
    assert name, provider.signs
    expression = name[1]
    for depth in range(len(modules) - 1, 0, -1):
        assert any(declared.type == "variable" and declared.label == expression for declared in modules[depth]), (
            expression
        )
        call = next(
            declared
            for declared in modules[depth - 1]
            if declared.type == "module" and declared.label == labels[depth - 1]
        )
        if expression not in call.arguments:
            raise AssertionError(f"module.{labels[depth - 1]} of {folders[depth - 1]} does not pass {expression}")
        passed = call.arguments[expression]
        if passed.startswith('"'):
            return passed
        above = re.fullmatch(r"var\.([\w-]+)", passed)
        assert above, passed
        expression = above[1]
    assert any(declared.type == "variable" and declared.label == expression for declared in modules[0]), expression
    return given.get((instance.root, expression), f"var.{expression} of {instance.root}")


def module(folder: Path) -> list[Read]:
    """The blocks of a folder."""
    return [one for file in sorted(folder.glob("*.tf")) for one in blocks(file.read_text())]


def calls_of(files: dict[str, str]) -> dict[tuple[str, str], str]:
    """The folder that each call leads to, by the caller's and the call's label."""
    found = {}
    for path, text in files.items():
        folder = path.rpartition("/")[0]
        for match in re.finditer(r'^module "(\w+)" \{\n  source = "(?:\.\./)+(?:modules/)?(m\d+)"', text, re.MULTILINE):
            found[folder, match[1]] = f"modules/{match[2]}"
    return found


def judged(root: Path, made: Tree, *, is_mapped: bool = False) -> list[str]:
    """What is wrong with a migrated tree: instances of two identities that have one role.

    Of what no file says, nobody knows that it is the same in two root modules, but where the user mapped it to a role.
    """
    sources = calls_of(made.files)
    given = given_by_stacks((root / "admin/main.tf").read_text())
    found: dict[str, dict[str, Instance]] = {}
    wrong = []
    for instance in made.instances:
        try:
            by = signs(root, instance, sources, given)
        except AssertionError as error:
            wrong.append(f"{instance}: {error}")
            continue
        if by.startswith("key of "):
            continue
        whose = (
            f"{instance.root} {instance.who}" if instance.who.startswith("root:") and not is_mapped else instance.who
        )
        found.setdefault(by, {}).setdefault(whose, instance)
        if by.startswith('"') and instance.who.endswith(":several"):
            wrong.append(f"{instance} has one role, {by}, in several environments")
    shared = [(by, sorted(map(str, who.values()))) for by, who in sorted(found.items()) if len(who) > 1]
    return wrong + [f"{by}: {who}" for by, who in shared]
