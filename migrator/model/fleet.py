"""What the repositories of one run know of each other: which stacks run which root modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from migrator.model.engine import Engine, Evidence, verdict

if TYPE_CHECKING:
    from migrator.model.findings import Place
    from migrator.model.module_source import ModuleSource


@dataclass(frozen=True, slots=True)
class RepoIdentity:
    """What stacks call a repository: its name, its owner (``""``: not known), and the branches it stands for."""

    name: str
    namespace: str = ""
    branches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Code:
    """What a stack says of the code that it runs; None for what is not known, ``""`` for a namespace not named.

    ``runs_below`` tells of Terragrunt that runs every unit below the project root.
    """

    repository: str | None
    project_root: str | None
    namespace: str | None = ""
    branch: str | None = None
    runs_below: bool = False


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A root module that needs the hook, as other repositories are told of it.

    ``by`` says how its runs get their credentials: by a ``hook`` or an ``integration``, whose is the ``role``, or by
    ``variables`` that its stacks are to set, each with its value; these may be others as well. ``refusal`` says why
    the module is not migrated, if so.
    ``in_runtime_config`` are the slugs of the stacks whose hooks go into ``.spacelift/config.yml`` beside the module,
    and there alone. With an ``engine`` the module could sign in by itself, if its stacks' engines do: it needs no hook
    then. It does so (``is_native``) where no stack of another repository is known. The hook names ``region``,
    unless that is ``""``.
    """

    repo: str
    identity: RepoIdentity
    path: str
    role: str
    refusal: str = ""
    in_runtime_config: frozenset[str] = frozenset()
    engine: Engine | None = None
    variables: tuple[tuple[str, str], ...] = ()
    is_native: bool = False
    by: str = "hook"
    region: str = ""

    @property
    def is_migrated(self) -> bool:
        """Whether its runs get all their credentials that way."""
        return self.by != "variables" or any(name == "AWS_ROLE_ARN" for name, _ in self.variables)

    @property
    def title(self) -> str:
        """The root module for people."""
        return f"{self.identity.name}: {self.path or '.'}"


@dataclass(frozen=True, slots=True)
class KnownStack:
    """A stack, as other repositories are told of it.

    ``refusal`` says why it cannot get the hook, if so; ``slug`` is ``""`` where it is not known, or does not matter,
    and ``lists`` are the lists of hooks that it sets, each with its commands, None where they are not known;
    ``evidence`` is what it tells of its engine. ``roles`` are the variables that set the ARN of a role for its runs,
    each with its value, ``sets`` the variables of Terraform that it gives any value. ``has_integration`` tells of
    Spacelift's for AWS; ``obstacles`` say why no ``variables`` can be set for it, or no ``integration`` be attached. A
    blueprint is no stack: others are made of it.
    """

    repo: str
    place: Place
    title: str
    code: Code
    refusal: str = ""
    has_hook: bool = False
    slug: str = ""
    lists: tuple[tuple[str, tuple[str, ...] | None], ...] = ()
    evidence: tuple[Evidence, ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    has_integration: bool = False
    obstacles: tuple[tuple[str, str], ...] = ()
    is_blueprint: bool = False
    sets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownReceiver:
    """A stack of any vendor, or a module, as other repositories are told of it: what contexts attach themselves to.

    ``labels`` are None where they are not known.
    """

    repo: str
    place: Place
    title: str
    labels: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True)
class KnownCall:
    """A ``module`` block that calls a module of another repository: of ``source``, or at the path ``folder``.

    ``refusal`` says why it cannot follow a change of that module's variables, if so; one that ``is_unit`` of Terragrunt
    need not.
    """

    repo: str
    place: Place
    title: str
    source: ModuleSource | None = None
    folder: str = ""
    refusal: str = ""
    is_unit: bool = False

    def is_of(self, module: KnownModule) -> bool:
        """Whether it calls ``module``, as far as can be seen."""
        if self.source is None:
            return self.folder == module.folder
        if self.source.is_released and (self.source.name, self.source.folder) in module.addresses:
            return True
        identity = module.identity
        return self.source.is_in(identity.name, identity.namespace) and self.source.folder == module.path

    def is_pinned(self, module: KnownModule) -> bool:
        """Whether it goes on with the ``module`` as it was, until somebody raises the version."""
        return self.source is not None and not self.source.is_at_head(module.identity.branches)


