"""Where a hook has to go in ``.spacelift/config.yml``, and which stacks YAML files define."""

from __future__ import annotations

from textwrap import dedent

import pytest
import yaml

from migrator.errors import SyntaxProblem
from migrator.model.findings import Refusal
from migrator.spacelift.stacks.exchange import commands, has_hook
from migrator.spacelift.stacks.runtime_config import RuntimeConfig, parse
from migrator.spacelift.stacks.yaml import YamlStack, is_of_interest, stacks_in
from migrator.span import Span, apply_edits
from migrator.syntax.yaml.edit import Addition, prepend_all
from migrator.syntax.yaml.parse import read
from migrator.syntax.yaml.tree import Keys
from migrator.syntax.yaml.write import Item

OWN: Keys = ("stacks", "app", "before_init")
DEFAULTS: Keys = ("stack_defaults", "before_init")


def config(version: str | None, own: list[str] | None, defaults: list[str] | None) -> str:
    settings: dict[str, object] = {} if version is None else {"version": version}
    if own is not None:
        settings["stacks"] = {"app": {"before_init": own}}
    if defaults is not None:
        settings["stack_defaults"] = {"before_init": defaults}
    return yaml.safe_dump(settings)


# own, defaults, the stack's: places of the hook, and whether the stack is one
PRECEDENCE = [
    (None, None, None, (), True),
    (None, None, ["s"], (), True),
    (None, ["d"], None, (OWN,), False),
    (None, ["d"], ["s"], (DEFAULTS,), True),
    (["o"], None, None, (OWN,), False),
    (["o"], None, ["s"], (OWN,), False),
    (["o"], ["d"], None, (OWN,), False),
    (["o"], ["d"], ["s"], (OWN,), False),
    ([], ["d"], ["s"], (OWN,), False),
    (None, [], ["s"], (DEFAULTS,), True),
]


@pytest.mark.parametrize("version", [None, "1", "2"])
@pytest.mark.parametrize(("own", "defaults", "stack", "places", "in_stack"), PRECEDENCE)
def test_places_of_a_hook(
    version: str | None,
    own: list[str] | None,
    defaults: list[str] | None,
    stack: list[str] | None,
    places: tuple[Keys, ...],
    in_stack: bool,
) -> None:
    found = parse(config(version, own, defaults))
    assert found.places_of("app", "before_init", stack_sets_it=stack is not None) == places
    assert found.belongs_in_stack("app", "before_init", stack_sets_it=stack is not None) == in_stack


def effective(text: str, stack: list[str] | None, *, defaults_before_stack: bool) -> list[str]:
    """The commands that run, by either reading of the documents."""
    found = yaml.safe_load(text) or {}
    own = (found.get("stacks") or {}).get("app", {}).get("before_init")
    defaults = (found.get("stack_defaults") or {}).get("before_init")
    rest = [defaults, stack] if defaults_before_stack else [stack, defaults]
    return next((hooks for hooks in (own, *rest) if hooks is not None), [])


@pytest.mark.parametrize("defaults_before_stack", [False, True])
@pytest.mark.parametrize(("own", "defaults", "stack", "places", "in_stack"), PRECEDENCE)
def test_the_hook_runs_first_and_no_command_is_lost(
    own: list[str] | None,
    defaults: list[str] | None,
    stack: list[str] | None,
    places: tuple[Keys, ...],
    in_stack: bool,
    defaults_before_stack: bool,
) -> None:
    text = config(None, own, defaults)
    before = effective(text, stack, defaults_before_stack=defaults_before_stack)
    found = parse(text)
    additions = [Addition(keys, (Item("hook"),), found.inherited(keys)) for keys in places]
    edits = prepend_all("config.yml", found.tree, additions)
    assert not isinstance(edits, Refusal)
    migrated = ["hook", *(stack or [])] if in_stack else stack
    after = effective(apply_edits(text, edits), migrated, defaults_before_stack=defaults_before_stack)
    assert after == ["hook", *before]


EXAMPLE = """\
version: "2"
stack_defaults:
  before_init:
    - echo "checking formatting"
    # - aws sts assume-role-with-web-identity
  project_root: /
stacks:
  first-stack: &shared
    before_init: &hooks
      - aws sts assume-role-with-web-identity
    project_root: ./infra/
    terraform_version: 0.12.4
    environment: &env
      AWS_ACCESS_KEY_ID: AKIAIOSFODNN7EXAMPLE
  second-stack:
    <<: *shared
    terraform_version: 1.5.7
    terraform_workflow_tool: OPEN_TOFU
    opentofu_version: "1.6.2"
    before_apply: *hooks
    environment:
      <<: *env
      TF_VAR_x: y
  third-stack:
"""


