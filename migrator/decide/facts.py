"""All facts about a repository that the rules need, gathered once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from migrator.cdktf.programs import cdktf_programs
from migrator.decide.by_hand import StacksByHand, integrations_of
from migrator.decide.roots import ModuleWithStaticKeys, Root, Runners
from migrator.model.fleet import ALONE, Fleet, KnownRoot, KnownStack, is_of_branch, runs_module
from migrator.spacelift.attached.integrations import integrations
from migrator.spacelift.attached.reach import Reaches
from migrator.spacelift.inventory.known import NO_ACCOUNT, Account
from migrator.spacelift.settings.mounted_files import Override, overrides
from migrator.spacelift.settings.own_runs import OwnRun, OwnTask, own_runs, own_tasks, run_settings
from migrator.spacelift.settings.role_variables import StackVariables
from migrator.spacelift.settings.terraform import module_settings, terraform_settings
from migrator.spacelift.settings.yaml import blueprint_settings, runtime_settings, test_roots
from migrator.spacelift.stacks.definitions import (
    StacksByFolder,
    definitions_running,
    stack_definitions,
)
from migrator.spacelift.stacks.model import StackDefinition, TerraformDefinition
from migrator.terraform.backends import S3Backend, s3_backends
from migrator.terraform.other_providers import OtherProvider, other_providers
from migrator.terraform.partial_backends import (
    BackendCommand,
    backend_commands,
    environment_stores,
    partial_backends,
    store_of,
)
from migrator.terraform.providers import Provider, aws_providers
from migrator.terraform.remote_states import RemoteState, remote_states
from migrator.terragrunt.units import Terragrunt, terragrunt

if TYPE_CHECKING:
    from migrator.cdktf.calls import CdktfProgram
    from migrator.model.findings import Place
    from migrator.model.known_settings import KnownSetting
    from migrator.spacelift.settings.model import Setting
    from migrator.workspace.module import Module
    from migrator.workspace.workspace import Workspace


class Facts(Struct, frozen=True, eq=False, dict=True):
    """The facts about the folder of the migration.

    - ``stray_backends`` - partial configurations for an unknown root module
    - ``backend_commands`` - the commands of scripts for backends
    - ``serving`` - the stacks that run root modules of other repositories of the run
    - ``programs`` - the programs of CDKTF, ``unit_runners`` - the stacks of each of the units of ``terragrunt``
    - ``settings`` - Spacelift's settings with static credentials
    - ``modules_with_static_keys`` - the modules without a backend that get these credentials
    - ``other_providers`` - other providers with AWS keys
    - ``variables`` - the variables of stacks
    - ``runners_of`` - the stacks that run a root module, by its path, with and without a backend
    - ``integrations`` - the places that attach Spacelift's AWS integration to stacks
    - ``overrides`` - the mounted files that may override the code
    - ``own_runs``, ``own_tasks`` - the runs and tasks with settings of their own
    - ``tested`` - the folders that tests of modules run, each with the folders of these modules
    - ``settings_elsewhere`` - the settings of other repositories that stacks get, or may get
    - ``by_hand`` - the stacks of an inventory that run code of the repository, and that no code of the run defines
    """

    providers: tuple[Provider, ...]
    roots: tuple[Root, ...]
    stacks: tuple[StackDefinition, ...]
    stray_backends: tuple[S3Backend, ...]
    backend_commands: tuple[BackendCommand, ...]
    serving: tuple[tuple[StackDefinition, KnownRoot], ...]
    programs: tuple[tuple[CdktfProgram, Runners], ...]
    terragrunt: Terragrunt
    unit_runners: tuple[Runners, ...]
    remote_states: tuple[RemoteState, ...]
    settings: tuple[Setting, ...]
    modules_with_static_keys: tuple[ModuleWithStaticKeys, ...]
    other_providers: tuple[OtherProvider, ...]
    variables: StackVariables
    runners_of: Callable[[str], Runners]
    integrations: Mapping[StackDefinition, Place]
    overrides: tuple[Override, ...] = ()
    own_runs: tuple[OwnRun, ...] = ()
    own_tasks: tuple[OwnTask, ...] = ()
    tested: Mapping[str, tuple[str, ...]] = {}
    by_hand: tuple[KnownStack, ...] = ()
    settings_elsewhere: Mapping[StackDefinition, tuple[KnownSetting, ...]] = {}

    def overrides_of(self, path: str) -> list[Override]:
        """The files and settings that may override the sign-in in the code of the root module at ``path``."""
        active = [override for override in self.overrides if not override.holds_values and override.ignored is None]
        return [
            override
            for override in active
            if not set(self.runners_of(path).definitions).isdisjoint(override.reach.stacks)
        ]

    def in_module(self, module: Module) -> list[Provider]:
        """The AWS providers of ``module``."""
        return self._by_module.get(module.path, [])

    @cached_property
    def _by_module(self) -> dict[str, list[Provider]]:
        by_module: dict[str, list[Provider]] = {}
        for provider in self.providers:
            by_module.setdefault(provider.module.path, []).append(provider)
        return by_module


def read_facts(workspace: Workspace, repo: str = "", fleet: Fleet = ALONE, account: Account = NO_ACCOUNT) -> Facts:
    """Read the facts of all interesting modules of ``workspace``, known to the ``fleet`` as ``repo``."""
    modules = list(workspace.interesting_modules())
    providers = {module.path: tuple(aws_providers(module)) for module in modules}
    backends = {module.path: s3_backends(module) for module in modules}
    root_modules = [module for module in modules if backends[module.path]]
    units = terragrunt(workspace, providers)
    commands, stray_backends = _complete(workspace, backends, root_modules, units.modules)
    stacks = list(stack_definitions(workspace, account.as_applied))
    by_folder = StacksByFolder(workspace, stacks)
    stacks_by_hand = StacksByHand(workspace, repo, fleet, account, stacks)
    programs = cdktf_programs(workspace)
    folders = [*(program.folder for program in programs), *(unit.folder for unit in units.units)]
    with_state = [*(module.path for module in root_modules), *folders]

    @cache
    def runners(path: str) -> Runners:
        definitions = definitions_running(path, by_folder, workspace, is_only_root=with_state == [path])
        known = stacks_by_hand.with_stacks_by_hand(fleet.stacks_running(repo, workspace.identity, path), path)
        return _runners(definitions, known)

    states = {module.path: tuple(remote_states(module)) for module in modules}
    reaches = Reaches(workspace, stacks)
    override_settings = tuple(overrides(workspace, reaches))
    with_own_settings = tuple(own_runs(workspace, reaches))
    code_settings = _settings(workspace, modules, stacks, root_modules, reaches, with_own_settings)
    settings = tuple(_elsewhere(repo, fleet, code_settings))
    with_static_keys = _with_static_keys(settings) | stacks_by_hand.with_static_keys(stacks)

    def root(module: Module) -> Root:
        of_units = (unit.folder for unit in units.units if unit.module is module and not unit.has_state)
        run_by = reduce(Runners.merged, map(runners, of_units), runners(module.path))
        gets_static_keys = not with_static_keys.isdisjoint((module.path, *run_by.definitions, *run_by.blueprints))
        reads = _read_by(workspace, states, module.path)
        return Root(module, tuple(backends[module.path]), providers[module.path], run_by, reads, gets_static_keys)

    return Facts(
        tuple(provider for module in modules for provider in providers[module.path]),
        tuple(map(root, root_modules)),
        tuple(stacks),
        tuple(stray_backends),
        tuple(commands),
        tuple((stack, root) for stack in stacks for root in fleet.roots_run_by(repo, stack.code)),
        tuple((program, runners(program.folder)) for program in programs),
        units,
        tuple(runners(unit.folder) for unit in units.units),
        tuple(state for module in modules for state in states[module.path]),
        settings,
        tuple(_modules_with_static_keys(workspace, {module.path for module in root_modules}, with_static_keys)),
        tuple(provider for module in modules for provider in other_providers(module)),
        variables=StackVariables(workspace, stacks),
        runners_of=runners,
        integrations={**integrations_of(stacks), **integrations(workspace, stacks)},
        overrides=override_settings,
        own_runs=with_own_settings,
        own_tasks=tuple(own_tasks(workspace, reaches)),
        tested=test_roots(workspace),
        by_hand=stacks_by_hand.stacks,
        settings_elsewhere=_settings_elsewhere(repo, fleet, stacks),
    )


def _complete(
    workspace: Workspace,
    backends: dict[str, list[S3Backend]],
    root_modules: Sequence[Module],
    units: Mapping[str, Module],
) -> tuple[list[BackendCommand], list[S3Backend]]:
    """Add the partial configurations, and the stores of commands and of the environment, to ``backends``.

    Returns the commands, and the configurations without a module.
    """
    stray_backends: list[S3Backend] = []
    for owner, partial in partial_backends(workspace, root_modules, units):
        (stray_backends if owner is None else backends[owner.path]).append(partial)
    commands = list(backend_commands(workspace, root_modules, units))
    by_environment = list(environment_stores(workspace, root_modules, units))
    for module in root_modules:
        own_backends = backends[module.path]
        store = store_of(own_backends, (command for command in commands if command.root is module))
        store = store or next((reason for owner, reason in by_environment if owner is module), None)
        backends[module.path] = [replace(backend, store=store) for backend in own_backends] if store else own_backends
    return commands, stray_backends


def _read_by(workspace: Workspace, states: Mapping[str, tuple[RemoteState, ...]], path: str) -> tuple[RemoteState, ...]:
    """The states that the root module at ``path`` reads, in itself or in modules that it calls."""
    paths = {path, *workspace.reached_from(path)} if any(states.values()) else ()
    return tuple(state for path in sorted(paths) for state in states.get(path, ()))


def _runners(definitions: list[StackDefinition], known_stacks: list[KnownStack]) -> Runners:
    stacks, blueprints = (
        [stack for stack in definitions if stack.is_blueprint is is_blueprint] for is_blueprint in (False, True)
    )
    return Runners(tuple(stacks), tuple(known_stacks), tuple(blueprints))


def _settings(
    workspace: Workspace,
    modules: list[Module],
    stacks: list[StackDefinition],
    roots: list[Module],
    reaches: Reaches,
    own_runs_found: tuple[OwnRun, ...],
) -> Iterator[Setting]:
    in_terraform = [setting for module in modules for setting in terraform_settings(workspace, module, reaches)]
    yield from _of_tests(workspace, in_terraform)
    yield from module_settings(workspace, (stack for stack in stacks if isinstance(stack, TerraformDefinition)))
    yield from run_settings(tuple(own_run for own_run in own_runs_found if workspace.in_scope(own_run.place.path)))
    yield from runtime_settings(workspace, stacks, [module.path for module in roots])
    yield from blueprint_settings(stacks)


def _of_tests(workspace: Workspace, settings: Iterable[Setting]) -> Iterator[Setting]:
    """The settings, with the folders of tests in place of a registry module of this repository."""
    folders = test_roots(workspace)
    for setting in settings:
        tested = {
            stack: [
                path
                for path, modules in folders.items()
                if any(runs_module(stack.code, workspace.identity, module) for module in modules)
            ]
            for stack in setting.reach.others
            if stack.is_module
        }
        others = tuple(stack for stack in setting.reach.others if not tested.get(stack))
        paths = dict.fromkeys((*setting.roots, *(path for found in tested.values() for path in found)))
        yield replace(setting, reach=replace(setting.reach, others=others), roots=tuple(paths)) if tested else setting


def _elsewhere(repo: str, fleet: Fleet, settings: Iterable[Setting]) -> Iterator[Setting]:
    """The settings, with the receivers in other repositories by the labels of contexts."""
    for setting in settings:
        receivers = tuple(fleet.labelled(repo, setting.reach.labels)) if setting.reach.labels else ()
        yield replace(setting, reach=replace(setting.reach, elsewhere=receivers)) if receivers else setting


def _settings_elsewhere(
    repo: str, fleet: Fleet, stacks: Collection[StackDefinition]
) -> dict[StackDefinition, tuple[KnownSetting, ...]]:
    """The settings of other repositories that stacks get, or may get."""
    settings = fleet.settings
    unknown = {
        stack for stack in stacks if isinstance(stack, TerraformDefinition) and not stack.source.has_known_labels
    }
    return {stack: settings.of(repo, stack.slug, None if stack in unknown else stack.labels) for stack in stacks}


def _with_static_keys(settings: tuple[Setting, ...]) -> frozenset[StackDefinition | str]:
    """The stacks, and the paths of root modules, that get static credentials from ``settings``."""
    active = [setting for setting in settings if not setting.is_ignored and setting.names]
    stacks = frozenset(stack for setting in active for stack in setting.reach.stacks)
    return stacks | frozenset(path for setting in active for path in setting.roots)


def _modules_with_static_keys(
    workspace: Workspace, roots: set[str], with_static_keys: frozenset[StackDefinition | str]
) -> Iterator[ModuleWithStaticKeys]:
    for path in sorted(
        path for path in with_static_keys if isinstance(path, str) and path not in roots and path in workspace.modules
    ):
        yield ModuleWithStaticKeys(workspace.modules[path], ())
    stacks = [
        stack
        for stack in with_static_keys
        if isinstance(stack, StackDefinition) and is_of_branch(stack.code, workspace.identity)
    ]
    by_folder = StacksByFolder(workspace, stacks)
    for path, module in sorted(workspace.modules.items()) if stacks else ():
        running = tuple(by_folder.running(path))
        if running and path not in roots and workspace.in_scope(path):
            yield ModuleWithStaticKeys(module, running)
