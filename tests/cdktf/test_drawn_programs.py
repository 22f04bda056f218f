"""No two identities of a CDKTF program share a role: programs drawn at random, that the real cdktf synthesises.

The program itself says who each provider is, before its migration and after, in each of two environments.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migrator.config.config import Config
from migrator.config.role_mapping import flag_mapping
from migrator.migrate.pipeline import migrate_repo
from migrator.model.results import Mode
from tests.cdktf.test_cdktf import SYNTHESISE, WEB_IDENTITY, needs_cdktf
from tests.terraform.test_hostile_trees import ARN, MODES

PROGRAMS = 8
WHO = ("ci", "dev", "prod")
BY_PROFILE: dict[str, Any] = {"roles": tuple(flag_mapping(f"profile:{who}={ARN}-{who}") for who in WHO)}
SETTINGS = (
    'CI = "ci"\nDEV = "dev"\nPROD = CI.replace("ci", "prod")\nTURNED = {"ci": "dev", "dev": "prod", "prod": "ci"}\n'
)
HEAD = """import os

import settings
from cdktf import App, S3Backend, TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from parts.network import Base, Network, add
from settings import DEV, TURNED

HERE = "prod"
PAIR = ["ci", HERE]


def turned(who, other="dev"):
    return TURNED[who] if who != other else other
"""
NETWORK = """import os

import settings
from cdktf import TerraformStack
from cdktf_cdktf_provider_aws.provider import AwsProvider
from constructs import Construct
from settings import DEV, TURNED

HERE = "ci"
PAIR = ["dev", HERE]


def turned(who):
    return TURNED[TURNED[who]]