def test_the_entries_are_read() -> None:
    found = parse(EXAMPLE)
    first, second, third = found.stacks.values()
    assert (found.version, found.slugs) == (2, ("first-stack", "second-stack", "third-stack"))
    assert (first.project_root, first.terraform_version, first.workflow_tool) == ("infra", "0.12.4", None)
    assert (second.project_root, second.terraform_version) == ("infra", "1.5.7")
    assert (second.workflow_tool, second.opentofu_version) == ("OPEN_TOFU", "1.6.2")
    assert (third.project_root, third.environment) == (None, ())
    assert found.stack_defaults.project_root == ""


def test_environments_are_named_with_their_places_alone() -> None:
    found = parse(EXAMPLE).stacks
    (first,) = found["first-stack"].environment
    assert (first.name, first.span.of(EXAMPLE)) == ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    assert "AKIA" not in repr(found["first-stack"])
    assert [variable.name for variable in found["second-stack"].environment] == ["TF_VAR_x", "AWS_ACCESS_KEY_ID"]


def test_a_hook_is_found_in_items_alone() -> None:
    found = parse(EXAMPLE)
    assert found.has_hook(("stacks", "first-stack", "before_init"))
    assert found.has_hook(("stacks", "second-stack", "before_init"))
    assert found.has_hook(("stacks", "second-stack", "before_apply"))
    assert not found.has_hook(DEFAULTS)
    assert not found.has_hook(("stacks", "third-stack", "before_init"))


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("'# aws sts assume-role-with-web-identity'", False),
        ("|\n    # assume-role-with-web-identity\n    true", False),
        ("|\n    true\n    aws sts assume-role-with-web-identity", True),
        ("[assume-role-with-web-identity]", False),
    ],
)
def test_a_commented_command_is_no_hook(item: str, expected: bool) -> None:
    assert has_hook(read(f"a:\n  - {item}\n"), ("a",)) is expected


def test_what_a_merge_key_brings_is_the_stacks_own() -> None:
    found = parse(EXAMPLE)
    keys = ("stacks", "second-stack", "before_init")
    assert found.places_of("second-stack", "before_init", stack_sets_it=False) == (keys,)
    assert found.inherited(keys) == ()


@pytest.mark.parametrize(
    "text", ["", "# none\n", "---\n", "version: 1\n", "stacks: []\n", "stacks: text\n", "stack_defaults: 1\n"]
)
def test_a_config_may_say_nothing(text: str) -> None:
    found = parse(text)
    assert isinstance(found, RuntimeConfig)
    assert (found.version, found.slugs) == (1, ())
    assert found.places_of("app", "before_init", stack_sets_it=False) == ()


def test_a_config_is_a_mapping() -> None:
    for text in ("- a\n", "text\n", "a: 1\n---\nb: 2\n"):
        with pytest.raises(SyntaxProblem):
            parse(text)


# --- stacks ---------------------------------------------------------------------------------------------------------


def found(path: str, text: str) -> tuple[YamlStack, ...]:
    assert is_of_interest(path, text.encode())
    return stacks_in(path, text)


BLUEPRINT = """\
inputs:
  - id: app
    name: App
stack:
  name: ${{ inputs.app }}-stack
  space: root
  hooks:
    init:
      before: ["sh", "-c", "echo 'before init'"]
  vcs:
    branch: main
    project_root: /modules/apps/
    namespace: "my-namespace"
    repository: my-repository
    provider: GITHUB_ENTERPRISE
  vendor:
    terraform:
      manage_state: true
      version: "1.3.0"
"""


def test_a_blueprint() -> None:
    (stack,) = found("blueprints/app.yaml", BLUEPRINT)
    assert BLUEPRINT[stack.offset :].startswith(("stack", "name", "hooks", "  ")), stack.offset
    assert stack == YamlStack(
        offset=stack.offset,
        path="blueprints/app.yaml",
        keys=("stack", "hooks", "init", "before"),
        name=None,
        repository="my-repository",
        namespace="my-namespace",
        project_root="modules/apps",
        branch="main",
        line=4,
        terraform_version="1.3.0",
    )
    assert stack.hooks("apply") == ("stack", "hooks", "apply", "before")
    assert commands(read(BLUEPRINT), stack.keys) == ("sh", "-c", "echo 'before init'")


