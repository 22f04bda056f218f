"""Everything that the rules need to know of a repository, gathered once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property, reduce
from typing import TYPE_CHECKING

from migrator.analysis.backends import S3Backend, s3_backends
from migrator.analysis.definitions import StackDefinition, StacksByFolder, definitions_running, stack_definitions
from migrator.analysis.integrations import integrations
from migrator.analysis.other_providers import OtherProvider, other_providers
from migrator.analysis.partial_backends import GivenValue, given_values, partial_backends
from migrator.analysis.programs import cdktf_programs
from migrator.analysis.providers import Provider, aws_providers
from migrator.analysis.reach import Reaches
from migrator.analysis.remote_states import RemoteState, remote_states
from migrator.analysis.settings import Setting
from migrator.analysis.stack_variables import StackVariables
from migrator.analysis.terraform_settings import terraform_settings
from migrator.analysis.terragrunt import Terragrunt, terragrunt
from migrator.analysis.yaml_settings import blueprint_settings, runtime_settings
from migrator.discover import Kind
from migrator.fleet import ALONE, Fleet, is_of_branch
from migrator.model import KnownRoot, KnownStack, Place
from migrator.workspace import Module, Workspace

if TYPE_CHECKING:
    from migrator.analysis.cdktf import CdktfProgram


@dataclass(frozen=True, eq=False)
class Runners:
    """The stacks that run one root module: those that are defined here, and in other repositories of the run."""

    here: tuple[StackDefinition, ...] = ()
    elsewhere: tuple[KnownStack, ...] = ()

    @property
    def all(self) -> tuple[StackDefinition | KnownStack, ...]:
        """Those from here and elsewhere."""
        return (*self.here, *self.elsewhere)

    def with_those(self, others: Runners) -> Runners:
        """These and ``others``, each once."""
        here, elsewhere = dict.fromkeys((*self.here, *others.here)), dict.fromkeys((*self.elsewhere, *others.elsewhere))
        return Runners(tuple(here), tuple(elsewhere))


@dataclass(frozen=True, eq=False)
class Root:
    """A root module with an S3 backend, and the stacks that run it.

    ``backends`` are the block itself, those of override files, and the partial configurations for it;
    ``remote_states`` what it and the modules that it calls read from S3. ``is_fed`` tells that settings of Spacelift
    hand static credentials to its runs.
    """

    module: Module
    backends: tuple[S3Backend, ...]
    providers: tuple[Provider, ...]
    runners: Runners
    remote_states: tuple[RemoteState, ...] = ()
    is_fed: bool = False

    @property
    def group(self) -> str:
        """The name that binds together what must be changed together: `Finding.group`."""
        return group_of(self.module)

    @cached_property
    def backend(self) -> S3Backend:
        """The block that counts: an override file's replaces the others."""
        blocks = [one for one in self.backends if not one.is_partial]
        return next((one for one in reversed(blocks) if one.document.is_override), blocks[0])

    @cached_property
    def carriers(self) -> tuple[S3Backend, ...]:
        """Those of the ``backends`` that assume a role."""
        return tuple(one for one in self.backends if one.assumes_role)

    @cached_property
    def role_arns(self) -> set[str]:
        """The expressions of the roles that the backend assumes: what partial configurations say counts most.

        ``""`` stands for none, where some of them that stand for each other assume a role and others do not.
        """
        files = [one for one in self.backends if one.is_partial]
        partial = {one.role_arn for one in files if one.role_arn}
        whole = (one for one in files if one.credentials or one.block.attribute("bucket"))
        if partial and not self.backend.role_arn and any(not one.assumes_role for one in whole):
            partial.add("")
        return partial or ({self.backend.role_arn} if self.backend.role_arn else set())

    @cached_property
    def names_credentials(self) -> bool:
        """Whether the backend, or a provider or remote state beside it, names static credentials or a role."""
        providers = [one for one in self.providers if one.foreign is None and one.document.kind is not Kind.TEST]
        if any(one.credentials or (one.is_bare and one.assumed_roles) for one in providers):
            return True
        if self.is_fed or any(one.names_credentials for one in self.remote_states):
            return True
        return any(one.credentials or one.role_family or one.assumes_role for one in self.backends)

    @cached_property
    def has_web_identity(self) -> bool:
        """Whether the backend signs in with web identity itself already."""
        return any(one.has_web_identity for one in self.backends)

    def is_migrated(self, include_ambient: bool) -> bool:
        """Whether the root module is being migrated, and its backend needs another way to sign in."""
        return self._is_to_sign_in and (include_ambient or self.names_credentials)

    @cached_property
    def _is_to_sign_in(self) -> bool:
        return self.backend.foreign is None and not self.has_web_identity


@dataclass(frozen=True, eq=False)
class FedModule:
    """A root module without an S3 backend to whose runs settings of Spacelift hand static credentials."""

    module: Module
    stacks: tuple[StackDefinition, ...]

    @property
    def group(self) -> str:
        """As `Root.group`."""
        return group_of(self.module)


def group_of(module: Module) -> str:
    """The name that binds together what must be changed together in a root module: `Finding.group`."""
    return f"root module {module.path or '.'}"