class Network(Construct):
    def __init__(self, scope, id, profile):
        super().__init__(scope, id)
        self.who = #
        AwsProvider(self, "aws", region="eu-west-1", alias="network", profile=#)


class Base(TerraformStack):
    def __init__(self, scope, id, profile):
        super().__init__(scope, id)
        AwsProvider(self, "base", region="eu-west-1", alias="base", profile=#)


def add(stack, profile):
    AwsProvider(stack, "added", region="eu-west-1", alias="added", profile=#)
"""


class Drawn:
    """Draws a program; each of its expressions is one of `WHO`."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice

    def files(self) -> dict[str, str]:
        """The files of the program."""
        network = NETWORK
        for names in (["profile"], ["profile", "self.who"], ["profile"], ["profile"]):
            network = network.replace("#", self.value(*names[: self.dice.randrange(3)]), 1)
        classes = [self._stack(number) for number in range(self.dice.randint(1, 3))]
        main = "\n\n".join([HEAD, *classes, "app = App()\n" + "".join(self._calls(len(classes))) + "app.synth()\n"])
        return {"main.py": main, "parts/network.py": network, "settings.py": SETTINGS, "parts/__init__.py": ""}

    def value(self, *names: str, depth: int = 2) -> str:
        """An expression over the ``names`` in scope."""
        literal = f'"{self.dice.choice(WHO)}"'
        simple = [
            literal,
            literal,
            literal,
            "HERE",
            "DEV",
            "settings.PROD",
            "PAIR[1]",
            'os.environ["WHO"]',
            *names,
            *names,
            *names,
        ]
        if depth == 0 or self.dice.random() < 0.4:
            return self.dice.choice(simple)
        one, other = (self.value(*names, depth=depth - 1) for _ in range(2))
        return self.dice.choice(
            [
                f"TURNED[{one}]",
                f"settings.TURNED.get({one}, {literal})",
                f"turned({one})",
                f"({one} if {other} == {literal} else {other})",
                f'"{{}}".format({one})',
                f'f"{{{self.dice.choice(["HERE", "settings.DEV", *names])}}}"',
                f"({one} or {literal})",
                f"[{one}, {other}][0]",
                f"str({one}).lower()",
                f'os.getenv("NOBODY", {one})',
                f'"%s" % {one}',
            ]
        )

    def _credentials(self, *names: str) -> str:
        value = self.value(*names, depth=self.dice.choice([0, 1, 2]))
        return f"profile={value}" if self.dice.random() < 0.6 else f'access_key={value}, secret_key="x"'

    def _stack(self, number: int) -> str:
        dice, names = self.dice, ("who", "self.mine", "self.OURS")
        base = dice.choice(["TerraformStack", "TerraformStack", "Base", f"S{number - 1}" if number else "Base"])
        handed = f", {self.value('who')}" if base != "TerraformStack" else ""
        lines = [f"super().__init__(scope, id{handed})", f"self.mine = {self.value('who')}"]
        made = f'AwsProvider(self, "{number}-#", region="eu-west-1", '
        if dice.random() < 0.8:
            alias = f'alias="a{number}", ' if base != "TerraformStack" else ""
            lines.append(made.replace("#", "p") + alias + self._credentials(*names) + ")")
        if dice.random() < 0.4:
            lines.append(made.replace("#", "q") + f'alias="b{number}", {self._credentials(*names)})')
        if dice.random() < 0.4:
            lines += [f"for each in ({self.value('who')}, 'dev', 'prod')[1:]:"]
            each = made.replace('"', "'").replace("'", 'f"', 1).replace("#'", '{each}"')
            lines += [f'    {each}alias=f"{number}-{{each}}", {self._credentials("each", "who")})']
        if base == "TerraformStack" and dice.random() < 0.5:
            lines.append(f'Network(self, "network", {self.value(*names)})')
        if base == "TerraformStack" and dice.random() < 0.3:
            lines.append(f"add(self, {self.value(*names)})")
        if base == "TerraformStack" and dice.random() < 0.4:
            role = ', role_arn="arn:aws:iam::123456789012:role/state"' if dice.random() < 0.5 else ""
            lines.append(f'S3Backend(self, bucket="b", key=id, region="eu-west-1"{role})')
        body = "".join(f"        {line}\n" for line in lines)
        head = f"\nclass S{number}({base}):\n    OURS = {self.value(depth=1)}\n\n"
        return f"{head}    def __init__(self, scope, id, who={self.value(depth=0)}):\n{body}"

    def _calls(self, classes: int) -> Iterator[str]:
        for number in range(self.dice.randint(1, 3)):
            stack = f"S{self.dice.randrange(classes)}"
            yield self.dice.choice(
                [
                    f'c{number} = {stack}(app, "c{number}")\n'
                    f'AwsProvider(c{number}, "more", alias="more{number}", {self._credentials()})\n',
                    f'{stack}(app, "c{number}")\n',
                    f'{stack}(app, "c{number}", {self.value()})\n',
                    f'{stack}(app, "c{number}", who={self.value()})\n',
                    f"for each in {self.dice.sample(WHO, 2)}:\n"
                    f'    {stack}(app, f"c{number}-{{each}}", {self.value("each")})\n',
                    f'for name, one in {{"x": {self.value()}, "y": {self.value()}}}.items():\n'
                    f'    {stack}(app, f"c{number}-{{name}}", who={self.value("one")})\n',
                    f'if os.environ["WHO"] == "prod":\n    {stack}(app, "c{number}", {self.value()})\nelse:\n'
                    f'    {stack}(app, "c{number}", who={self.value()})\n',
                ]
            )


def providers(folder: Path) -> Iterator[tuple[tuple[str, str, str], dict[str, Any]]]:
    """The providers of a synthesised program, by environment, stack and alias."""
    for file in sorted(folder.glob("*/cdktf.out/stacks/*/cdk.tf.json")):
        for one in json.loads(file.read_text()).get("provider", {}).get("aws", []):
            yield (file.parts[-5], file.parts[-2], one.get("alias", "")), one


def shared(before: Path, after: Path, *, has_role: bool) -> list[str]:
    """The roles that two identities have after the migration."""
    new, users = dict(providers(after)), dict[tuple[str, ...], dict[str, tuple[str, str, str]]]()
    for at, old in providers(before):
        one = new[at]
        who = f"key {old['access_key']}" if "access_key" in old else f"profile {old['profile']}"
        if "access_key" in one or "profile" in one:
            assert {**one, "x": 0} == {**old, "x": 0}, f"{at} has other credentials"
            continue
        role = one.get(WEB_IDENTITY, [{"role_arn": "environment"}])[0]["role_arn"]
        is_fixed = role.startswith("arn:") or (role == "environment" and has_role)
        users.setdefault((role,) if is_fixed else (role, *at[:2]), {}).setdefault(who, at)
    return [f"{role}: {who}" for role, who in users.items() if len(who) > 1]


def test_no_two_identities_of_a_program_share_a_role(dice: random.Random, tmp_path: Path) -> None:
    needs_cdktf()
    modes = {**MODES, "profile": BY_PROFILE}
    changed: dict[Path, tuple[str, dict[str, str]]] = {}
    for number in range(PROGRAMS):
        files, mode = Drawn(dice).files(), dice.choice(list(modes))
        before, after = (tmp_path / str(number) / name for name in ("before", "after"))
        for path, text in files.items():
            (before / "dev" / path).parent.mkdir(parents=True, exist_ok=True)
            (before / "dev" / path).write_text(text)
        shutil.copytree(before / "dev", after / "dev")
        result = migrate_repo(str(after / "dev"), Config(mode=Mode.IN_PLACE, **modes[mode]))
        assert not result.error, result.error
        if result.changed:
            changed[before] = mode, files
            for folder in (before, after):
                shutil.copytree(folder / "dev", folder / "prod")
    folders = [str(one) for before in changed for one in sorted(before.parent.glob("*/*"))]
    command = [sys.executable, "-c", SYNTHESISE, *folders]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    for before, (mode, files) in changed.items():
        has_role = bool({"role_arn", "backend_role_arn"} & modes[mode].keys())
        wrong = shared(before, before.parent / "after", has_role=has_role)
        assert wrong == [], f"{mode}: {json.dumps(files, indent=1)}"
    assert len(changed) > 2
