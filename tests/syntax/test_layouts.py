"""Ten thousand modules of all kinds of blocks in any layout: none is refused for it, and nothing is lost.

No comment of what stays, no line of a block that nothing is done to; what ``terraform fmt`` had nothing to say about
stays so, and a second run has nothing to do.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from migrator.config.config import BackendAuth, Config
from migrator.migrate.planning import Planning
from migrator.model.findings import Refusal
from migrator.model.results import Plan
from migrator.syntax.hcl import parse as hcl
from migrator.syntax.hcl.layout import align
from tests.conftest import Terraform
from tests.invariants import CONFIG, workspace_of
from tests.syntax.layouts import Module

pytestmark = pytest.mark.system  # for the time that it takes
VARIABLES = replace(CONFIG, role_arn=None)
CONFIGS = {
    "a role": CONFIG,
    "variables": VARIABLES,
    "native": replace(VARIABLES, backend_auth=BackendAuth.NATIVE, backend_role_arn=CONFIG.role_arn),
    "portable": replace(VARIABLES, portable=True),
}
BATCH, BATCHES = 250, 10
PROVEN = 25  # of a batch are planned a second time


def drawn(dice: random.Random, count: int, config: Config = VARIABLES) -> dict[str, tuple[str, Module]]:
    """Modules by their files, aligned as ``terraform fmt`` has them; some end their lines as Windows does.

    A role of ``config`` is for one identity alone.
    """
    found: dict[str, tuple[str, Module]] = {}
    while len(found) < count:
        made = Module(dice)
        text = made.text()
        newline = "\r\n" if dice.random() < 0.2 else "\n"
        is_other = bool(config.role_arn) and made.way not in ("literal", "local")
        if not is_other and not ((config.role_arn or config.backend_role_arn) and "profile" in text):
            found[f"m{len(found)}/main.tf"] = align(text).replace("\n", newline), made
    return found


def planned(texts: dict[str, str], config: Config) -> Plan:
    return Planning(workspace_of({path: text.encode() for path, text in texts.items()}), config).plan()


def complaints(made: Module, before: str, after: str) -> Iterator[str]:
    """What an outcome lacks of a module, or has that it must not."""
    newline = "\r\n" if "\r\n" in before else "\n"
    if after.count("\n") != after.count(newline):
        yield "line ends of another kind"
    plain = after.replace("\r\n", "\n")
    if lost := [mark for mark in sorted(made.marks) if mark not in plain]:
        yield f"{lost} lost"
    there = Counter(" ".join(line.split()) for line in plain.split("\n"))
    if gone := [one for one, count in Counter(made.lines).items() if there[one] < count]:
        yield f"{gone} lost"
    if align(plain) != plain:
        yield "not as terraform fmt has it"


def faults(modules: dict[str, tuple[str, Module]], config: Config) -> Iterator[str]:
    """What is wrong with the plan for ``modules``, each with its text."""
    texts = {path: text for path, (text, _) in modules.items()}
    plan = planned(texts, config)
    assert not plan.problems
    for finding in plan.findings:
        if isinstance(finding.fix, Refusal):
            yield f"{finding.fix.reason}:\n{texts[finding.place.path]}"
    after = {change.path: change.after.decode() for change in plan.changes}
    for path, (text, made) in modules.items():
        for complaint in complaints(made, text, after.get(path, text)):
            yield f"{complaint}:\n{text}\nbecame\n{after.get(path, text)}"
    some = {path: after.get(path, text) for path, text in list(texts.items())[:PROVEN]}
    again = planned(some | {path: text for path, text in after.items() if path.split("/")[0] in some}, config)
    for change in again.changes:
        yield f"a second run makes of\n{texts.get(change.path)}\nthat\n{change.after.decode()}"


@pytest.mark.parametrize("number", range(BATCHES))
@pytest.mark.parametrize("options", CONFIGS)
def test_no_layout_is_in_the_way(
    options: str, number: int, dice: random.Random, monkeypatch: pytest.MonkeyPatch
) -> None:
    if number:  # the second opinion takes longer than all else, and has its say in a tenth of the modules
        monkeypatch.setattr(hcl, "_loads", lambda text: None)
    modules = drawn(dice, BATCH, CONFIGS[options])
    try:
        found = next(faults(modules, CONFIGS[options]), None)
    except Exception as error:  # whatever it is, it is told with the least that brings it about
        for path, one in modules.items():
            try:
                list(faults({path: one}, CONFIGS[options]))
            except Exception:
                pytest.fail(f"{error!r}:\n{one[0]}")
        raise
    assert found is None, found


def test_what_terraform_has_formatted_stays_so(terraform: Terraform, dice: random.Random, tmp_path: Path) -> None:
    modules = drawn(dice, 200)
    for path, (text, _) in modules.items():
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_text(text, newline="")
    assert terraform.run("fmt", "-recursive", str(tmp_path)).returncode == 0
    texts = {path: (tmp_path / path).read_bytes().decode() for path in modules}
    for change in planned(texts, VARIABLES).changes:
        (tmp_path / change.path).write_bytes(change.after)
    done = terraform.run("fmt", "-check", "-diff", "-recursive", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr


ROLE = '"arn:aws:iam::123456789012:role/state"'
BACKEND = 'terraform {\n  backend "s3" {\n    bucket = "b"\n%s  }\n}\n'
STATE = 'data "terraform_remote_state" "n" {\n  backend = "s3"\n  config = {\n    bucket = "b"\n%s  }\n}\n'
WITH_ROLE = BACKEND % f"    role_arn = {ROLE}\n"
FLAT = """\
    # 1st
    role_arn /* 2nd */ = %s%s // 3rd
    /* 4th
       5th */
    /* 6th */ session_name = %s # 7th
"""
NESTED = """\
    # 1st
    assume_role = { // 2nd
      # 3rd
      role_arn = %s%s # 4th
      # 5th
    } # 6th
    # 7th
"""
CALL = """from cdktf import S3Backend

S3Backend(
    app,
    # 1st
    role_arn=%s%s,  # 2nd
    # 3rd
    session_name="4th",  # 5th
    # 6th
    bucket="7th",
)
"""


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("main.tf", BACKEND % FLAT % (ROLE, "", '"s"')),
        ("main.tf", BACKEND % FLAT.replace("    #", "    profile = %s # the key's\n    #") % ('"p"', ROLE, "", '"s"')),
        ("main.tf", BACKEND % NESTED % (ROLE, "")),
        ("main.tf", BACKEND % NESTED % (ROLE, ",")),
        ("main.tf", WITH_ROLE + STATE % FLAT % (ROLE, "", '"s"')),
        ("main.tf", WITH_ROLE + STATE % NESTED % (ROLE, ",")),
        ("main.py", CALL % (ROLE, "")),
    ],
)
def test_comments_move_with_what_they_are_on(path: str, text: str, newline: str) -> None:
    """Each comment stands once afterwards, and nowhere but beside what it was written for."""
    before = text.replace("\n", newline)
    plan = planned({path: before}, replace(VARIABLES, backend_auth=BackendAuth.NATIVE, backend_role_arn=None))
    (change,) = plan.changes
    after = change.after.decode()
    assert "assume_role_with_web_identity" in after
    assert after.count("\n") == after.count(newline)
    ordinals = ("1st", "2nd", "3rd", "4th", "5th", "6th", "7th")
    assert [after.count(ordinal) for ordinal in ordinals] == [1] * 7, after
    assert "the key's" not in after