@dataclass(frozen=True, eq=False)
class Facts:
    """What the folder that may be changed holds.

    ``stray_backends`` are partial configurations for an unknown root module, ``given_values`` those in scripts,
    ``serving`` the stacks that run root modules of other repositories of the run, ``programs`` those of CDKTF,
    ``unit_runners`` the stacks that run each of the units of ``terragrunt``,
    ``settings`` those of Spacelift with static credentials, ``fed`` the modules without a backend that live on them,
    ``other_providers`` those of others that take AWS keys, ``variables`` what is set for the stacks, ``runners_of``
    the stacks that run a root module, by its path, whether it has a backend or not, ``integrations`` where stacks get
    Spacelift's AWS integration.
    """

    providers: tuple[Provider, ...]
    roots: tuple[Root, ...]
    stacks: tuple[StackDefinition, ...]
    stray_backends: tuple[S3Backend, ...]
    given_values: tuple[GivenValue, ...]
    serving: tuple[tuple[StackDefinition, KnownRoot], ...] = ()
    programs: tuple[tuple[CdktfProgram, Runners], ...] = ()
    terragrunt: Terragrunt = field(default_factory=Terragrunt)
    unit_runners: tuple[Runners, ...] = ()
    remote_states: tuple[RemoteState, ...] = ()
    settings: tuple[Setting, ...] = ()
    fed: tuple[FedModule, ...] = ()
    other_providers: tuple[OtherProvider, ...] = ()
    variables: StackVariables = field(kw_only=True)
    runners_of: Callable[[str], Runners] = field(kw_only=True)
    integrations: Mapping[StackDefinition, Place] = field(kw_only=True)

    def in_module(self, module: Module) -> list[Provider]:
        """The AWS providers of ``module``."""
        return self._by_module.get(module.path, [])

    @cached_property
    def _by_module(self) -> dict[str, list[Provider]]:
        found: dict[str, list[Provider]] = {}
        for provider in self.providers:
            found.setdefault(provider.module.path, []).append(provider)
        return found


def gather(workspace: Workspace, repo: str = "", fleet: Fleet = ALONE) -> Facts:
    """Read the facts of all interesting modules of ``workspace``, which the ``fleet`` knows as ``repo``."""
    modules = list(workspace.interesting_modules())
    providers = {module.path: tuple(aws_providers(module)) for module in modules}
    backends = {module.path: s3_backends(module) for module in modules}
    root_modules = [module for module in modules if backends[module.path]]
    units = terragrunt(workspace, providers)
    stray: list[S3Backend] = []
    for owner, partial in partial_backends(workspace, root_modules, units.modules):
        (stray if owner is None else backends[owner.path]).append(partial)
    stacks = list(stack_definitions(workspace))
    by_folder = StacksByFolder(workspace, stacks)
    programs = cdktf_programs(workspace)
    is_only_root = len(root_modules) + len(programs) + len(units.units) == 1
    with_state = {one.path for one in root_modules} | {one.folder for one in programs}
    with_state |= {one.folder for one in units.units}

    @cache
    def runners(path: str) -> Runners:
        is_only = is_only_root and path in with_state
        here = definitions_running(path, by_folder, workspace, is_only_root=is_only)
        return Runners(tuple(here), tuple(fleet.stacks_running(repo, workspace.identity, path)))

    states = {module.path: tuple(remote_states(module)) for module in modules}

    def read_by(path: str) -> tuple[RemoteState, ...]:
        reached = sorted({path, *workspace.reached_from(path)}) if any(states.values()) else ()
        return tuple(state for one in reached for state in states.get(one, ()))

    settings = tuple(_settings(workspace, modules, stacks, [module.path for module in root_modules]))
    fed = _fed(settings)

    def root(module: Module) -> Root:
        folders = [unit.folder for unit in units.units if unit.module is module and not unit.has_state]
        run_by = reduce(Runners.with_those, map(runners, folders), runners(module.path))
        is_fed = not fed.isdisjoint((module.path, *run_by.here))
        found = tuple(backends[module.path])
        return Root(module, found, providers[module.path], run_by, read_by(module.path), is_fed)

    roots = tuple(map(root, root_modules))
    found = tuple(provider for module in modules for provider in providers[module.path])
    serving = tuple((stack, root) for stack in stacks for root in fleet.roots_run_by(repo, stack.code))
    return Facts(
        found,
        roots,
        tuple(stacks),
        tuple(stray),
        tuple(given_values(workspace)),
        serving,
        tuple((program, runners(program.folder)) for program in programs),
        units,
        tuple(runners(unit.folder) for unit in units.units),
        tuple(state for module in modules for state in states[module.path]),
        settings,
        tuple(_fed_modules(workspace, {module.path for module in root_modules}, fed)),
        tuple(provider for module in modules for provider in other_providers(module)),
        variables=StackVariables(workspace, stacks),
        runners_of=runners,
        integrations=integrations(workspace, stacks),
    )


def _settings(
    workspace: Workspace, modules: list[Module], stacks: list[StackDefinition], roots: list[str]
) -> Iterator[Setting]:
    reaches = Reaches(workspace, stacks)
    for module in modules:
        yield from terraform_settings(workspace, module, reaches)
    yield from runtime_settings(workspace, stacks, roots)
    yield from blueprint_settings(stacks)


def _fed(settings: tuple[Setting, ...]) -> frozenset[StackDefinition | str]:
    """The stacks, and the paths of root modules, that get static credentials by ``settings``."""
    live = [one for one in settings if not one.is_ignored and one.names]
    stacks = frozenset(stack for one in live for stack in one.reach.stacks)
    return stacks | frozenset(path for one in live for path in one.roots)


def _fed_modules(workspace: Workspace, roots: set[str], fed: frozenset[StackDefinition | str]) -> Iterator[FedModule]:
    stacks = [one for one in fed if isinstance(one, StackDefinition) and is_of_branch(one.code, workspace.identity)]
    by_folder = StacksByFolder(workspace, stacks)
    for path, module in sorted(workspace.modules.items()) if stacks else ():
        running = tuple(by_folder.running(path))
        if running and path not in roots and workspace.in_scope(path):
            yield FedModule(module, running)