def test_a_template_has_several_stacks() -> None:
    text = dedent(
        """\
        stacks:
          - key: main
            name: app
            vcs:
              reference:
                value: main
                type: branch
              repository: my-infrastructure
              project_root: ${{ inputs.root }}
            vendor:
              terraform:
                version: "1.5.0"
          - key: other
            name: ansible
            vcs: {repository: x, reference: {type: tag, value: v1}}
            vendor: {ansible: {playbook: a.yml}}
          - {key: tag, name: t, vcs: {repository: x, reference: {type: tag, value: v1}}, vendor: {terraform: }}
        """
    )
    first, last = found("template.yml", text)
    assert (first.keys, first.line) == (("stacks", 0, "hooks", "init", "before"), 2)
    assert (first.name, first.repository, first.branch, first.project_root) == (
        "app",
        "my-infrastructure",
        "main",
        None,
    )
    assert (last.keys[1], last.line, last.branch, last.project_root) == (2, 17, None, "")


def test_a_blueprint_in_a_heredoc() -> None:
    body = BLUEPRINT.replace("${{", "$${{").replace("my-repository", "${var.repository}")
    text = f'resource "spacelift_blueprint" "b" {{\n  template = <<EOF\n{body}EOF\n}}\n'
    (stack,) = stacks_in("main.tf", text, Span(text.index("inputs:"), text.index("EOF\n}")))
    assert (stack.name, stack.repository, stack.branch, stack.line) == (None, None, "main", 6)


ATMOS = """\
import:
  - catalog/defaults
components:
  terraform:
    vpc/defaults:
      metadata:
        type: abstract
      settings:
        spacelift:
          workspace_enabled: true
    vpc:
      metadata:
        component: network/vpc
      settings:
        spacelift:
          workspace_enabled: true
          stack_name: core-vpc
          before_init:
            - spacelift-configure-paths
    rds:
      settings:
        spacelift: {branch: "{{ .vars.branch }}"}
    off:
      settings:
        spacelift:
          workspace_enabled: false
    plain:
      vars: {}
    odd: text
"""


def test_atmos_components() -> None:
    vpc, rds = found("stacks/orgs/acme/dev.yaml", ATMOS)
    assert vpc.keys == ("components", "terraform", "vpc", "settings", "spacelift", "before_init")
    assert (vpc.name, vpc.project_root, vpc.line, vpc.may_replace) == (
        "core-vpc",
        "components/terraform/network/vpc",
        11,
        False,
    )
    assert vpc.hooks("apply")[-1] == "before_apply"
    assert (rds.name, rds.project_root, rds.branch, rds.may_replace) == (None, "components/terraform/rds", None, True)


@pytest.mark.parametrize(
    ("path", "name", "folder"),
    [
        ("root-modules/pet/stacks/dev.yaml", "pet-dev", "root-modules/pet"),
        ("root-modules/pet/stack.yaml", "pet", "root-modules/pet"),
        ("pet/stacks/stack.yaml", "pet-stack", "pet"),
    ],
)
def test_masterpoint_stack_files(path: str, name: str, folder: str) -> None:
    text = "kind: StackConfigV1\nstack_settings:\n  branch: main\n"
    (stack,) = found(path, text)
    assert (stack.keys, stack.line, stack.branch) == (("stack_settings", "before_init"), 2, "main")
    assert (stack.name, stack.project_root, stack.repository) == (name, folder, None)


def test_a_masterpoint_stack_may_be_elsewhere() -> None:
    (stack,) = found("a/stacks/x.yaml", "stack_settings:\n  project_root: b/c\n  repository: r\n")
    assert (stack.project_root, stack.repository) == ("b/c", "r")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a/stacks/common.yaml", "kind: StackConfigV1\nstack_settings:\n  before_init: []\n"),
        ("a/settings.yaml", "kind: StackConfigV1\nstack_settings: {}\n"),
        ("a/stacks/dev.yaml", "vars: {}\n"),
        ("a.yaml", "stack:\n  name: x\n  vcs: {repository: x}\n  vendor: {ansible: {}}\n"),
        ("a.yaml", "stack: x\nvcs: 1\nvendor: 2\n"),
        ("a.yaml", "stacks: {a: {vcs: {}, vendor: {terraform: {}}}}\n"),
        ("a.yaml", "components: {terraform: [a]}\nspacelift: 1\n"),
        ("a.yaml", "components: {terraform: {a: {settings: {spacelift: }}}}\n"),
        ("a.yaml", "- a\n"),
        ("a.yaml", ""),
    ],
)
def test_other_files_define_no_stack(path: str, text: str) -> None:
    assert stacks_in(path, text) == ()


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("a.txt", BLUEPRINT.encode()),
        ("a.yaml", b"stack: x\n"),
        ("a.yaml", b"components: {}\n"),
        ("a.yaml", b"apiVersion: v1\nkind: Pod\n"),
        ("a/settings.yaml", b"stack_settings: {}\n"),
        ("a.yaml", b"\xff\x00"),
    ],
)
def test_other_files_are_of_no_interest(path: str, data: bytes) -> None:
    assert not is_of_interest(path, data)