@dataclass(frozen=True, slots=True)
class KnownInput:
    """A variable for a role that a module gets.

    ``origin`` tells whose, in expressions over the module's other variables: see `migrator.decide.told_identities`.
    """

    name: str
    origin: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class KnownModule:
    """A module whose variables are not what they were: what its callers in other repositories must know.

    ``folder`` is where it lies on this machine, ``addresses`` what registries call it, each with the folder in that.
    ``refusal`` says why it is not migrated after all, if so, and ``refused_by`` at which call (its repository and its
    place) that is; ``defaults`` are what its variables are that are not passed.
    """

    repo: str
    identity: RepoIdentity
    path: str
    place: Place
    folder: str
    gains: tuple[KnownInput, ...] = ()
    loses: tuple[str, ...] = ()
    refusal: str = ""
    addresses: tuple[tuple[str, str], ...] = ()
    defaults: tuple[tuple[str, str], ...] = ()
    refused_by: tuple[str, str] | None = None

    @property
    def key(self) -> str:
        """A name for the module that no other one of the run has."""
        return f"{self.repo}: {self.path or '.'}"

    @property
    def title(self) -> str:
        """The module for people."""
        return f"{self.identity.name}: {self.path or '.'}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What one repository of a fleet tells the others; ``told`` is what it was told of calls between them before.

    ``labels`` are those to which contexts with static credentials attach themselves, ``registered`` the modules that it
    puts into a registry: what each is called there, and where it comes from.
    """

    repo: str
    roots: tuple[KnownRoot, ...] = ()
    stacks: tuple[KnownStack, ...] = ()
    receivers: tuple[KnownReceiver, ...] = ()
    labels: tuple[str, ...] = ()
    calls: tuple[KnownCall, ...] = ()
    modules: tuple[KnownModule, ...] = ()
    told: tuple[Survey, ...] = ()
    registered: tuple[tuple[str, ModuleSource], ...] = ()

    @property
    def is_of_interest(self) -> bool:
        """Whether other repositories have anything to do with this one."""
        return self != Survey(self.repo)


def runs(code: Code, identity: RepoIdentity, path: str) -> bool:
    """Whether a stack of ``code`` runs the root module at ``path`` of a repository, on whatever branch.

    A namespace counts where both are known: https://docs.spacelift.io/integrations/source-control.
    """
    if code.repository is None or code.repository.lower() != identity.name.lower() or not _reaches(code, path):
        return False
    if code.namespace is None or not code.namespace or not identity.namespace:
        return True
    return code.namespace.lower() == identity.namespace.lower()


def _reaches(code: Code, path: str) -> bool:
    root = code.project_root
    return root == path or (code.runs_below and root is not None and (not root or path.startswith(f"{root}/")))


def is_of_branch(code: Code, identity: RepoIdentity) -> bool:
    """Whether a stack follows the branch that is being migrated, as far as that is known."""
    return code.branch is None or not identity.branches or code.branch in identity.branches


@dataclass(frozen=True, slots=True)
class Fleet:
    """All surveys of a run; empty for a repository on its own."""

    surveys: tuple[Survey, ...] = ()

    def stacks_running(self, repo: str, identity: RepoIdentity, path: str) -> list[KnownStack]:
        """The stacks of other repositories than ``repo`` that run its root module at ``path``."""
        every = (stack for survey in self.surveys if survey.repo != repo for stack in survey.stacks)
        others = (stack for stack in every if not stack.is_blueprint)
        return [other for other in others if runs(other.code, identity, path) and is_of_branch(other.code, identity)]

    def labelled(self, repo: str, labels: Iterable[str]) -> list[KnownReceiver]:
        """The stacks and modules of other repositories than ``repo`` that have one of the labels, or may."""
        wanted = set(labels)
        others = (receiver for survey in self.surveys if survey.repo != repo for receiver in survey.receivers)
        return [receiver for receiver in others if wanted and _may_have(receiver, wanted)]

    def roots_run_by(self, repo: str, code: Code) -> list[KnownRoot]:
        """The root modules of other repositories than ``repo`` that a stack of ``code`` runs."""
        others = (root for survey in self.surveys if survey.repo != repo for root in survey.roots)
        return [
            other for other in others if runs(code, other.identity, other.path) and is_of_branch(code, other.identity)
        ]

    @property
    def calls(self) -> list[KnownCall]:
        """The calls of other repositories of the modules of this one, each refused if its module may not change."""
        return [call for survey in self.surveys for call in survey.calls]

    @property
    def modules(self) -> list[KnownModule]:
        """The modules of other repositories that this one calls, and whose variables change."""
        return [module for survey in self.surveys for module in survey.modules]


def _may_have(receiver: KnownReceiver, wanted: set[str]) -> bool:
    return "*" in wanted or receiver.labels is None or not wanted.isdisjoint(receiver.labels)


ALONE = Fleet()
"""What a repository on its own knows of others."""


class _Index:
    """Root modules by the names of their repositories, and stacks by those of the repositories that they run."""

    def __init__(self, surveys: Iterable[Survey]) -> None:
        self.roots: dict[str, list[KnownRoot]] = {}
        self.stacks: dict[str, list[KnownStack]] = {}
        self.receivers: dict[str | None, list[KnownReceiver]] = {}
        for survey in surveys:
            for receiver in survey.receivers:
                for label in {"*", *(receiver.labels or ())} if receiver.labels is not None else {None, "*"}:
                    self.receivers.setdefault(label, []).append(receiver)
            for root in survey.roots:
                self.roots.setdefault(root.identity.name.lower(), []).append(root)
            for stack in survey.stacks:
                self.stacks.setdefault((stack.code.repository or "").lower(), []).append(stack)

    def receivers_of(self, survey: Survey) -> Iterator[KnownReceiver]:
        """What contexts of ``survey`` may attach themselves to elsewhere."""
        wanted = (*survey.labels, None) if survey.labels else ()
        found = (receiver for label in wanted for receiver in self.receivers.get(label, ()))
        yield from dict.fromkeys(receiver for receiver in found if receiver.repo != survey.repo)

    def stacks_of(self, survey: Survey) -> Iterator[KnownStack]:
        """The stacks of others that may run root modules of ``survey``."""
        for name in {root.identity.name.lower() for root in survey.roots}:
            yield from (stack for stack in self.stacks.get(name, ()) if stack.repo != survey.repo)

    def roots_of(self, survey: Survey) -> Iterator[KnownRoot]:
        """The root modules of others that stacks of ``survey`` may run."""
        for name in {(stack.code.repository or "").lower() for stack in survey.stacks}:
            yield from (root for root in self.roots.get(name, ()) if root.repo != survey.repo)


def parts(surveys: Iterable[Survey]) -> Iterator[Fleet]:
    """For each of ``surveys`` what it must know of the others, and no more.

    Root modules that sign in by themselves, on the engines of their stacks, are in none, and in none of them one is
    migrated that one of its stacks, wherever it is defined, cannot serve.
    """
    known = list(surveys)
    index = _Index(known)
    index = _Index(
        replace(item, roots=tuple(_settle(index, item, root) for root in _needing(index, item))) for item in known
    )
    for survey in known:
        receivers = (Survey(receiver.repo, receivers=(receiver,)) for receiver in index.receivers_of(survey))
        stacks, roots = _by_repo(index.stacks_of(survey)), _by_repo(index.roots_of(survey))
        yield Fleet((*stacks, *roots, *receivers, *survey.told))


def _by_repo(found: Iterable[KnownStack] | Iterable[KnownRoot]) -> Iterator[Survey]:
    for item in found:
        yield Survey(item.repo, roots=(item,)) if isinstance(item, KnownRoot) else Survey(item.repo, stacks=(item,))


def _needing(index: _Index, survey: Survey) -> Iterator[KnownRoot]:
    """The root modules that need something of their stacks: of those without a hook, the ones that need variables."""
    for root in survey.roots:
        if not _is_native(index, survey, root):
            yield root
        elif root.variables:
            yield replace(root, by="variables", role="", engine=None)


def _is_native(index: _Index, survey: Survey, root: KnownRoot) -> bool:
    """Whether every stack of other repositories runs the root module with an engine on which it needs no hook.

    Where there is none, what its own repository says of it counts.
    """
    engine = root.engine
    if engine is None:
        return False
    stacks = Fleet(tuple(_by_repo(index.stacks_of(survey)))).stacks_running(root.repo, root.identity, root.path)
    if not stacks:
        return root.is_native
    return all(
        not stack.has_hook and all(verdict(known).is_native for known in engine.of_stack(stack.slug, stack.evidence))
        for stack in stacks
    )


def _settle(index: _Index, survey: Survey, root: KnownRoot) -> KnownRoot:
    fleet = Fleet(tuple(_by_repo(index.stacks_of(survey))))
    stacks = fleet.stacks_running(root.repo, root.identity, root.path)
    why = next((why for stack in stacks if (why := _objection(stack, root))), "")
    return root if root.refusal or not why else replace(root, refusal=why)


def _objection(stack: KnownStack, root: KnownRoot) -> str:
    """Why a stack cannot serve a root module; ``""`` if it can."""
    at = f"{stack.repo}: {stack.place}"
    obstacle = stack.refusal if root.by == "hook" else dict(stack.obstacles).get(root.by, "")
    if obstacle and root.is_migrated:
        return f"its stack at {at} is refused: {obstacle}"
    there = dict(stack.roles)
    other = next((name for name, value in root.variables if there.get(name, value) != value), "")
    return f"its stack at {at} has {other} set to another role" if other else ""
